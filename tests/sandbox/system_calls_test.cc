// SPDX-License-Identifier: MIT
#include "sandbox/system_calls.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

namespace tunnel::sandbox {
namespace {

bool has(std::span<const char* const> names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

TEST_CASE("No system call is in two lists, or twice in one") {
  std::set<std::string> seen;
  for (const auto& list : {allowed_system_calls(), deadly_system_calls()}) {
    for (const char* name : list) {
      CAPTURE(name);
      CHECK(seen.insert(name).second);
    }
  }
}

TEST_CASE("What ends the process cannot run a program or look into another process") {
  for (const char* name : {"execve", "execveat", "ptrace", "process_vm_readv", "mount", "bpf"}) {
    CAPTURE(name);
    CHECK(has(deadly_system_calls(), name));
  }
}

TEST_CASE("What depends on arguments is not allowed as a whole") {
  for (const char* name : {"socket", "mmap", "mprotect", "clone", "clone3", "prctl", "ioctl",
                           "unshare", "kill", "tgkill", "prlimit64", "io_uring_setup", "fork"}) {
    CAPTURE(name);
    CHECK_FALSE(has(allowed_system_calls(), name));
  }
}

}  // namespace tunnel::sandbox
