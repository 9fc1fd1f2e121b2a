// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"
#include "config/model.h"
#include "runtime/socket_file.h"

namespace tunnel::runtime {

// One bound and listening socket. Owned by the Acceptor; removes its socket file when it goes.
class ListeningSocket {
 public:
  // Binds and listens. A stale socket file (nobody accepts there) is replaced, a live one is an
  // error. Nothing is left behind on failure.
  static Result<ListeningSocket> open(const config::Service& service, const config::Accept& accept);
  ListeningSocket(ListeningSocket&& other) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept = delete;

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] const SocketAddress& address() const { return address_; }  // with the real port

 private:
  ListeningSocket(Fd socket, SocketAddress address, std::optional<SocketFile> file)
      : socket_(std::move(socket)), address_(address), file_(std::move(file)) {}

  Fd socket_;
  SocketAddress address_;
  std::optional<SocketFile> file_;  // of a unix socket with a path
};

// An address to listen at, as the configuration names it: port 0 where it wants any.
struct ListenPlace {
  std::string service;  // its name
  SocketAddress address;
};

// Where these services listen.
[[nodiscard]] std::vector<ListenPlace> places_of(
    const std::vector<const config::Service*>& services);

// For each place that is wanted, which of those at hand serves it, by its index, or nothing: one
// that the same service has, or else any of the same address. None serves two.
[[nodiscard]] std::vector<std::optional<std::size_t>> reuse(
    const std::vector<ListenPlace>& wanted, const std::vector<ListenPlace>& at_hand);

// The listeners of all services, or every problem at once.
struct Bound {
  struct Entry {
    ListenPlace place;       // as it was asked for
    ListeningSocket socket;  // as it is
  };
  std::vector<Entry> listeners;
  std::vector<std::string> problems;  // sentences that name service and address
  // Of the problems, those that take a right to ports below 1024.
  std::vector<ListenPlace> not_permitted;
};
// Binds what `at_hand` does not serve already.
[[nodiscard]] Bound bind_all(const std::vector<const config::Service*>& services,
                             const std::vector<ListenPlace>& at_hand = {});

}  // namespace tunnel::runtime
