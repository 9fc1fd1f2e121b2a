// SPDX-License-Identifier: MIT
#include "keys/wrong_pins.h"

#include <doctest/doctest.h>

using tunnel::keys::WrongPins;

TEST_CASE("a wrong PIN is known for its token only, and other PINs are not") {
  WrongPins pins;
  CHECK_FALSE(pins.contains("pkcs11:token=a", "1234"));
  pins.add("pkcs11:token=a", "1234");
  CHECK(pins.contains("pkcs11:token=a", "1234"));
  CHECK_FALSE(pins.contains("pkcs11:token=b", "1234"));
  CHECK_FALSE(pins.contains("pkcs11:token=a", "4321"));
  CHECK_FALSE(pins.contains("pkcs11:token=a1", "234"));
}
