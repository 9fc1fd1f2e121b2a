// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/fd.h"
#include "log/log.h"
#include "log/rate_limit.h"
#include "runtime/listening_socket.h"
#include "tunnel/closed_connections.h"
#include "tunnel/service_life.h"
#include "uv/fd_watch.h"
#include "uv/loop.h"
#include "uv/timer.h"

namespace tunnel::runtime {

// One accepted client on its way to a worker, with the service as it is when the client comes.
struct Accepted {
  ServiceHandle service;
  Fd socket;
  SocketAddress client;
  std::uint64_t id = 0;
};

// Accepts for all services on the supervisor's loop: access lists, limits and descriptors running
// out live here, in one place. A service at its limit is simply not accepted from: its clients wait
// in the kernel's backlog. Owned by the Supervisor.
class Acceptor {
 public:
  // At most this many at once before other events of the loop get their turn.
  static constexpr int kBatch = 64;

  struct Settings {
    uv::Loop& loop;
    log::Log& log;
    std::atomic<std::size_t>& connections;  // of the process; workers count down
    // Set while a limit keeps clients waiting: workers say then when a connection goes.
    std::atomic<bool>& is_gone_wanted;
    std::size_t max_connections = 0;  // what the descriptors allow
    std::function<void(Accepted)> on_accepted{};
    std::function<void()> on_listeners_changed = [] {};  // not by stop()
  };
  explicit Acceptor(Settings settings);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // From now on accepts for these services, at the addresses that they name: those that it listens
  // at already stay as they are, whosesoever they were, and the others are in `bound`. Listeners
  // that no service names any more are closed as stop() closes them.
  void serve(const std::vector<ServiceHandle>& services, std::vector<Bound::Entry> bound);
  // Where it listens.
  [[nodiscard]] std::vector<ListenPlace> places() const;
  // Takes the clients that are connected already, then closes the listeners and removes their
  // socket files; or leaves them, where another process has the sockets, too, and goes on.
  enum class SocketFiles { remove, leave };
  void stop(SocketFiles files = SocketFiles::remove);
  // The listeners as they are.
  struct Listening {
    ListenPlace place;
    int fd;
    bool is_passed;
  };
  [[nodiscard]] std::vector<Listening> listening() const;
  // Of one service, for people.
  struct Listens {
    std::vector<std::string> addresses{};  // with real ports
    // Whether its clients wait in the backlog, for a limit or for want of descriptors.
    bool keeps_waiting = false;
  };
  [[nodiscard]] std::unordered_map<ServiceId, Listens> listens() const;
  // Takes the clients of this service that are connected already, and closes its listeners.
  void drain(ServiceId service);
  // A client that did not come through a listener: a program, or standard input.
  // False: denied, as `allow` says; it is reset and logged.
  [[nodiscard]] bool take(const ServiceHandle& service, Fd socket, const SocketAddress& client);
  // The last clients that `allow` denied.
  [[nodiscard]] const ClosedConnections& closed() const { return closed_; }
  // A connection has gone: accept again where a limit allows it now.
  void reconsider();

 private:
  struct Entry {
    ServiceHandle service;
    ListenPlace place;
    ListeningSocket listener;
    std::unique_ptr<uv::FdWatch> watch{};
    bool is_watched = false;
  };

  [[nodiscard]] std::unique_ptr<Entry> open(const ServiceHandle& service, Bound::Entry bound);
  void accept_rest(Entry& entry);
  void on_readable(Entry& entry);
  [[nodiscard]] bool accept_one(Entry& entry);
  void deny(const ServiceHandle& service, Fd socket, const SocketAddress& client, std::uint64_t id);
  void reset_denied();
  void pause_all(int error_number);
  void resume();
  void update_watches();
  [[nodiscard]] bool may_accept(const ServiceHandle& service) const;
  [[nodiscard]] std::size_t most_connections() const;
  void tell_shortage(std::string_view what);

  const Settings settings_;
  uv::Loop& loop_;
  log::Log& log_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::uint64_t next_id_ = 1;
  ClosedConnections closed_;
  std::size_t preconnected_ = 0;  // that the services want, all together
  // Out of descriptors: no accepting at all until the timer expires.
  bool is_paused_ = false;
  log::RateLimit shortage_;
  Millis pause_{5};
  uv::Timer pause_timer_;
  // Clients that are not allowed, until they may be reset; the oldest first.
  struct Denied {
    TimePoint until;
    Fd socket;
  };
  std::deque<Denied> denied_;
  uv::Timer denied_timer_;
};

}  // namespace tunnel::runtime
