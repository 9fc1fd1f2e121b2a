// SPDX-License-Identifier: MIT
// OpenSSL's cipher lists ("HIGH:!aNULL:-SHA1:@STRENGTH"), evaluated as OpenSSL 3 does. Pure; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/openssl_suites.h"

namespace tunnel::import {

struct OpensslCipherList {
  // What OpenSSL would offer up to TLS 1.2, in order; also suites that cannot be spoken here. They
  // belong to openssl_suites().
  std::vector<const OpensslSuite*> suites;
  // Names that were to be added, and are not known at all.
  std::vector<std::string> unknown;
  // Names that were to be excluded or moved, and are neither known nor of a kind that OpenSSL has
  // given up: what they mean to exclude may still be in the list.
  std::vector<std::string> unknown_excluded;
  // Names that added only suites that cannot be spoken here.
  std::vector<std::string> unsupported;
  // Suites of TLS 1.3 named here: OpenSSL ignores them in this list.
  std::vector<std::string> tls13;
  std::optional<int> security_level;  // of @SECLEVEL
  // The list's first mistake in the grammar, for people; then OpenSSL refuses all of it.
  std::string error;
};

[[nodiscard]] OpensslCipherList evaluate_openssl_ciphers(std::string_view list);

// Whether OpenSSL would use the suite at a security level, 0 to 5.
[[nodiscard]] bool is_allowed_at(int security_level, const OpensslSuite& suite);

}  // namespace tunnel::import
