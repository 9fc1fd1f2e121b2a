// SPDX-License-Identifier: MIT
#include "admin/control_path.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace tunnel::admin {
namespace {

constexpr std::string_view kSocket = "/control.sock";

// "/etc/tunnel/ldap.toml" is "ldap".
std::string name_of(const std::string& config) {
  std::string name = config.substr(config.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  // A dot in front is a part of the name.
  if (dot != std::string::npos && dot != 0) name.resize(dot);
  return name;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// systemd may give several folders, separated by colons.
std::string first_of(const std::string& folders) { return folders.substr(0, folders.find(':')); }

// A folder for each configuration, so that instances do not meet, and so that no other user can put
// anything beside the socket.
ControlPath in_own_folder(const std::string& parent, const std::string& config) {
  const std::string folder = parent + "/tunnel-" + name_of(config);
  return {folder + std::string(kSocket), folder};
}

}  // namespace

ControlSurroundings ControlSurroundings::of_process() {
  return {first_of(variable("RUNTIME_DIRECTORY")), variable("XDG_RUNTIME_DIR"), ::geteuid()};
}

std::optional<ControlPath> control_path(const std::string& config,
                                        const ControlSurroundings& surroundings) {
  const auto is_absolute = [](const std::string& path) { return path.starts_with('/'); };
  if (is_absolute(surroundings.runtime_directory)) {
    return ControlPath{surroundings.runtime_directory + std::string(kSocket), ""};
  }
  // Root may have an XDG_RUNTIME_DIR, too: that of a login, with which it goes (pam_systemd(8)).
  if (surroundings.uid == 0) return in_own_folder("/run", config);
  if (is_absolute(surroundings.user_runtime_directory)) {
    return in_own_folder(surroundings.user_runtime_directory, config);
  }
  return std::nullopt;
}

}  // namespace tunnel::admin
