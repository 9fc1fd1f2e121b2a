// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tunnel::process {

// Who the process is to become. A value.
struct Identity {
  std::optional<uid_t> uid;  // nullopt: stays
  std::optional<gid_t> gid;
  std::string user_name;  // for the user's supplementary groups; empty for an id without an account
};

// Names or numbers; empty: unchanged. A user without a group brings its own primary group; an id
// without an account needs one to be given. Reads the user database: not on a worker.
[[nodiscard]] Result<Identity> find_identity(std::string_view user, std::string_view group);

// Drops what the process was, for good: supplementary groups, group, user, and a check that none of
// it can be taken back. Holds for all threads. Being that identity already is fine without root.
[[nodiscard]] Result<void> assume(const Identity& identity);

}  // namespace tunnel::process
