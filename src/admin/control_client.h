// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "admin/protocol.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace tunnel::admin {

// The other end of the control socket, for the commands. Blocking; one thread.
class ControlClient {
 public:
  // An error says that no instance runs, or why it cannot be reached.
  // Waits so long, at most, for an instance that stands still.
  static constexpr Millis kPatience{10'000};
  static Result<ControlClient> connect(const std::string& socket, Millis patience = kPatience);

  // Sends one request (the version is added) and waits for its answer, at most so long. An answer
  // with "ok": false is an answer.
  [[nodiscard]] Result<Json> ask(Json request, Millis patience);
  // What comes after the answer's line, for an answer without end. Bytes that have come with the
  // line are in `rest`.
  [[nodiscard]] Fd take_socket(std::string& rest);

 private:
  explicit ControlClient(Fd socket) : socket_(std::move(socket)) {}
  [[nodiscard]] Result<std::string> read_line(Millis patience);

  Fd socket_;
  std::string received_;
};

}  // namespace tunnel::admin
