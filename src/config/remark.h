// SPDX-License-Identifier: MIT
// What a person should know about a converted configuration: a comment in the printed TOML. A
// value; any thread.
#pragma once

#include <string>

namespace tunnel::config {

struct Remark {
  std::string service;  // empty: the file as a whole
  std::string key;      // "tls.verify": above that line; empty: above the service's table
  std::string text;
  friend bool operator==(const Remark&, const Remark&) = default;
};

}  // namespace tunnel::config
