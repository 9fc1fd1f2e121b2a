// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "uv/loop.h"

namespace tunnel::uv {

// One program that we run, from its start to its end, which is always waited for while the Process
// lives. It begins with default signal actions, no signal blocked, our environment and standard
// error unless told otherwise, and no other descriptor of ours. Destroying the Process leaves the
// program alone. Supervisor's loop only.
class Process {
 public:
  struct Command {
    std::string path;
    std::string name;  // argument 0
    std::vector<std::string> arguments;
    // Empty: as ours.
    std::vector<std::string> environment{};
    std::string folder{};
  };
  struct Ended {
    int status = 0;
    int signal = 0;  // that killed it, or 0
  };
  // `stdio` becomes its standard input and output. `on_ended` runs once, never before this
  // returned; it may destroy the Process.
  static Result<std::unique_ptr<Process>> start(Loop& loop, const Command& command, Fd stdio,
                                                std::function<void(Ended)> on_ended);
  // The same with other descriptors: they are its 0, 1, 2 and so on, and stay the caller's.
  static Result<std::unique_ptr<Process>> start(Loop& loop, const Command& command,
                                                const std::vector<int>& descriptors,
                                                std::function<void(Ended)> on_ended);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void kill(int signal_number);
  [[nodiscard]] int pid() const;
  struct Block;

 private:
  struct Closer {
    void operator()(Block* block) const;
  };
  explicit Process(std::unique_ptr<Block, Closer> block);
  std::unique_ptr<Block, Closer> block_;
};

}  // namespace tunnel::uv
