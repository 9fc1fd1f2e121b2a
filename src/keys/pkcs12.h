// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "keys/handles.h"
#include "keys/key_password.h"
#include "x509/handles.h"
#include "x509/problem.h"

namespace tunnel::keys {

// What a PKCS#12 file (RFC 7292; .p12, .pfx) holds. Empty when there is a problem.
struct Pkcs12 {
  PrivateKey key;                               // may be null: certificates alone
  std::vector<x509::Certificate> certificates;  // in any order
};

[[nodiscard]] bool is_pkcs12(std::string_view content);

// One with neither a password nor an empty one needs `password`.
[[nodiscard]] Pkcs12 read_pkcs12(const std::string& option, const std::string& path,
                                 std::string_view content, const KeyPassword& password,
                                 x509::Problems& problems);

}  // namespace tunnel::keys
