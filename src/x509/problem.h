// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tunnel::x509 {

// A problem of a [NAME.tls] table that only loading could find: which key, which entry of it, what
// is wrong, and what to do. The caller knows the file and line of the key.
struct Problem {
  std::string key;  // "ca", "pin", "ciphers", ...
  int index = -1;   // entry of an array, or -1
  std::string text;
  std::string hint;
};

// Collects everything that loading finds, so that one run reports all of it: errors, which keep the
// service from starting, and warnings, which each start logs. A local of who loads; one thread.
class Problems {
 public:
  void error(std::string key, int index, std::string text, std::string hint = {}) {
    errors_.push_back({std::move(key), index, std::move(text), std::move(hint)});
  }
  void error(Problem problem) { errors_.push_back(std::move(problem)); }
  void error(std::string key, std::string text, std::string hint = {}) {
    error(std::move(key), -1, std::move(text), std::move(hint));
  }
  // The text names the key in front, because a log line has nothing else: "tls.crl: ...".
  void warning(std::string key, std::string text) {
    warnings_.push_back({std::move(key), -1, std::move(text), {}});
  }
  void add(const Problems& others) {
    errors_.insert(errors_.end(), others.errors_.begin(), others.errors_.end());
    warnings_.insert(warnings_.end(), others.warnings_.begin(), others.warnings_.end());
  }
  void clear() { *this = {}; }

  [[nodiscard]] bool has_errors() const { return !errors_.empty(); }
  [[nodiscard]] const std::vector<Problem>& errors() const { return errors_; }
  [[nodiscard]] const std::vector<Problem>& warnings() const { return warnings_; }

 private:
  std::vector<Problem> errors_;
  std::vector<Problem> warnings_;
};

}  // namespace tunnel::x509
