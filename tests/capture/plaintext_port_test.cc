// SPDX-License-Identifier: MIT
#include "capture/plaintext_port.h"

#include <doctest/doctest.h>

namespace tunnel::capture {

TEST_CASE("a dissector finds the plaintext under the port of its protocol") {
  config::Service service;
  CHECK(plaintext_port(service, 636) == 389);
  CHECK(plaintext_port(service, 3269) == 3268);
  CHECK(plaintext_port(service, 993) == 143);
  CHECK(plaintext_port(service, 443) == 80);
  CHECK(plaintext_port(service, 12'345) == 12'345);
  service.health.check = config::Check::redis;
  CHECK(plaintext_port(service, 12'345) == 6379);
  service.starttls = config::Starttls::pgsql;
  CHECK(plaintext_port(service, 12'345) == 5432);
  service.capture = config::Capture{};
  service.capture->port = 1389;
  CHECK(plaintext_port(service, 636) == 1389);
}

}  // namespace tunnel::capture
