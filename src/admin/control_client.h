// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include "admin/protocol.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace tunnel::admin {

// The other end of the control socket, for the commands. Blocking; one thread.
class ControlClient {
 public:
  // For an instance that stands still.
  static constexpr Millis kPatience{10'000};
  // An error says that no instance runs, or why it cannot be reached. Waits so long, at most, here
  // and until a request is taken.
  static Result<ControlClient> connect(const std::string& socket, Millis patience = kPatience);

  // Sends one request (the version is added) and waits for its answer, at most so long. An answer
  // with "ok": false is an answer.
  [[nodiscard]] Result<Json> ask(Json request, Millis patience);
  // What comes after the answer's line, for an answer without end. Bytes that have come with the
  // line are in `rest`.
  [[nodiscard]] Fd take_socket(std::string& rest);

 private:
  ControlClient(Fd socket, std::string where)
      : socket_(std::move(socket)), where_(std::move(where)) {}
  [[nodiscard]] Result<std::string> read_line(Millis patience);

  Fd socket_;
  std::string where_;  // for messages
  std::string received_;
};

}  // namespace tunnel::admin
