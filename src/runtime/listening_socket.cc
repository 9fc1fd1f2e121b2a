// SPDX-License-Identifier: MIT
#include "runtime/listening_socket.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/socket.h"
#include "uv/socket_options.h"

namespace tunnel::runtime {
namespace {

Result<Fd> new_socket(int family) {
  Fd socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) {
    // A kernel without IPv6. "*:389" asks for both families, and one that is missing is no error.
    const ErrorCode code = errno == EAFNOSUPPORT ? ErrorCode::unavailable : ErrorCode::system;
    return failed(code, "cannot make a socket", errno);
  }
  return socket;
}

// The kernel rounds up to a number of SYN-ACKs, after which it has the connection accepted all the
// same.
constexpr int kDeferSeconds = 1;

// Also of a socket that was set otherwise before; no other than TCP's knows it.
void defer_accept(int socket, const config::Service& service) {
  const int seconds = service.defer_accept ? kDeferSeconds : 0;
  (void)::setsockopt(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
}

Result<void> set_options(int socket, const config::Service& service, int family) {
  // Before bind(2) and listen(2): accepted sockets inherit them, and tcp(7) wants the sizes of
  // buffers set before listen(2).
  if (family != AF_UNIX) defer_accept(socket, service);
  const auto refused = uv::set_socket_options(socket, family, service.socket_options.listen);
  if (refused.empty()) return {};
  return failed(ErrorCode::system, "socket_options.listen: " + refused.front());
}

Result<void> bind_tcp(int socket, const config::Service& service, const SocketAddress& address) {
  const int on = 1;
  // Old connections in TIME_WAIT must not keep a restart from its port. Linux still lets only one
  // socket listen there.
  (void)::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.family() == AF_INET6) {
    // Each family has a socket of its own; without this [::] would take IPv4's port as well, and
    // the other socket of "*:389" could not be bound.
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

Result<SocketFile> bind_unix(int socket, const config::Service& service,
                             const SocketAddress& address) {
  if (auto set = set_options(socket, service, AF_UNIX); !set) return tl::unexpected(set.error());
  return SocketFile::bind(socket, address,
                          {.path = address.to_string(),
                           .mode = service.unix_mode,
                           .owner = {service.unix_owner.uid, service.unix_owner.gid}});
}

}  // namespace

Result<ListeningSocket> ListeningSocket::open(const config::Service& service,
                                              const config::Accept& accept) {
  const SocketAddress& wanted = accept.address;
  auto socket = new_socket(wanted.family());
  if (!socket) return tl::make_unexpected(std::move(socket).error());
  std::optional<SocketFile> file;
  if (wanted.is_unix() && !wanted.to_string().starts_with('@')) {
    Result<SocketFile> made = bind_unix(socket->get(), service, wanted);
    if (!made) return tl::unexpected(std::move(made).error());
    file.emplace(std::move(*made));
  } else if (auto bound = bind_tcp(socket->get(), service, wanted); !bound) {
    return tl::unexpected(std::move(bound).error());
  }

  const SocketAddress actual = local_address(socket->get());
  ListeningSocket listener(std::move(*socket), actual, std::move(file));
  if (::listen(listener.fd(), SOMAXCONN) != 0) {
    // With SO_REUSEADDR two sockets may be bound to one address while neither listens: then it is
    // the second listen(2) that fails.
    if (errno == EADDRINUSE) {
      return failed(ErrorCode::in_use, "the address is already in use; `ss -ltnp` shows by whom");
    }
    return failed(ErrorCode::system, "cannot listen", errno);
  }
  return listener;
}

ListeningSocket ListeningSocket::adopt(Fd socket) {
  const SocketAddress address = local_address(socket.get());
  ListeningSocket listener(std::move(socket), address, std::nullopt);
  listener.is_passed_ = true;
  return listener;
}

Result<ListeningSocket> ListeningSocket::adopt(const process::PassedSockets::Socket& kept,
                                               const config::Service& service,
                                               const config::Accept& accept) {
  const SocketAddress& wanted = accept.address;
  // Any port was asked for, so the one that it had is as good as another, and its clients know it.
  const bool is_any_port = accept.form == config::Accept::Form::tcp && wanted.port() == 0;
  const bool is_there = is_any_port ? wanted.ip() == kept.address.ip() : wanted == kept.address;
  if (!is_there) return failed(ErrorCode::not_found, "it listens elsewhere");
  std::optional<SocketFile> file;
  if (wanted.is_unix() && !wanted.to_string().starts_with('@')) {
    Result<SocketFile> adopted =
        SocketFile::adopt({.path = wanted.to_string(),
                           .mode = service.unix_mode,
                           .owner = {service.unix_owner.uid, service.unix_owner.gid}});
    if (!adopted) return tl::unexpected(std::move(adopted).error());
    file.emplace(std::move(*adopted));
  }
  // A copy: when its options cannot be set, the kept one stays where it is.
  Fd copy(::fcntl(kept.fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return failed(ErrorCode::system, "cannot copy a descriptor", errno);
  if (auto set = set_options(copy.get(), service, wanted.family()); !set) {
    return tl::unexpected(std::move(set).error());
  }
  return ListeningSocket(std::move(copy), kept.address, std::move(file));
}

Result<void> ListeningSocket::serve(const config::Service& service) {
  if (file_) return file_->set_mode(service.unix_mode);
  if (!address_.is_ip()) return {};
  // One that was passed stays as it was set by who passed it, until we have set it.
  if (!is_passed_ || service.defer_accept || is_deferred_) defer_accept(fd(), service);
  is_deferred_ = service.defer_accept;
  return {};
}

std::string kept_name_of(const ListenPlace& place) {
  const std::string address = place.address.to_string();
  const bool is_any_port = place.address.is_ip() && place.address.port() == 0;
  // Of port 0 there may be many, and one service must not be given what another's clients know. Any
  // other address is the same socket whichever service has it now.
  return process::kept_name(is_any_port ? place.service + " " + address : address);
}

std::vector<ListenPlace> places_of(const std::vector<const config::Service*>& services) {
  std::vector<ListenPlace> places;
  for (const config::Service* service : services) {
    for (const config::Accept& accept : service->accept) {
      if (accept.form == config::Accept::Form::stdio) continue;
      places.push_back({service->name, accept.address});
    }
  }
  return places;
}

// Port 0 is the one address that several places may have, so a service's own come first.
std::vector<std::optional<std::size_t>> reuse(const std::vector<ListenPlace>& wanted,
                                              const std::vector<ListenPlace>& at_hand) {
  std::unordered_multimap<std::string, std::size_t> left;
  for (std::size_t index = 0; index < at_hand.size(); ++index) {
    left.emplace(at_hand[index].address.to_string(), index);
  }
  std::vector<std::optional<std::size_t>> result(wanted.size());
  const auto serve = [&](std::size_t which, bool is_any_service) {
    const auto [begin, end] = left.equal_range(wanted[which].address.to_string());
    const auto found = std::find_if(begin, end, [&](const auto& each) {
      return is_any_service || at_hand[each.second].service == wanted[which].service;
    });
    if (found == end) return;
    result[which] = found->second;
    left.erase(found);
  };
  for (std::size_t which = 0; which < wanted.size(); ++which) serve(which, false);
  for (std::size_t which = 0; which < wanted.size(); ++which) {
    if (!result[which]) serve(which, true);
  }
  return result;
}

namespace {

// The place of this very process that keeps an address from being bound: "*:389" cannot be while
// "127.0.0.1:389" is.
const ListenPlace* in_the_way(const SocketAddress& address,
                              const std::vector<ListenPlace>& at_hand) {
  const auto found = std::find_if(at_hand.begin(), at_hand.end(), [&](const ListenPlace& place) {
    return !address.is_unix() && place.address.family() == address.family() &&
           place.address.port() == address.port() && address.port() != 0;
  });
  return found == at_hand.end() ? nullptr : &*found;
}

std::string shared_port(const ListenPlace& own) {
  return "this process listens on " + own.address.to_string() + " for [" + own.service +
         "], and one of them would include the other; leave that address out in a reload before "
         "this one, or restart";
}

}  // namespace

Result<ListeningSocket> listen_at(const config::Service& service, const config::Accept& accept,
                                  process::PassedSockets* passed) {
  if (accept.form == config::Accept::Form::passed) {
    Fd copy = passed != nullptr ? passed->copy(accept.passed_name(), accept.address) : Fd();
    if (!copy.valid()) {
      return failed(ErrorCode::not_found, "the service manager passed no such socket");
    }
    ListeningSocket listener = ListeningSocket::adopt(std::move(copy));
    (void)listener.serve(service);  // it has no file
    return listener;
  }
  const std::string name = kept_name_of({service.name, accept.address});
  const auto* kept = passed != nullptr ? passed->find_kept(name) : nullptr;
  if (kept != nullptr) {
    // When it does not fit any more, a socket of our own may. When that fails, its error says more
    // to people than the first.
    auto adopted = ListeningSocket::adopt(*kept, service, accept);
    if (adopted) {
      (void)passed->take_kept(name);
      return adopted;
    }
  }
  return ListeningSocket::open(service, accept);
}

// Goes on after a problem, for all of them are reported at once. `next` runs along `reused`, which
// has one entry for each place in the order of places_of(): the loops leave out the same ones. A
// family that the machine does not have is a problem only when nothing of its service could be
// bound.
Bound bind_all(const std::vector<const config::Service*>& services,
               const std::vector<ListenPlace>& at_hand, process::PassedSockets* passed) {
  Bound result;
  const auto reused = reuse(places_of(services), at_hand);
  auto next = reused.begin();
  for (const config::Service* each : services) {
    const config::Service& service = *each;
    std::size_t bound_here = 0;
    std::vector<std::string> missing;  // families that this machine does not have
    for (const config::Accept& accept : service.accept) {
      if (accept.form == config::Accept::Form::stdio) continue;
      if (*next++) {
        ++bound_here;
        continue;
      }
      auto listener = listen_at(service, accept, passed);
      if (listener) {
        ++bound_here;
        result.listeners.push_back({{service.name, accept.address}, std::move(*listener)});
        continue;
      }
      const bool is_in_use = listener.error().code == ErrorCode::in_use;
      const ListenPlace* own = is_in_use ? in_the_way(accept.address, at_hand) : nullptr;
      const std::string problem = "[" + service.name + "] cannot listen on " +
                                  accept.address.to_string() + ": " +
                                  (own != nullptr ? shared_port(*own) : listener.error().text);
      if (listener.error().code == ErrorCode::permission && !accept.address.is_unix()) {
        result.not_permitted.push_back({service.name, accept.address});
      }
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
