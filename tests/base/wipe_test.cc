// SPDX-License-Identifier: MIT
#include "base/wipe.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tunnel {

TEST_CASE("a secret that is wiped is all zeros, and as long as before") {
  std::string password = "correct horse";
  wipe(password);
  CHECK(password == std::string(13, '\0'));
  std::array<std::uint32_t, 3> key = {1, 2, 0xffffffff};
  wipe(key);
  CHECK(key == std::array<std::uint32_t, 3>{});
  std::vector<unsigned char> nothing;
  wipe(nothing);
  CHECK(nothing.empty());
}

}  // namespace tunnel
