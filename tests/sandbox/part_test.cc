// SPDX-License-Identifier: MIT
#include "sandbox/part.h"

#include <doctest/doctest.h>

namespace tunnel::sandbox {

TEST_CASE("The log line names what is in force, and each reason once") {
  Report report;
  report.mode = config::Sandbox::automatic;
  report.in_force = {Part::files, Part::no_core};
  report.absent = {{Part::connect_ports, Report::Why::chosen, "reloads"},
                   {Part::bind_ports, Report::Why::chosen, "reloads"},
                   {Part::system_calls, Report::Why::impossible, "no seccomp"}};
  CHECK(
      report.sentence() ==
      "sandbox: files (Landlock), no core; without system calls (seccomp): no seccomp; without TCP "
      "ports to connect to (Landlock), TCP ports to listen at (Landlock): reloads");
  CHECK(report.has(Part::files));
  CHECK_FALSE(report.has(Part::bind_ports));
}

TEST_CASE("A sandbox with nothing in it says so") {
  Report report;
  CHECK(report.sentence() == "sandbox: off");
  report.mode = config::Sandbox::automatic;
  CHECK(report.sentence() == "sandbox: nothing");
}

}  // namespace tunnel::sandbox
