// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "admin/operator.h"
#include "base/fd.h"
#include "uv/fd_watch.h"
#include "uv/loop.h"
#include "uv/stream.h"
#include "uv/timer.h"

namespace tunnel::admin {

// Serves the control socket: takes clients, looks who they are, cuts what they send into lines, and
// writes the answers. Its clients are few, and none of them can hold it up: what one sends is
// bounded, and one that neither asks nor reads is dropped. Loop-bound (the supervisor's loop);
// owned by the Supervisor.
class ControlServer {
 public:
  static constexpr std::size_t kMostClients = 8;
  // How long a client may take for its next request, and to fetch an answer.
  static constexpr Millis kPatience{30'000};

  // The way back to the client that asked. One of the two, once; on the loop's thread, while the
  // server lives.
  struct Asker {
    Operator by;
    // One line, with its newline. Does nothing when the client has gone.
    std::function<void(const std::string& line)> answer;
    // The connection itself, non-blocking, for an answer without end: the server forgets the
    // client. Not valid when it has gone.
    std::function<Fd()> take_over;
  };
  struct Owner {
    // One line, without its newline.
    std::function<void(Asker asker, std::string_view line)> on_request;
    // Somebody whom the kernel names, and who is not allowed.
    std::function<void(const Operator& by)> on_refused;
  };

  // `listening` stays the caller's and must outlive this. Allowed are root and `own_uid`.
  ControlServer(uv::Loop& loop, int listening, uid_t own_uid, Owner owner);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // New clients are another process's; those that are here get their answers.
  void take_no_more();

 private:
  class Client;

  void on_readable();
  [[nodiscard]] bool accept_one();
  void update_watch();
  [[nodiscard]] Client* find(std::uint64_t id) const;
  [[nodiscard]] Asker asker_of(const Client& client);
  void remove(const Client& client);

  uv::Loop& loop_;
  const int listening_;
  const uid_t own_uid_;
  const Owner owner_;
  uv::FdWatch watch_;
  // Accepting has failed for want of descriptors: tried again then.
  uv::Timer retry_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint64_t last_id_ = 0;
  bool takes_clients_ = true;
};

}  // namespace tunnel::admin
