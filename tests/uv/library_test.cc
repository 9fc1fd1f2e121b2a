// SPDX-License-Identifier: MIT
#include "uv/library.h"

#include <doctest/doctest.h>
#include <uv.h>

namespace tunnel::uv {

// Under AddressSanitizer also: without a leak.
TEST_CASE("an error is told in words, also one that libuv does not know") {
  CHECK(error_text(UV_ECONNREFUSED) == "connection refused");
  CHECK(error_text(-99999) == "Unknown system error -99999");
}

}  // namespace tunnel::uv
