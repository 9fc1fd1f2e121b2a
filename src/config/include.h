// SPDX-License-Identifier: MIT
// Which files `include` means. Reads folders, not the files.
#pragma once

#include <string>
#include <vector>

#include "config/reader.h"

namespace tunnel::config {

struct IncludedFile {
  std::string path;
  Position from;  // the pattern that found it
};

// In the order of the patterns, and of the names within one; each file once, and never the main
// file itself. Reports patterns that are wrong, and names that do not exist.
[[nodiscard]] std::vector<IncludedFile> find_included(Reader& reader, const Value& include,
                                                      const std::string& main);

}  // namespace tunnel::config
