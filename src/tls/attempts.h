// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "config/model.h"
#include "tls/attempt.h"
#include "tls/suites.h"
#include "tls/versions.h"
#include "x509/problem.h"

namespace tunnel::tls {

// What of a configured list may be offered, in the order of preference.
struct Choice {
  std::vector<Suite> suites;
  std::vector<Group> groups;
  std::vector<Version> versions;
};

// The first attempt offers all of the choice; where GnuTLS makes more of that than was chosen,
// others follow that offer parts of it and nothing else.
[[nodiscard]] std::vector<Attempt> make_attempts(const config::Tls& tls, const Choice& choice,
                                                 x509::Problems& problems);

}  // namespace tunnel::tls
