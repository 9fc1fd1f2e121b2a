// SPDX-License-Identifier: MIT
#include "runtime/listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "tunnel/socket_options.h"

namespace tunnel::runtime {
namespace {

Result<Fd> new_socket(int family) {
  Fd socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) {
    const ErrorCode code = errno == EAFNOSUPPORT ? ErrorCode::unavailable : ErrorCode::system;
    return failed(code, "cannot make a socket", errno);
  }
  return socket;
}

// A socket file on which nobody accepts any more is left from a process that died: remove it.
// Anything else of that name is not ours.
Result<void> clear_stale(const SocketAddress& address, const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};  // bind will say what is wrong, if anything
  if (!S_ISSOCK(status.st_mode)) {
    return failed(ErrorCode::in_use,
                  "there is a file of that name that is no socket; remove it or "
                  "choose another path");
  }
  auto probe = new_socket(AF_UNIX);
  if (!probe) return tl::make_unexpected(probe.error());
  const int connected = ::connect(probe->get(), address.get(), address.length());
  if (connected == 0 || errno == EAGAIN || errno == EINPROGRESS) {
    return failed(ErrorCode::in_use,
                  "another process accepts connections on that socket; stop it "
                  "first");
  }
  if (errno != ECONNREFUSED) return failed(ErrorCode::system, "cannot probe the old socket", errno);
  if (::unlink(path.c_str()) != 0) {
    return failed(ErrorCode::permission, "cannot remove the stale socket file", errno);
  }
  return {};
}

Result<void> set_options(int socket, const config::Service& service, int family) {
  const auto refused = set_socket_options(socket, family, service.socket_options.listen);
  if (refused.empty()) return {};
  return failed(ErrorCode::system, "socket_options.listen: " + refused.front());
}

Result<void> bind_tcp(int socket, const config::Service& service, const SocketAddress& address) {
  const int on = 1;
  (void)::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.family() == AF_INET6) {
    (void)::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (auto set = set_options(socket, service, address.family()); !set) return set;
  if (::bind(socket, address.get(), address.length()) == 0) return {};
  switch (errno) {
    case EADDRINUSE:
      return failed(ErrorCode::in_use, "the address is already in use; `ss -ltnp` shows by whom");
    case EADDRNOTAVAIL:
      return failed(ErrorCode::unavailable, "this machine has no such address");
    case EACCES:
      return failed(ErrorCode::permission,
                    "not permitted; ports below 1024 need root or CAP_NET_BIND_SERVICE");
    default:
      return failed(ErrorCode::system, "cannot bind", errno);
  }
}

// The file is made with no access for others and opened up afterwards, so that nobody slips in.
Result<void> bind_unix(int socket, const config::Service& service, const SocketAddress& address,
                       const std::string& path) {
  if (auto set = set_options(socket, service, AF_UNIX); !set) return set;
  const mode_t old_mask = ::umask(0177);
  const int bound = ::bind(socket, address.get(), address.length());
  const int error = errno;
  (void)::umask(old_mask);
  if (bound != 0) {
    return failed(error == EADDRINUSE ? ErrorCode::in_use : ErrorCode::system,
                  "cannot make the socket file", error);
  }
  const config::UnixOwner& owner = service.unix_owner;
  if ((owner.uid || owner.gid) && ::lchown(path.c_str(), owner.uid.value_or(static_cast<uid_t>(-1)),
                                           owner.gid.value_or(static_cast<gid_t>(-1))) != 0) {
    const int chown_error = errno;
    (void)::unlink(path.c_str());
    return failed(ErrorCode::permission, "cannot give the socket file to unix_owner", chown_error);
  }
  if (::chmod(path.c_str(), service.unix_mode) != 0) {
    const int chmod_error = errno;
    (void)::unlink(path.c_str());
    return failed(ErrorCode::permission, "cannot set unix_mode", chmod_error);
  }
  return {};
}

}  // namespace

Result<Listener> Listener::open(const config::Service& service, const config::Accept& accept) {
  const SocketAddress& wanted = accept.address;
  auto socket = new_socket(wanted.family());
  if (!socket) return tl::make_unexpected(std::move(socket).error());
  const std::string text = wanted.to_string();
  const bool is_file = wanted.is_unix() && !text.starts_with('@');
  if (is_file) {
    if (auto cleared = clear_stale(wanted, text); !cleared) {
      return tl::make_unexpected(cleared.error());
    }
  }
  const auto bound = is_file ? bind_unix(socket->get(), service, wanted, text)
                             : bind_tcp(socket->get(), service, wanted);
  if (!bound) return tl::make_unexpected(bound.error());

  sockaddr_storage actual{};
  socklen_t length = sizeof actual;
  (void)::getsockname(socket->get(), reinterpret_cast<sockaddr*>(&actual), &length);
  Listener listener(std::move(*socket),
                    SocketAddress::from(reinterpret_cast<const sockaddr*>(&actual), length));
  if (is_file) {
    struct stat status {};
    if (::lstat(text.c_str(), &status) == 0) {
      listener.path_ = text;
      listener.device_ = status.st_dev;
      listener.inode_ = status.st_ino;
    }
  }
  if (::listen(listener.fd(), SOMAXCONN) != 0) {
    if (errno == EADDRINUSE) {
      return failed(ErrorCode::in_use, "the address is already in use; `ss -ltnp` shows by whom");
    }
    return failed(ErrorCode::system, "cannot listen", errno);
  }
  return listener;
}

Listener::~Listener() {
  if (!socket_.valid() || path_.empty()) return;
  struct stat status {};
  const bool is_ours =
      ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
  if (is_ours) (void)::unlink(path_.c_str());
}

Bound bind_all(const std::vector<const config::Service*>& services) {
  Bound result;
  for (std::size_t index = 0; index < services.size(); ++index) {
    const config::Service& service = *services[index];
    std::size_t bound_here = 0;
    std::vector<std::string> missing;  // families that this machine does not have
    for (const config::Accept& accept : service.accept) {
      if (accept.form == config::Accept::Form::stdio) continue;
      auto listener = Listener::open(service, accept);
      if (listener) {
        ++bound_here;
        result.listeners.push_back({index, std::move(*listener)});
        continue;
      }
      const std::string problem = "[" + service.name + "] cannot listen on " +
                                  accept.address.to_string() + ": " + listener.error().text;
      const bool is_missing_family =
          accept.optional && listener.error().code == ErrorCode::unavailable;
      (is_missing_family ? missing : result.problems).push_back(problem);
    }
    if (bound_here == 0) {
      result.problems.insert(result.problems.end(), missing.begin(), missing.end());
    }
  }
  return result;
}

}  // namespace tunnel::runtime
