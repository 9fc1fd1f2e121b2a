// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

namespace tunnel::dns::testing {

// A file of its own, removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) {
    const char* folder = std::getenv("TMPDIR");
    path_ = std::string(folder != nullptr ? folder : "/tmp") + "/tunnel-test-XXXXXX";
    const int fd = ::mkstemp(path_.data());
    if (fd < 0) std::abort();
    (void)::close(fd);
    replace(content);
  }
  ~TemporaryFile() { remove(); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  // As an editor does it: a new file takes the name.
  void replace(std::string_view content) {
    const std::string fresh = path_ + ".new";
    std::ofstream(fresh) << content;
    if (std::rename(fresh.c_str(), path_.c_str()) != 0) std::abort();
  }
  void remove() { (void)::unlink(path_.c_str()); }

 private:
  std::string path_;
};

}  // namespace tunnel::dns::testing
