// SPDX-License-Identifier: MIT
#include "dns/watched_file.h"

#include <sys/stat.h>

namespace tunnel::dns {

namespace {

constexpr Millis kInterval = std::chrono::seconds(1);

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

bool WatchedFile::has_changed() {
  const TimePoint now = clock_.now();
  if (seen_ && now - looked_at_ < kInterval) return false;
  looked_at_ = now;
  const Stamp found = stamp();
  if (seen_ == found) return false;
  seen_ = found;
  return true;
}

WatchedFile::Stamp WatchedFile::stamp() const {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) return {};
  // Not the time of modification alone: cp -p and rsync put an old one on new content, and a rename
  // brings another inode. The time of change cannot be set.
  return {.exists = true,
          .device = status.st_dev,
          .inode = status.st_ino,
          .size = status.st_size,
          .modified_ns = nanoseconds(status.st_mtim),
          .changed_ns = nanoseconds(status.st_ctim)};
}

}  // namespace tunnel::dns
