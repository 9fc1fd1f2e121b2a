// SPDX-License-Identifier: MIT
// The lines of stunnel.conf that speak OpenSSL's language, and what there is to say about them.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tunnel::import {

// One line of a section, or of the global part before it: `key` is one of the names that
// is_openssl_setting() knows, in any case; `value` as written.
struct OpensslSetting {
  std::string_view key;
  std::string_view value;
};

struct OpensslNote {
  enum class Severity {
    notice,   // no meaning here, or always so
    warning,  // means less than it says
    error,    // what it asks for cannot be had
  };
  std::size_t setting = 0;  // which of the settings
  Severity severity = Severity::notice;
  std::string text;
  std::string hint;  // may be empty
  friend bool operator==(const OpensslNote&, const OpensslNote&) = default;
};

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

}  // namespace tunnel::import
