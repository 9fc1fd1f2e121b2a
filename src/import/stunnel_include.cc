// SPDX-License-Identifier: MIT
#include "import/stunnel_include.h"

#include <algorithm>
#include <filesystem>

namespace tunnel::import {

Result<std::vector<std::string>> files_of_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return failed(ErrorCode::invalid,
                  error ? "the folder " + folder + " cannot be read" : folder + " is not a folder",
                  error.value());
  }
  // With error codes throughout: the overloads without them throw, which would end the program.
  std::vector<std::string> files;
  fs::directory_iterator each(folder, error);
  while (!error && each != fs::directory_iterator()) {
    std::error_code broken;  // a link to nowhere is no file
    if (each->is_regular_file(broken)) files.push_back(each->path().string());
    each.increment(error);
  }
  if (error) {
    return failed(ErrorCode::system, "the folder " + folder + " cannot be read", error.value());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool looks_forgotten(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  constexpr std::string_view kEndings[] = {"~", ".bak", ".old", ".orig", ".rej", ".swp"};
  return name.starts_with('.') || name.find(".dpkg-") != std::string_view::npos ||
         std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

}  // namespace tunnel::import
