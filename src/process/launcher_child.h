// SPDX-License-Identifier: MIT
// The process beside this one that a Launcher forks, and what the two say to each other.
#pragma once

#include <sys/types.h>

#include "process/identity.h"
#include "process/program.h"

namespace tunnel::process::launcher {

// The first octet of a message from the parent. `take` has names behind it, each with a zero at its
// end, and their descriptors beside it.
enum class Order : char { take = 'T', launch = 'L', kill = 'K' };

// What the launcher says: the process, and an errno or how it ended.
struct Answer {
  enum class What : int { started, no_folder, not_started, ended };
  What what = What::started;
  pid_t pid = 0;
  int value = 0;
  int round = 0;  // of which order: one that came late is none of the next
};

// The child's life: obeys at `socket` until its parent has gone, as `identity`. To be called right
// after a fork that one thread made.
[[noreturn]] void live(int socket, const Program& program, const Identity& identity);

}  // namespace tunnel::process::launcher
