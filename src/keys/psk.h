// SPDX-License-Identifier: MIT
// Pre-shared keys: both sides prove that they know one, and that is all the authentication there is
// (RFC 4279, RFC 8446 section 2.2).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "keys/handles.h"
#include "x509/problem.h"

namespace tunnel::keys {

struct PskLine {
  std::string identity;
  std::string key;  // raw bytes
};

// "identity:key": everything up to the first colon, and either hexadecimal digits (pairs may be
// separated by colons) or else the bytes of the key as they are. Pure.
[[nodiscard]] Result<PskLine> parse_psk_line(std::string_view line);

// Whether a pre-shared key is the only way in which a server of this configuration can prove who it
// is: one is configured, and nothing that a certificate could be checked with.
[[nodiscard]] bool needs_psk(const config::Tls& tls);

// The pre-shared key that servers are offered. Immutable after loading; any thread.
class PresharedKey {
 public:
  // Null without `psk_file`, and when there is a problem. Blocking.
  [[nodiscard]] static std::unique_ptr<const PresharedKey> load(const config::Tls& tls,
                                                                x509::Problems& problems);

  [[nodiscard]] const std::string& identity() const { return identity_; }
  [[nodiscard]] gnutls_psk_client_credentials_t credentials() const { return credentials_.get(); }

 private:
  PresharedKey(std::string identity, PskCredentials credentials)
      : identity_(std::move(identity)), credentials_(std::move(credentials)) {}

  std::string identity_;
  PskCredentials credentials_;
};

}  // namespace tunnel::keys
