// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "fixture.h"

using namespace tunnel;
using namespace tunnel::tls;
using namespace tunnel::tls::test;

namespace {

constexpr const char* kTls12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
constexpr const char* kTls13 = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

}  // namespace

TEST_CASE("a handshake with a trusted server succeeds and says what was agreed on") {
  Fixture f;
  f.connect();
  REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
  CHECK(f.server().is_established());
  const auto agreed = f.client().session().negotiated();
  CHECK(agreed.version == "TLS1.3");
  CHECK(agreed.cipher == "TLS_AES_128_GCM_SHA256");
  CHECK(agreed.group == "X25519");
  CHECK_FALSE(agreed.resumed);
  CHECK_FALSE(f.client().session().has_received_data());
}

TEST_CASE("a handshake succeeds however the bytes are cut") {
  for (const char* priority : {kTls12, kTls13}) {
    CAPTURE(priority);
    Fixture f;
    f.options.priority = priority;
    SUBCASE("one byte at a time") { f.connect(byte_by_byte()); }
    SUBCASE("in random pieces") {
      for (unsigned seed = 0; seed < 10; ++seed) f.connect(random_pieces(seed, 300));
    }
    REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
    f.client().send("question");
    f.server().send("answer");
    f.exchange();
    CHECK(f.server().received() == "question");
    CHECK(f.client().received() == "answer");
  }
}
