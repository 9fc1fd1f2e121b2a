// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "tls/attempt.h"
#include "x509/problem.h"

namespace tunnel::tls {

// What a client offers, and what it accepts of it. GnuTLS offers the product of key exchanges,
// ciphers and MACs, so the first attempt, which has all that is accepted, may be wider than that:
// what was negotiated is checked against the list afterwards. When it is not in the list, the
// server has shown which version it wants, and the attempts behind the first one offer parts of the
// list without anything else. Immutable.
struct Offer {
  std::vector<Attempt> attempts;       // at least one
  std::vector<std::string> suites;     // accepted IANA names; empty: all that is offered
  std::vector<gnutls_group_t> groups;  // accepted; empty: all that is offered
  unsigned verify_flags = 0;           // for certificate chains: the profile, and what it tolerates

  [[nodiscard]] bool accepts_suite(std::string_view name) const;
  [[nodiscard]] bool accepts_group(gnutls_group_t group) const;
  // What to try after an attempt that a server of this version has answered with a suite that is
  // not accepted, or with a refusal. Nothing when all has been tried.
  [[nodiscard]] std::optional<std::size_t> attempt_after(std::size_t attempt,
                                                         gnutls_protocol_t version) const;
};

// The offer of min_version, max_version, ciphers and groups, or of `priority`. Nothing when there
// is a problem.
[[nodiscard]] std::optional<Offer> make_offer(const config::Tls& tls, x509::Problems& problems);

}  // namespace tunnel::tls
