// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace tunnel::admin {

// Where the control socket of a configuration is: the running instance makes it there, and the
// commands look there. A value.
struct ControlPath {
  std::string socket;
  // A folder that is ours to make; empty when the socket's folder must be there already.
  std::string folder;
  friend bool operator==(const ControlPath&, const ControlPath&) = default;
};

// What decides about it, apart from the configuration.
struct ControlSurroundings {
  std::string runtime_directory;       // RUNTIME_DIRECTORY, which systemd sets
  std::string user_runtime_directory;  // XDG_RUNTIME_DIR
  uid_t uid = 0;                       // as which the process was started
  [[nodiscard]] static ControlSurroundings of_process();
};

// The default place: in systemd's folder, else in /run/tunnel-NAME for root, else in the user's
// runtime folder, else nowhere; NAME is the name of the configuration file without its ending.
[[nodiscard]] std::optional<ControlPath> control_path(const std::string& config,
                                                      const ControlSurroundings& surroundings);

}  // namespace tunnel::admin
