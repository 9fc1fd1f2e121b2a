// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace tunnel::sandbox {

// What a sandbox is made of.
enum class Part {
  files,
  connect_ports,
  bind_ports,
  system_calls,
  no_new_privileges,
  not_dumpable,
  no_core,
};

// "files", "connect-ports": for programs.
[[nodiscard]] std::string_view word(Part part);
// "files (Landlock)", "TCP ports to connect to (Landlock)": for people.
[[nodiscard]] std::string_view phrase(Part part);

// What came of it. A value.
struct Report {
  enum class Why {
    chosen,      // the configuration says so, or cannot live with it
    impossible,  // the kernel has not got it, or refuses
  };
  struct Absent {
    Part part;
    Why why;
    std::string text;  // a reason for people
  };
  config::Sandbox mode = config::Sandbox::off;
  std::vector<Part> in_force;
  std::vector<Absent> absent;

  [[nodiscard]] bool has(Part part) const;
  // One line: what is in force, and what is not and why.
  [[nodiscard]] std::string sentence() const;
};

}  // namespace tunnel::sandbox
