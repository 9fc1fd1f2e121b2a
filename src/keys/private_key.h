// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "keys/handles.h"
#include "keys/key_password.h"
#include "x509/problem.h"

namespace tunnel::keys {

// A private key that was found, and whether the password was needed for it.
struct FoundKey {
  PrivateKey key;  // null: there is a problem
  bool was_encrypted = false;
};

// The first private key of a PEM text, or a DER one: PKCS#8, encrypted or not, and the older forms
// of OpenSSL. `option` is the configuration key that named the file.
[[nodiscard]] FoundKey read_private_key(const std::string& option, const std::string& path,
                                        std::string_view content, const KeyPassword& password,
                                        x509::Problems& problems);

[[nodiscard]] bool has_private_key(std::string_view pem);

// Whether the certificate is about this key: its public half, or else a signature, tells.
[[nodiscard]] bool belongs_to(gnutls_privkey_t key, gnutls_x509_crt_t certificate);

}  // namespace tunnel::keys
