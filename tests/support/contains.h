// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <string>
#include <utility>

namespace tunnel::test {

// `text == Contains("part")`, which shows both when it fails.
struct Contains {
  explicit Contains(std::string its_part) : part(std::move(its_part)) {}
  std::string part;
  friend bool operator==(const std::string& text, const Contains& expected) {
    return text.find(expected.part) != std::string::npos;
  }
  friend std::ostream& operator<<(std::ostream& out, const Contains& expected) {
    return out << "... " << expected.part << " ...";
  }
};

}  // namespace tunnel::test
