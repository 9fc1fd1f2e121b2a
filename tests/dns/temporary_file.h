// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "support/temp_folder.h"

namespace tunnel::dns::testing {

// A file that is replaced and removed while it is in use.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) { replace(content); }

  [[nodiscard]] const std::string& path() const { return path_; }
  // As an editor does it: a new file takes the name.
  void replace(std::string_view content) {
    const std::string fresh = folder_.write("new", content);
    if (std::rename(fresh.c_str(), path_.c_str()) != 0) std::abort();
  }
  void remove() { (void)::unlink(path_.c_str()); }

 private:
  const test::TempFolder folder_;
  const std::string path_ = folder_ / "file";
};

}  // namespace tunnel::dns::testing
