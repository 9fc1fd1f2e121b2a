// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "preamble/ber.h"
#include "preamble/starttls.h"
#include "talking.h"

namespace tunnel::preamble::ldap_test {
namespace {

std::unique_ptr<Conversation> ldap() { return ldap_starttls({.who = "dc1:389"}); }

// An element with its length in `form`: 0 short, 1, 2, 3 or 4 bytes long.
std::string element(std::uint8_t tag, const std::string& value, int form = 0) {
  std::string bytes(1, static_cast<char>(tag));
  if (form == 0) {
    bytes += static_cast<char>(value.size());
  } else {
    bytes += static_cast<char>(0x80 + form);
    for (int i = form - 1; i >= 0; --i) bytes += static_cast<char>(value.size() >> (8 * i) & 0xff);
  }
  return bytes + value;
}

std::string answer(int code, const std::string& diagnostic = "", int form = 0, int id = 1,
                   const std::string& more = "") {
  const std::string result = element(0x0a, std::string(1, static_cast<char>(code)), form) +
                             element(0x04, "", form) + element(0x04, diagnostic, form) + more;
  return element(
      0x30,
      element(0x02, std::string(1, static_cast<char>(id)), form) + element(0x78, result, form),
      form);
}

}  // namespace

TEST_CASE("ldap: asks with the StartTLS operation and shows the client nothing") {
  const Course course = talk(ldap, {hex("30 0c 02 01 01 78 07 0a 01 00 04 00 04 00")});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == hex("30 1d 02 01 01 77 18 80 16") + "1.3.6.1.4.1.1466.20037");
  CHECK(course.greeting.empty());
  CHECK(course.to_client.empty());
}

TEST_CASE("ldap: every form of length is understood") {
  for (int form = 0; form <= 4; ++form) {
    CAPTURE(form);
    CHECK(talk(ldap, {answer(0, "", form)}).status == Status::done);
    // With the operation's name, a referral and controls behind the result.
    CHECK(talk(ldap, {answer(0, "fine", form, 1, element(0x8a, "1.3.6.1.4.1.1466.20037", form))})
              .status == Status::done);
  }
  // Active Directory's way.
  CHECK(talk(ldap, {hex("30 84 00 00 00 10 02 01 01 78 84 00 00 00 07 0a 01 00 04 00 04 00")})
            .status == Status::done);
}

TEST_CASE("ldap: refusals say the code, its name and the server's diagnostic message") {
  CHECK(talk(ldap, {answer(52, "TLS is not set up")}).failure.text ==
        "dc1:389 refused StartTLS: 52 unavailable (TLS is not set up)");
  CHECK(talk(ldap, {answer(2, "unsupported extended operation", 1)}).failure.text ==
        "dc1:389 refused StartTLS: 2 protocolError (unsupported extended operation)");
  CHECK(talk(ldap, {answer(10, "", 0, 1, element(0xa3, element(0x04, "ldap://dc2/")))})
            .failure.text == "dc1:389 refused StartTLS: 10 referral");
  CHECK(talk(ldap, {answer(99, "\x01")}).failure.text == "dc1:389 refused StartTLS: 99 (\\x01)");
  CHECK(talk(ldap, {answer(1)}).failure.kind == Kind::starttls_refused);
}

TEST_CASE("ldap: a notice of disconnection is the server hanging up, not the answer") {
  const Course course = talk(ldap, {answer(0, "shutting down", 0, 0)});
  CHECK(course.failure.text ==
        "dc1:389 hung up instead of answering StartTLS: 0 success (shutting down)");
}

TEST_CASE("ldap: an answer to something else is refused") {
  CHECK(contains(talk(ldap, {answer(0, "", 0, 2)}).failure.text, "answered another question"));
  // A bind response, with the right ID.
  CHECK(talk(ldap, {hex("30 0c 02 01 01 61 07 0a 01 00 04 00 04 00")}).status == Status::failed);
  // A search entry; an empty message; an ID that is none; a result without its code.
  for (const char* bytes :
       {"30 09 02 01 01 64 04 04 00 30 00", "30 00", "30 03 02 01 01", "30 02 02 00",
        "30 0a 02 08 01 01 01 01 01 01 01 01", "30 05 02 01 01 78 00",
        "30 08 02 01 01 78 03 02 01 00", "30 08 02 01 01 78 07 0a 01 00"}) {
    CAPTURE(bytes);
    CHECK(talk(ldap, {hex(bytes)}).status == Status::failed);
  }
}

TEST_CASE("ldap: what is no LDAP is refused at its first byte") {
  CHECK(contains(talk_once(ldap, {server(hex("15 03 03 00 02 02 46"))}).failure.text,
                 "remove starttls"));
  CHECK(contains(talk_once(ldap, {server("HTTP/1.1 400 Bad Request\r\n")}).failure.text,
                 "an HTTP server"));
  CHECK(talk(ldap, {"x"}).status == Status::failed);
}

TEST_CASE("ldap: indefinite, overlong and oversize lengths are refused at once") {
  CHECK(talk_once(ldap, {server(hex("30 80"))}).status == Status::failed);
  CHECK(talk_once(ldap, {server(hex("30 85"))}).status == Status::failed);
  const Course course = talk_once(ldap, {server(hex("30 84 7f ff ff ff"))});
  CHECK(course.status == Status::failed);
  CHECK(contains(course.failure.text, "64 KiB"));
}

TEST_CASE("ldap: plaintext behind the answer is refused") {
  const Course course = talk_once(ldap, {server(answer(0) + answer(0))});
  CHECK(contains(course.failure.text, "14 bytes in the clear"));
}

TEST_CASE("ber: numbers with leading zeros and negative ones") {
  // Message ID 1 in four bytes.
  CHECK(talk(ldap, {hex("30 0f 02 04 00 00 00 01 78 07 0a 01 00 04 00 04 00")}).status ==
        Status::done);
  const std::string negative = hex("02 01 01 78 0a 0a 04 ff ff ff ff 04 00 04 00");
  CHECK_FALSE(parse_ldap_result(as_bytes(negative)).has_value());
  const std::string high_tag = hex("1f 01 00");
  CHECK(read_ber(as_bytes(high_tag)).status == BerStatus::bad);
  CHECK(read_ber({}).status == BerStatus::more);
}

}  // namespace tunnel::preamble::ldap_test
