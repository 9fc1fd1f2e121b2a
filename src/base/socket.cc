// SPDX-License-Identifier: MIT
#include "base/socket.h"

#include <sys/socket.h>

namespace tunnel {
namespace {

SocketAddress ask(int (*question)(int, sockaddr*, socklen_t*), int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  return question(fd, address, &length) == 0 ? SocketAddress::from(address, length)
                                             : SocketAddress();
}

}  // namespace

SocketAddress local_address(int fd) { return ask(&::getsockname, fd); }

SocketAddress peer_address(int fd) { return ask(&::getpeername, fd); }

std::optional<ucred> peer_process(int fd) {
  ucred process{};
  socklen_t length = sizeof process;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &process, &length) != 0) return std::nullopt;
  if (process.uid == static_cast<uid_t>(-1)) return std::nullopt;  // not of a unix socket
  return process;
}

void reset_on_close(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  (void)::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace tunnel
