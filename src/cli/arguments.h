// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tunnel::cli {

// The words of the command line that are ours, after what has its own rules was taken out. A value.
struct Arguments {
  std::vector<std::string> words;
  // What follows `convert --`: another program's command line, options and all.
  std::vector<std::string> command_line;
  bool is_stunnel = false;  // the file was named by `-fd N`

  // As stunnel's users write it: words behind a file that ends in .conf are not for us, `-fd N`
  // reads the file from a descriptor, and -help and -version have one dash.
  [[nodiscard]] static Result<Arguments> sort(std::vector<std::string> words);
};

}  // namespace tunnel::cli
