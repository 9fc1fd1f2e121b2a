// SPDX-License-Identifier: MIT
#include "temp_folder.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace tunnel::test {

TempFolder::TempFolder() {
  path_ = (std::filesystem::temp_directory_path() / "tls-test-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) std::abort();
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempFolder::write(std::string_view name, std::string_view content) const {
  auto path = path_ + "/" + std::string(name);
  std::ofstream file(path, std::ios::binary);
  file << content;
  return path;
}

std::string TempFolder::read(std::string_view name) const {
  std::ifstream file(path_ + "/" + std::string(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace tunnel::test
