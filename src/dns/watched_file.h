// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace tunnel::dns {

// Tells when a system file (resolv.conf, hosts) is another one than before, by stat(2), at most
// once a second. One thread, and not a worker's.
class WatchedFile {
 public:
  WatchedFile(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  // True at the first call, and when the file was replaced, changed, removed or created since.
  [[nodiscard]] bool has_changed();

 private:
  struct Stamp {
    bool exists = false;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  [[nodiscard]] Stamp stamp() const;

  std::string path_;
  const Clock& clock_;
  std::optional<Stamp> seen_;
  TimePoint looked_at_;
};

}  // namespace tunnel::dns
