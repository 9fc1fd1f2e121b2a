// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"

namespace tunnel::process {

// A descriptor for another process, and what it is called there. Not owned.
struct Handed {
  std::string name;
  int fd = -1;
};

// The listening sockets that a service manager has started the process with (sd_listen_fds(3)):
// those of a socket unit, under their FileDescriptorName=, and those that an earlier run of ours
// has left in the manager's keeping. Owned by run(); copies may be taken on any thread.
class PassedSockets {
 public:
  struct Socket {
    std::string name;
    Fd fd;
    SocketAddress address;
  };

  PassedSockets() = default;  // none
  explicit PassedSockets(std::vector<Socket> sockets) : sockets_(std::move(sockets)) {}
  // Takes what LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES speak of, and the variables with it, so
  // that no program we run takes them for its own. None when they are for another process. Call
  // once, while there is one thread, and before a fork. What an earlier process hands over in an
  // upgrade comes in the same way (see handed_environment()).
  [[nodiscard]] static Result<PassedSockets> take();

  // Where the sockets of this name listen: one name may be that of several.
  [[nodiscard]] std::vector<SocketAddress> addresses_of(std::string_view name) const;
  // A descriptor of the one at this address; invalid when there is none.
  [[nodiscard]] Fd copy(std::string_view name, const SocketAddress& address) const;
  // The names that a socket unit gave, each once.
  [[nodiscard]] std::vector<std::string> names() const;

  // What was kept for us under this name, or null; and the same for good, invalid when there is
  // none.
  [[nodiscard]] const Socket* find_kept(std::string_view name) const;
  [[nodiscard]] Fd take_kept(std::string_view name);
  // Closes what was kept and not taken; the names.
  std::vector<std::string> drop_kept();

  // Whether a process of ours that is to be replaced has started this one.
  [[nodiscard]] bool is_upgrade() const { return is_upgrade_; }
  // A descriptor that is not a listener, which that process hands over under one of the names
  // below; invalid when there is none. For good.
  [[nodiscard]] Fd take_handed(std::string_view name);
  // The sockets of socket units, to be handed on.
  [[nodiscard]] std::vector<Handed> given() const;

 private:
  std::vector<Socket> sockets_;
  std::vector<std::pair<std::string, Fd>> handed_;
  bool is_upgrade_ = false;
};

// Names of what is handed over beside listeners.
inline constexpr std::string_view kHandedReady = "tunnel-handed-ready";    // to say "ready" on
inline constexpr std::string_view kHandedStderr = "tunnel-handed-stderr";  // from then on
inline constexpr std::string_view kHandedPidFile = "tunnel-handed-pid-file";

// The environment for a process that gets these descriptors as its numbers 3 and up: this one's,
// with LISTEN_FDS and LISTEN_FDNAMES. LISTEN_PID cannot be known before the start; TUNNEL_UPGRADE,
// the number of the parent, stands in for it.
[[nodiscard]] std::vector<std::string> handed_environment(const std::vector<Handed>& handed);

// What a listener is called in the manager's keeping, made from where it listens ("127.0.0.1:389"):
// the next run looks for it by the same name.
[[nodiscard]] std::string kept_name(std::string_view place);

}  // namespace tunnel::process
