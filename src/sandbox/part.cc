// SPDX-License-Identifier: MIT
#include "sandbox/part.h"

#include <algorithm>
#include <map>

#include "base/text.h"

namespace tunnel::sandbox {

std::string_view word(Part part) {
  switch (part) {
    case Part::files:
      return "files";
    case Part::connect_ports:
      return "connect-ports";
    case Part::bind_ports:
      return "bind-ports";
    case Part::system_calls:
      return "system-calls";
    case Part::no_new_privileges:
      return "no-new-privileges";
    case Part::not_dumpable:
      return "not-dumpable";
    case Part::no_core:
      return "no-core";
  }
  return "";
}

std::string_view phrase(Part part) {
  switch (part) {
    case Part::files:
      return "files (Landlock)";
    case Part::connect_ports:
      return "TCP ports to connect to (Landlock)";
    case Part::bind_ports:
      return "TCP ports to listen at (Landlock)";
    case Part::system_calls:
      return "system calls (seccomp)";
    case Part::no_new_privileges:
      return "no new privileges";
    case Part::not_dumpable:
      return "not dumpable";
    case Part::no_core:
      return "no core";
  }
  return "";
}

bool Report::has(Part part) const {
  return std::find(in_force.begin(), in_force.end(), part) != in_force.end();
}

std::string Report::sentence() const {
  if (mode == config::Sandbox::off) return "sandbox: off";
  std::vector<std::string> names;
  for (const Part part : in_force) names.emplace_back(phrase(part));
  std::string text = "sandbox: " + (names.empty() ? "nothing" : enumerated(names, ", "));
  // Each reason once.
  std::map<std::string, std::vector<std::string>> reasons;
  for (const Absent& each : absent) reasons[each.text].emplace_back(phrase(each.part));
  for (const auto& [reason, parts] : reasons) {
    text += "; without " + enumerated(parts, ", ") + ": " + reason;
  }
  return text;
}

}  // namespace tunnel::sandbox
