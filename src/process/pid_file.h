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
  // The process that a file belongs to holds a lock on it until its end: then it is in_use and
  // stays as it is. Any other one is stale, whatever number is in it: numbers are given again.
  static Result<std::unique_ptr<PidFile>> create(std::string_view path);

  // The file as an earlier process hands it over, open and locked: its number is in it until
  // claim(). Null when `path` is another file now.
  static std::unique_ptr<PidFile> adopt(std::string_view path, Fd file);
  // Makes the file this process's, from here on to its end.
  Result<void> claim();
  // For another process, which inherits the lock.
  [[nodiscard]] int fd() const { return file_.get(); }

  // The living process that a stale file named, 0 for none: probably any other one, but it may be
  // one of another program that takes the same file for its own.
  [[nodiscard]] pid_t replaced() const { return replaced_; }

  PidFile(std::string path, Fd file, pid_t owner, pid_t replaced);
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;
  ~PidFile();

 private:
  const std::string path_;  // absolute
  const Fd file_;
  const pid_t owner_;
  const pid_t replaced_;
};

}  // namespace tunnel::process
