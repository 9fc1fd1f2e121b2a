// SPDX-License-Identifier: MIT
// What tls.min_strength asks of suites, groups, certificates and signatures. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "config/model.h"
#include "tls/suites.h"

namespace tunnel::tls {

[[nodiscard]] int least_bits(config::MinStrength strength);
// Leaves out what has fewer bits than that.
void keep_strong(std::vector<Suite>& suites, config::MinStrength strength);
void keep_strong(std::vector<Group>& groups, config::MinStrength strength);
// The end of a priority string: the profile for certificates, after the signatures that are too
// weak.
[[nodiscard]] std::string strength_tokens(config::MinStrength strength);

}  // namespace tunnel::tls
