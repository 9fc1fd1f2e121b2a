// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

#include "base/address.h"
#include "base/fd.h"
#include "base/outcome.h"
#include "runtime/stdio_client.h"

namespace tunnel::runtime {

// The one connection of a process with accept = "stdio": the process ends with it, and exits as it
// ended. It is over when the connection has gone and everything the client was to get has been
// written. Supervisor's thread; owned by the Supervisor.
class StdioSession {
 public:
  explicit StdioSession(StdioClient& client) : client_(client) {}  // which must outlive this

  // `take` serves the client, or denies it (false). `on_done` is StdioClient::start's.
  using Take = std::function<bool(Fd socket, const SocketAddress& client)>;
  void start(const Take& take, std::function<void(std::string error)> on_done);
  void stop() { client_.stop(); }

  // Standard input and output are done with; an error: they could not go on.
  void on_done(const std::string& error);
  void on_connection_gone(const Outcome& outcome);

  [[nodiscard]] bool is_over() const { return is_done_ && !is_connected_; }
  [[nodiscard]] bool has_failed() const { return has_failed_; }
  // Why, for people. Empty: it has not, or the client knows.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  StdioClient& client_;
  bool is_done_ = false;       // standard input and output
  bool is_connected_ = false;  // how the connection ended is not known yet
  bool has_failed_ = false;
  std::string failure_;
};

}  // namespace tunnel::runtime
