// SPDX-License-Identifier: MIT
// Problems of a configuration: what, where, and what was probably meant. Config code collects them
// and goes on; it fails at the end with all of them. Owned by the Document, one thread.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/source.h"
#include "config/value.h"

namespace tunnel::config {

enum class Severity { error, warning };

struct Diagnostic {
  Position position;
  Severity severity = Severity::error;
  std::string text;
  std::string hint;  // may be empty
  friend auto operator<=>(const Diagnostic&, const Diagnostic&) = default;
};

// All that was found, and the files it was found in.
class Diagnostics {
 public:
  // More than this of one file is noise: the rest is counted, not shown.
  static constexpr std::size_t kMostShown = 100;

  // The number by which positions refer to the file. The reference stays valid.
  std::uint32_t add_source(std::unique_ptr<Source> source);
  [[nodiscard]] const Source& source(std::uint32_t file) const { return *sources_[file]; }
  [[nodiscard]] std::size_t source_count() const { return sources_.size(); }

  // The same text at the same place counts once: [defaults] are read again for every service.
  void error(Position position, std::string text, std::string hint = {});
  void warning(Position position, std::string text, std::string hint = {});

  // What is still found wrong there follows from what was reported, and is not.
  void settle(Position position) { settled_.insert(position); }

  [[nodiscard]] bool has_errors() const { return errors_ > 0; }
  [[nodiscard]] bool has_error_at(Position position) const;
  // Nobody reads on; readers may stop.
  [[nodiscard]] bool is_hopeless() const { return errors_ >= 10 * kMostShown; }
  // Sorted by position.
  [[nodiscard]] std::vector<Diagnostic> sorted() const { return {all_.begin(), all_.end()}; }

  // `FILE:LINE:COLUMN: error: text`, the source line, a caret, `hint: ...`.
  [[nodiscard]] std::string render(const Diagnostic& diagnostic) const;
  // Every problem, sorted by position, errors and warnings.
  [[nodiscard]] std::string render_all() const;
  // "tunnel.toml:3:1"
  [[nodiscard]] std::string place(Position position) const;

 private:
  void add(Diagnostic diagnostic);

  std::vector<std::unique_ptr<Source>> sources_;
  std::set<Diagnostic> all_;
  std::set<Position> settled_;
  std::size_t errors_ = 0;
};

}  // namespace tunnel::config
