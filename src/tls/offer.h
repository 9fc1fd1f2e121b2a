// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "tls/handles.h"
#include "tls/problem.h"

namespace tunnel::tls {

// What a client offers, and what it accepts of it. GnuTLS offers the product of key exchanges,
// ciphers and MACs, so the offer may be wider than the list: what was negotiated is checked against
// the list afterwards. Immutable.
struct Offer {
  PriorityHandle priority;
  std::string text;                    // the priority string
  std::vector<std::string> suites;     // accepted IANA names; empty: all that is offered
  std::vector<gnutls_group_t> groups;  // accepted; empty: all that is offered
  unsigned verify_flags = 0;           // for certificate chains: the profile, and what it tolerates

  [[nodiscard]] bool accepts_suite(std::string_view name) const;
  [[nodiscard]] bool accepts_group(gnutls_group_t group) const;
};

// The offer of min_version, max_version, ciphers and groups, or of `priority`. Nothing when there
// is a problem.
[[nodiscard]] std::optional<Offer> make_offer(const config::Tls& tls,
                                              std::vector<Problem>& problems);

}  // namespace tunnel::tls
