// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"
#include "config/model.h"
#include "process/passed_sockets.h"
#include "runtime/socket_file.h"

namespace tunnel::runtime {

// One bound and listening socket. Owned by the Acceptor; removes its socket file when it goes.
class ListeningSocket {
 public:
  // Binds and listens. A stale socket file (nobody accepts there) is replaced, a live one is an
  // error. Nothing is left behind on failure.
  static Result<ListeningSocket> open(const config::Service& service, const config::Accept& accept);
  // One that the service manager passes, whose file is not ours.
  static ListeningSocket adopt(Fd socket);
  // One that an earlier process has left in the manager's keeping: an error when it is not, or not
  // any more, what `accept` wants.
  static Result<ListeningSocket> adopt(const process::PassedSockets::Socket& kept,
                                       const config::Service& service,
                                       const config::Accept& accept);
  ListeningSocket(ListeningSocket&& other) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept = delete;

  // For a service with other settings than that it was made for. Its socket_options stay. An error:
  // so does the mode of its file.
  Result<void> serve(const config::Service& service);

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] const SocketAddress& address() const { return address_; }  // with the real port
  [[nodiscard]] bool is_passed() const { return is_passed_; }
  // Its file stays when it is closed, or does not: that of one that was kept for us stays until it
  // is in use.
  void leave_file() {
    if (file_) file_->leave();
  }
  void own_file() {
    if (file_) file_->own();
  }

 private:
  ListeningSocket(Fd socket, SocketAddress address, std::optional<SocketFile> file)
      : socket_(std::move(socket)), address_(address), file_(std::move(file)) {}

  Fd socket_;
  SocketAddress address_;
  std::optional<SocketFile> file_;  // of a unix socket with a path
  bool is_passed_ = false;
  bool is_deferred_ = false;  // as the last service had it
};

// An address to listen at, as the configuration names it: port 0 where it wants any.
struct ListenPlace {
  std::string service;  // its name
  SocketAddress address;
};

// By which name the next process finds this listener in the service manager's keeping.
[[nodiscard]] std::string kept_name_of(const ListenPlace& place);

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
// What was passed to us or kept for us there, or else a socket of our own.
[[nodiscard]] Result<ListeningSocket> listen_at(const config::Service& service,
                                                const config::Accept& accept,
                                                process::PassedSockets* passed);

// Binds what `at_hand` does not serve already, unless it is among the sockets that were passed.
[[nodiscard]] Bound bind_all(const std::vector<const config::Service*>& services,
                             const std::vector<ListenPlace>& at_hand = {},
                             process::PassedSockets* passed = nullptr);

}  // namespace tunnel::runtime
