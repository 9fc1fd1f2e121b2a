// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace tunnel::tls {

// Is told a session's secrets as they are made, before anything is protected with them: for
// captures. On the session's thread.
class Secrets {
 public:
  virtual void on_secret(std::string_view line) = 0;  // of an NSS key log, with its newline

 protected:
  ~Secrets() = default;
};

}  // namespace tunnel::tls
