// SPDX-License-Identifier: MIT
// The settings of one section, read and put in order, before anything is translated. For
// openssl_names.cc only. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "import/openssl_names.h"
#include "import/openssl_versions.h"

namespace tunnel::import {

// Notes without repetitions.
class OpensslNotes {
 public:
  void notice(std::size_t at, std::string text, std::string hint = {}) {
    add({at, OpensslNote::Severity::notice, std::move(text), std::move(hint)});
  }
  void warning(std::size_t at, std::string text, std::string hint = {}) {
    add({at, OpensslNote::Severity::warning, std::move(text), std::move(hint)});
  }
  void error(std::size_t at, std::string text, std::string hint = {}) {
    add({at, OpensslNote::Severity::error, std::move(text), std::move(hint)});
  }
  [[nodiscard]] bool has_errors() const;
  // In the order of the settings.
  [[nodiscard]] std::vector<OpensslNote> sorted() &&;

 private:
  void add(OpensslNote note);

  std::vector<OpensslNote> notes_;
};

// A value, and the setting that it comes from.
struct OpensslText {
  std::size_t setting = 0;
  std::string_view value;
};

struct OpensslWishes {
  std::optional<OpensslText> ciphers, ciphersuites, curves;
  int level = 2;
  std::size_t level_at = 0;
  OpensslVersions versions;
  std::size_t versions_at = 0;  // the last setting that had a say in them
  bool no_tickets = false;
};

[[nodiscard]] OpensslWishes read_openssl_wishes(std::span<const OpensslSetting> settings,
                                                OpensslNotes& notes);

}  // namespace tunnel::import
