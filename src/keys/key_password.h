// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "x509/handles.h"
#include "x509/problem.h"

namespace tunnel::keys {

// What opens a private key: the password of a file, or the PIN of a PKCS#11 token. It comes from
// a file, and nobody is ever asked for one: a process without a terminal would wait for ever.
// Immutable after loading, and lives as long as the keys it was given to: a token that was taken
// out and put back wants its PIN again.
class KeyPassword {
 public:
  KeyPassword() = default;
  KeyPassword(const KeyPassword&) = delete;
  KeyPassword& operator=(const KeyPassword&) = delete;
  ~KeyPassword();

  // The first line of the file that `option`, a configuration key, names. An empty path: there is
  // none.
  void load(const std::string& option, const std::string& path, x509::Problems& problems);

  // What it had to open is open, and will not be asked for again: wipes it.
  void forget();

  [[nodiscard]] bool is_set() const { return is_set_; }
  [[nodiscard]] const char* text() const { return is_set_ ? text_.c_str() : nullptr; }
  [[nodiscard]] const std::string& option() const { return option_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  // For GnuTLS (gnutls_pin_callback_t): gives a PIN once. Tokens lock themselves after a few wrong
  // ones.
  static int give_pin(void* self, int attempt, const char* token_url, const char* token_label,
                      unsigned flags, char* pin, std::size_t pin_size);

 private:
  std::string option_, path_;
  std::string text_;
  bool is_set_ = false;
};

}  // namespace tunnel::keys
