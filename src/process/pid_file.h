// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace tunnel::process {

// The file that says which process the service is. Write it after the listeners are bound, so that
// whoever finds it may connect. Owned by the supervisor; one thread. Removed at the end, unless
// somebody else has put another one in its place (or this is a forked child).
class PidFile {
 public:
  // A file that names a live process is in_use and stays as it is; a stale one is replaced. Two
  // starts at once are told apart by a lock on the file, which is held until the end.
  static Result<std::unique_ptr<PidFile>> create(std::string_view path);

  PidFile(std::string path, Fd file, pid_t owner);
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;
  ~PidFile();

 private:
  const std::string path_;  // absolute
  const Fd file_;
  const pid_t owner_;
};

}  // namespace tunnel::process
