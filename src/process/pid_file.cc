// SPDX-License-Identifier: MIT
#include "process/pid_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/file_place.h"
#include "base/text.h"
#include "process/proc_text.h"

namespace tunnel::process {
namespace {

// The number in the file, 0 when it holds none.
pid_t read_pid(int file) {
  char text[32];
  const ssize_t n = ::pread(file, text, sizeof text, 0);
  pid_t pid = 0;
  if (n > 0) (void)std::from_chars(text, text + n, pid);
  return pid > 0 ? pid : 0;
}

// Seconds since the epoch at which the process began; 0 when the system does not tell.
double start_time(pid_t pid) {
  double boot = 0;
  std::ifstream kernel("/proc/stat");
  for (std::string word; kernel >> word;) {
    if (word == "btime") kernel >> boot;
  }
  const std::string stat = proc_text("/proc/" + std::to_string(pid) + "/stat");
  // The second field is the program's name and may hold anything; field 22 counts from behind it.
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos || boot == 0) return 0;
  std::size_t at = name_end;
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  if (at == std::string::npos) return 0;
  std::uint64_t ticks = 0;
  (void)std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), ticks);
  return boot + static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

// Alive, and began before the file was written: otherwise the number has been given to another
// process since, and the file is stale all the same. Two seconds, because the boot time is rounded.
bool is_alive(pid_t pid, const struct stat& file) {
  if (::kill(pid, 0) != 0 && errno == ESRCH) return false;
  return start_time(pid) <= static_cast<double>(file.st_mtim.tv_sec) + 2;
}

tl::unexpected<Error> taken(const std::string& path, pid_t pid) {
  std::string text = "pid file " + printable(path) + " belongs to a running process";
  if (pid != 0) text += " (" + std::to_string(pid) + ")";
  return failed(ErrorCode::in_use, text + "; stop it first, or set another pid_file");
}

}  // namespace

Result<std::unique_ptr<PidFile>> PidFile::create(std::string_view path) {
  std::error_code ignored;
  std::string name = std::filesystem::absolute(path, ignored).string();
  if (ignored) name = path;

  for (;;) {
    // Root's own even where `user` is set: who could write it could have any process stopped.
    Result<Fd> opened = open_carefully({.path = name,
                                        .flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK,
                                        .mode = 0644,
                                        .is_ours = true});
    if (!opened) {
      return tl::unexpected(
          std::move(opened).error().in("cannot create pid file " + printable(name)));
    }
    Fd file = std::move(*opened);
    // flock(2) and not fcntl(2): the lock belongs to the open file, so that a descriptor which is
    // handed over takes it along, and closing another one of the file does not drop it.
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return taken(name, read_pid(file.get()));
      return failed(ErrorCode::system, "cannot lock pid file " + printable(name), errno);
    }
    // Its last owner may have removed the file between our open and our lock.
    struct stat here {};
    struct stat there {};
    (void)::fstat(file.get(), &here);
    if (::stat(name.c_str(), &there) != 0 || here.st_ino != there.st_ino ||
        here.st_dev != there.st_dev) {
      continue;
    }
    if (!S_ISREG(here.st_mode)) {
      return failed(ErrorCode::invalid, "pid file " + printable(name) + " is not a regular file");
    }
    const pid_t other = read_pid(file.get());
    const bool is_named = other != 0 && other != ::getpid() && is_alive(other, here);

    auto created = std::make_unique<PidFile>(std::move(name), std::move(file), ::getpid(),
                                             is_named ? other : 0);
    if (auto written = created->claim(); !written) return tl::unexpected(written.error());
    return created;
  }
}

std::unique_ptr<PidFile> PidFile::adopt(std::string_view path, Fd file) {
  if (!file.valid()) return nullptr;
  std::error_code ignored;
  const std::string name = std::filesystem::absolute(path, ignored).string();
  struct stat here {};
  struct stat there {};
  const bool is_same = ::fstat(file.get(), &here) == 0 && ::stat(name.c_str(), &there) == 0 &&
                       here.st_ino == there.st_ino && here.st_dev == there.st_dev;
  if (!is_same) return nullptr;
  return std::make_unique<PidFile>(name, std::move(file), ::getpid(), 0);
}

Result<void> PidFile::claim() {
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file_.get(), 0) != 0 ||
      ::pwrite(file_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return failed(ErrorCode::system, "cannot write pid file " + printable(path_), errno);
  }
  return {};
}

PidFile::PidFile(std::string path, Fd file, pid_t owner, pid_t replaced)
    : path_(std::move(path)), file_(std::move(file)), owner_(owner), replaced_(replaced) {}

PidFile::~PidFile() {
  // A child that was forked has a copy of this object.
  if (::getpid() != owner_) return;
  struct stat ours {};
  struct stat there {};
  const bool is_ours = ::fstat(file_.get(), &ours) == 0 && ::stat(path_.c_str(), &there) == 0 &&
                       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev &&
                       read_pid(file_.get()) == owner_;
  if (!is_ours) return;
  // After `user` the folder may not be ours to write in: then the file stays, empty, which is
  // stale.
  if (::unlink(path_.c_str()) != 0) (void)!::ftruncate(file_.get(), 0);
}

}  // namespace tunnel::process
