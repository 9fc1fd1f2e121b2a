// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace tunnel::admin {

// The process at the other end of a control connection, as the kernel names it. A value.
struct Operator {
  uid_t uid = 0;
  pid_t pid = 0;
};

// How an operator's order went. A value.
struct Verdict {
  // A stable word for programs when it was not carried out: "no_such_service", "no_such_target",
  // "no_such_connection", "refused", "failed", "timed_out"; empty when it was.
  std::string kind;
  std::vector<std::string> lines;  // for people: what was done, or why not

  [[nodiscard]] bool is_done() const { return kind.empty(); }
  static Verdict done(std::vector<std::string> lines) { return {"", std::move(lines)}; }
  static Verdict refused(std::string kind, std::string text) {
    return {std::move(kind), {std::move(text)}};
  }
};

}  // namespace tunnel::admin
