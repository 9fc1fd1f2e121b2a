// SPDX-License-Identifier: MIT
// A configuration as read: the model, everything that is wrong with it, and where each key of it
// was written, so that later stages (loading certificates) report their problems at the right
// place. Movable, one owner, one thread at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/foreign.h"
#include "config/model.h"
#include "config/remark.h"
#include "config/value.h"

namespace tunnel::config {

class Document {
 public:
  // Always there; complete only without errors. A service with errors holds what could be read.
  Config config;

  [[nodiscard]] bool has_errors() const { return diagnostics_->has_errors(); }
  [[nodiscard]] std::vector<Diagnostic> diagnostics() const { return diagnostics_->sorted(); }
  // What a person is shown: every problem with its source line, sorted by place.
  [[nodiscard]] std::string render() const { return diagnostics_->render_all(); }
  [[nodiscard]] std::string render(const Diagnostic& diagnostic) const {
    return diagnostics_->render(diagnostic);
  }

  // Adds an error or a warning about a key of a service ("ldap", "tls.ca"; an empty service means
  // the global keys), at entry `index` of an array, or -1; those of arrays in it, which are groups
  // of targets, are counted through. Where the key is not written, the nearest thing is pointed at:
  // its table, then the service's header. An error at a place that has one already is not added: it
  // says the same thing again in other words.
  void problem(std::string_view service, std::string_view key, int index, std::string text,
               std::string hint = {});
  void warning(std::string_view service, std::string_view key, int index, std::string text,
               std::string hint = {});

  // As merged with [defaults]; not set when the service does not exist or the key is not written.
  [[nodiscard]] Setting find(std::string_view service, std::string_view key) const;
  [[nodiscard]] bool is_set(std::string_view service, std::string_view key) const {
    return find(service, key).is_set();
  }
  [[nodiscard]] Position position(std::string_view service, std::string_view key,
                                  int index = -1) const;
  // What it was read from, the main file first, with whole paths.
  [[nodiscard]] std::vector<std::string> files() const;
  // "tunnel.toml:3:1"
  [[nodiscard]] std::string place(Position position) const { return diagnostics_->place(position); }
  // Of another language: what to say where the model is printed as TOML.
  [[nodiscard]] const std::vector<Remark>& remarks() const { return remarks_; }
  // What it was read with.
  [[nodiscard]] const Foreign& foreign() const { return foreign_; }

 private:
  friend class Builder;
  explicit Document(const Foreign& foreign)
      : foreign_(foreign), diagnostics_(std::make_unique<Diagnostics>()) {}

  struct Origin {
    Position header;
    Setting setting;
  };
  Foreign foreign_;
  std::unique_ptr<Diagnostics> diagnostics_;
  std::vector<Remark> remarks_;
  std::vector<std::unique_ptr<Value>> roots_;  // what the settings below point into
  std::map<std::string, Origin, std::less<>> services_;
};

}  // namespace tunnel::config
