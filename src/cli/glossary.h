// SPDX-License-Identifier: MIT
// The words of the log, the signals and the exit status, for `tunnel explain`: what each means and
// what to do. Constant data, any thread.
#pragma once

#include <span>
#include <string_view>

namespace tunnel::cli {

struct Term {
  std::string_view word;
  std::string_view meaning;  // whole sentences
};

// Words of one sort, and the name that lists them: `tunnel explain kinds`.
struct Chapter {
  std::string_view name;
  std::string_view one;    // "a kind of end, `kind` in the log"
  std::string_view title;  // of the list
  std::span<const Term> terms;
};

[[nodiscard]] std::span<const Chapter> glossary();

}  // namespace tunnel::cli
