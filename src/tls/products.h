// SPDX-License-Identifier: MIT
// GnuTLS is not given a list of cipher suites: it offers every suite that can be made of the key
// exchanges, ciphers and MACs that it is given, in every version that it is given. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "tls/suites.h"

namespace tunnel::tls {

// The versions between which a suite may be chosen.
struct VersionRange {
  bool has_tls13 = false;
  std::optional<gnutls_protocol_t> newest_older{};  // none: no version before TLS 1.3
};

class Product {
 public:
  explicit Product(VersionRange versions) : versions_(versions) {}

  void add(const Suite& suite);
  void add_exchange(gnutls_kx_algorithm_t exchange);
  // Whether the suite goes out with the others, listed or not.
  [[nodiscard]] bool offers(const Suite& suite) const;
  [[nodiscard]] bool has_exchange(gnutls_kx_algorithm_t exchange) const;

 private:
  VersionRange versions_;
  std::vector<gnutls_kx_algorithm_t> exchanges_;
  std::vector<gnutls_cipher_algorithm_t> ciphers_;
  std::vector<gnutls_mac_algorithm_t> macs_;
};

// Divides a list of suites before TLS 1.3 into parts, each of which can be offered without any
// suite of `known` that is not in the list. The first part has the most preferred suite, and as
// much else as fits; every suite is in a part. At most `most` parts; what would need more is left
// out.
[[nodiscard]] std::vector<std::vector<Suite>> exact_parts(const std::vector<Suite>& list,
                                                          const std::vector<Suite>& known,
                                                          VersionRange versions, std::size_t most);

}  // namespace tunnel::tls
