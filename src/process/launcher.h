// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "process/identity.h"
#include "process/passed_sockets.h"
#include "process/program.h"

namespace tunnel::process {

// A process beside this one that starts the program anew when this one has given that up: a sandbox
// would be inherited. What it starts was decided when it was made, before there were keys in
// memory; all that it takes later are descriptors. It ends with this process. Owned by run(); one
// thread.
class Launcher {
 public:
  struct Ended {
    int status = 0;
    int signal = 0;        // that killed it, or 0
    bool is_lost = false;  // this process beside us has ended, and took it along
  };
  // Forks: call while there is one thread. What is started runs as `identity`.
  [[nodiscard]] static Result<std::unique_ptr<Launcher>> start(const Program& program,
                                                               const Identity& identity);
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  // The process that has been started. It gets this one's standard input and output, and what is
  // handed to it as handed_environment() says. Waits for its execve, for ten seconds at most.
  [[nodiscard]] Result<pid_t> launch(const std::vector<Handed>& handed, int standard_error);
  // Kills what was started last.
  void kill();
  // The same, and it has ended on return, unless that takes ten seconds.
  void kill_and_wait();
  // Readable when that may have ended; nothing: it has not.
  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] std::optional<Ended> ended();

 private:
  Launcher(Fd socket, const Program& program)
      : socket_(std::move(socket)), path_(program.path), folder_(program.folder) {}

  const Fd socket_;
  const std::string path_, folder_;  // for people
  pid_t pid_ = 0;                    // of the last
  int round_ = 0;                    // how often something was launched
};

}  // namespace tunnel::process
