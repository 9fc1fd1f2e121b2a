// SPDX-License-Identifier: MIT
#include "uv/socket.h"

#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

namespace tunnel::uv::socket {

namespace {

ErrorCode code_of(int system_errno) {
  switch (system_errno) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return ErrorCode::exhausted;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case EADDRNOTAVAIL:
      return ErrorCode::unavailable;
    case EACCES:
    case EPERM:
      return ErrorCode::permission;
    case EADDRINUSE:
      return ErrorCode::in_use;
    default:
      return ErrorCode::system;
  }
}

}  // namespace

Result<Fd> open_towards(const SocketAddress& to) {
  Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    const int why = errno;
    return failed(code_of(why), "cannot open a socket for " + to.to_string(), why);
  }
  return fd;
}

Result<void> bind_source(int fd, const SocketAddress& to, const SocketAddress& from) {
  if (from.family() != to.family()) {
    return failed(ErrorCode::unavailable, "source address " + from.ip() + " and target " +
                                              to.to_string() + " are of different families");
  }
  // Without this the kernel chooses the port at bind(2), before it knows the target: all
  // connections from one source address would share one port range instead of one range per target.
  if (to.is_ip()) {
    const int on = 1;
    (void)::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  }
  if (::bind(fd, from.get(), from.length()) != 0) {
    const int why = errno;
    return failed(code_of(why), "cannot bind to source address " + from.ip(), why);
  }
  return {};
}

bool lacks_interface(const SocketAddress& address) {
  if (address.family() != AF_INET6) return false;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address.get());
  return v6->sin6_scope_id == 0 && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);
}

std::optional<SocketAddress> with_interface(int fd, const SocketAddress& to) {
  if (!lacks_interface(to)) return to;
  // Binding to a link-local source address binds the socket to its interface, too, so that one
  // question finds both that and the option.
  char name[IF_NAMESIZE] = "";
  socklen_t length = sizeof name;
  if (::getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &length) != 0 || length == 0) {
    return std::nullopt;
  }
  sockaddr_in6 v6 = *reinterpret_cast<const sockaddr_in6*>(to.get());
  v6.sin6_scope_id = ::if_nametoindex(name);
  if (v6.sin6_scope_id == 0) return std::nullopt;
  return SocketAddress::from(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

int low_water(int fd) {
  int bytes = 0;
  socklen_t length = sizeof bytes;
  return ::getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, &length) == 0 ? bytes : 0;
}

void set_low_water(int fd, std::uint32_t bytes) {
  const int value = static_cast<int>(bytes);
  (void)::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
}

std::size_t undelivered_bytes(int fd) {
  int bytes = 0;
  return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

bool has_unread_bytes(int fd) {
  int bytes = 0;
  return ::ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

bool is_tcp_closed(int fd) {
  tcp_info info{};
  socklen_t length = sizeof info;
  return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
         info.tcpi_state == TCP_CLOSE;
}

bool has_error_or_hangup(int fd, bool is_unix) {
  // No event is asked for: errors and hang-ups are reported in any case (poll(2)).
  pollfd what{.fd = fd, .events = 0, .revents = 0};
  if (::poll(&what, 1, 0) <= 0) return false;
  if ((what.revents & (POLLERR | POLLNVAL)) != 0) return true;
  if ((what.revents & POLLHUP) == 0) return false;
  // TCP says POLLHUP as soon as both sides have sent FIN, while our last bytes may still be under
  // way; only the state tells that the connection is over.
  if (!is_unix) return is_tcp_closed(fd);
  // A program that says its word and leaves at once has closed both sides, too: what it said
  // counts.
  return !has_unread_bytes(fd);
}

int take_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : 0;
}

Peeked peek(int fd) {
  char byte = 0;
  const ssize_t n = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n > 0) return {.what = Peeked::What::bytes};
  if (n == 0) return {.what = Peeked::What::eof};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {};
  return {.what = Peeked::What::error, .system_errno = errno};
}

}  // namespace tunnel::uv::socket
