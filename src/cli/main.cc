// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/extcap.h"
#include "probe/run.h"
#include "process/beginning.h"
#include "runtime/run.h"
#include "tls/library.h"
#include "uv/library.h"

namespace {

// In front of the constructors of all libraries, which only a program's own .preinit_array is.
void begin(int, char**, char** environment) { tunnel::process::begin(environment); }
[[gnu::section(".preinit_array"), gnu::used]] void (*const first_of_all)(int, char**,
                                                                         char**) = &begin;

// The exit status. An answer that a full disk swallowed was not given.
int print(const tunnel::cli::Outcome& outcome) {
  const bool is_written = std::fputs(outcome.out.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  if (!is_written) std::perror("tunnel: cannot write to standard output");
  (void)std::fputs(outcome.err.c_str(), stderr);
  return is_written || outcome.status != 0 ? outcome.status : tunnel::cli::kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  const tunnel::cli::Machinery machinery{
      .check_credentials = tunnel::runtime::check_credentials,
      .run = tunnel::runtime::run,
      .probe = tunnel::probe::run,
      .libraries = tunnel::tls::library_version() + ", " + tunnel::uv::library_version(),
  };
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const tunnel::cli::Outcome outcome = tunnel::cli::is_extcap(argv[0])
                                           ? tunnel::cli::run_extcap(arguments)
                                           : tunnel::cli::execute(arguments, machinery);
  return print(outcome);
}
