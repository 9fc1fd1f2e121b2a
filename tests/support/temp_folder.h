// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace tunnel::test {

// A folder of the test's own, removed with everything in it.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  // Writes a file and gives its path.
  std::string write(std::string_view name, std::string_view content) const;
  [[nodiscard]] std::string read(std::string_view name) const;

 private:
  std::string path_;
};

}  // namespace tunnel::test
