// SPDX-License-Identifier: MIT
#include "preamble/mysql.h"

#include <doctest/doctest.h>

#include "preamble/starttls.h"
#include "talking.h"

namespace tunnel::preamble::mysql_test {
namespace {

std::unique_ptr<Conversation> mysql() {
  return mysql_starttls({.who = "db:3306"}, Purpose::client);
}
std::unique_ptr<Conversation> mysql_for_check() {
  return mysql_starttls({.who = "db:3306"}, Purpose::check);
}

// Protocol 10, version "8.0", with the SSL bit in the lower capabilities or not.
std::string greeting(bool offers_tls) {
  std::string payload = "\x0a";
  payload += std::string("8.0\0", 4) + hex("07 00 00 00") + "scramble" + std::string(1, '\0');
  payload += offers_tls ? hex("ff ff") : hex("ff f7");  // lower capabilities
  payload += hex("2d 02 00 ff df 15") + std::string(10, '\0') + std::string("scramble-two\0", 13) +
             std::string("caching_sha2_password\0", 22);
  return mysql_packet(0, payload);
}

std::string response41(std::uint32_t flags) {
  std::string payload;
  for (int i = 0; i < 4; ++i) payload += static_cast<char>(flags >> (8 * i) & 0xff);
  payload += hex("00 00 00 01 2d") + std::string(19, '\0') + hex("0a 0b 0c 0d");
  payload += std::string("user\0", 5) + hex("03") + "pw!" + std::string("db\0", 3);
  return payload;
}

constexpr std::uint32_t kFlags = 0x1d0fa285 & ~kClientSsl;
const std::string kOkPacket = hex("00 00 00 02 00 00 00");

Make filter(std::string behind = "") {
  return [behind] { return mysql_filter(mysql_packet(2, "login"), behind); };
}

}  // namespace

TEST_CASE("mysql: the client sees the greeting without its SSL bit, and answers for us") {
  const Course course =
      talk_both(mysql, {server(greeting(true)), client(mysql_packet(1, response41(kFlags)))});
  CHECK(course.status == Status::done);
  CHECK(course.to_client == greeting(false));
  // SSLRequest: the first 32 bytes of the client's answer, with the SSL flag; MariaDB's extended
  // capabilities (the last four) included.
  const std::string request = mysql_packet(1, response41(kFlags | kClientSsl).substr(0, 32));
  CHECK(course.to_server == request);
  CHECK(course.greeting.empty());
}

TEST_CASE("mysql: the client's own answer follows inside TLS, one number later") {
  auto conversation = mysql();
  (void)conversation->on_start();
  CHECK_FALSE(conversation->wants_client());
  CHECK_FALSE(conversation->is_client_committed());
  (void)conversation->on_server(as_bytes(greeting(true)));
  CHECK(conversation->wants_client());
  CHECK(conversation->is_client_committed());  // from here on there is no other target
  const Step step = conversation->on_client(as_bytes(mysql_packet(1, response41(kFlags)) + "next"));
  CHECK(step.status == Status::done);
  CHECK_FALSE(conversation->wants_client());
  auto relay = conversation->take_filter();
  REQUIRE(relay);
  // "next" is taken for the beginning of the client's next packet: "n" is its length.
  CHECK(relay->on_start().to_server ==
        mysql_packet(2, response41(kFlags | kClientSsl)) + "nex" + static_cast<char>('t' + 1));
}

TEST_CASE("mysql: a client of the old protocol is upgraded with its short SSLRequest") {
  const std::string old = hex("84 20 00 00 01") + std::string("user\0", 5);
  const Course course = talk_both(mysql, {server(greeting(true)), client(mysql_packet(1, old))});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == mysql_packet(1, hex("84 28 00 00 01")));
}

TEST_CASE(
    "mysql: a server that does not offer TLS, or refuses, is left before the client sees it") {
  const Course plain = talk(mysql, {greeting(false)});
  CHECK(plain.failure.text == "db:3306 does not offer TLS in its greeting");
  CHECK(plain.to_client.empty());
  const Course blocked = talk(mysql, {mysql_packet(0, hex("ff 69 04") + "Host 'x' is blocked\n")});
  CHECK(blocked.failure.text == "db:3306 greeted us with a refusal: 1129 Host 'x' is blocked\\x0a");
  CHECK(blocked.to_client.empty());
  const Course full = talk(mysql, {mysql_error_packet(0, 1040, "08004", "Too many connections")});
  CHECK(full.failure.text ==
        "db:3306 greeted us with a refusal: 1040 (08004) Too many connections");
}

TEST_CASE("mysql: what is no greeting is refused") {
  CHECK(talk_once(mysql, {server("220 mail\r\n")}).status == Status::failed);
  CHECK(talk_once(mysql, {server(hex("15 03 01 00 02 02 46"))}).status == Status::failed);
  CHECK(talk(mysql, {mysql_packet(0, "")}).status == Status::failed);
  CHECK(talk(mysql, {mysql_packet(0, "\x09")}).status == Status::failed);
  CHECK(talk(mysql, {mysql_packet(0, "\x0a no end")}).status == Status::failed);
  CHECK(talk(mysql, {mysql_packet(0, std::string("\x0a\0", 2) + "short")}).status ==
        Status::failed);
}

TEST_CASE("mysql: bytes behind the greeting are refused, at once or later") {
  const Course at_once = talk_once(mysql, {server(greeting(true) + "x")});
  CHECK(at_once.status == Status::failed);
  CHECK(at_once.to_client.empty());
  const Course later = talk_once(mysql, {server(greeting(true)), server("x")});
  CHECK(later.status == Status::failed);
}

TEST_CASE(
    "mysql: a client that asks for TLS itself, or makes no sense, is not the target's fault") {
  for (const std::string& bytes :
       {mysql_packet(1, response41(kFlags | kClientSsl)), mysql_packet(1, "x"),
        mysql_packet(1, response41(kFlags).substr(0, 32)), mysql_packet(3, response41(kFlags)),
        hex("00 00 7f 01")}) {
    const Course course = talk_both(mysql, {server(greeting(true)), client(bytes)});
    CHECK(course.status == Status::failed);
    CHECK(course.failure.is_local);
    CHECK(contains(course.failure.text, "the client of db:3306"));
  }
}

TEST_CASE("mysql: a check speaks for itself and shows nobody the greeting") {
  const Course course = talk(mysql_for_check, {greeting(true)});
  CHECK(course.status == Status::done);
  CHECK(course.to_client.empty());
  CHECK(course.to_server.size() == 36);
  CHECK((mysql_integer(course.to_server, 4, 4) & kClientSsl) != 0);
}

TEST_CASE("mysql filter: numbers are shifted both ways until OK") {
  const Course course = talk_both(
      filter(), {
                    server(mysql_packet(3, "\xfe mysql_native_password")),  // another method
                    client(mysql_packet(3, "twenty bytes of hash")),
                    server(mysql_packet(5, std::string("\x01\x03", 2))),  // fast path
                });
  CHECK(course.status == Status::again);
  CHECK(course.to_server == mysql_packet(2, "login") + mysql_packet(4, "twenty bytes of hash"));
  CHECK(course.to_client == mysql_packet(2, "\xfe mysql_native_password") +
                                mysql_packet(4, std::string("\x01\x03", 2)));
}

TEST_CASE("mysql filter: OK and ERR end it, and what follows passes unchanged") {
  for (const std::string& last :
       {kOkPacket, mysql_error_packet(0, 1045, "28000", "no").substr(4)}) {
    const std::string behind = mysql_packet(1, "a command's answer");
    const Course course = talk_once(filter(), {server(mysql_packet(3, last) + behind)});
    CHECK(course.status == Status::done);
    CHECK(course.to_client == mysql_packet(2, last) + behind);
  }
}

TEST_CASE("mysql filter: one byte at a time it ends right behind the byte that decides") {
  auto relay = filter()();
  (void)relay->on_start();
  const std::string packet = mysql_packet(3, kOkPacket);
  std::string seen;
  Status status = Status::again;
  std::size_t used = 0;
  while (status == Status::again) {
    REQUIRE(used < packet.size());
    const Step step = relay->on_server(as_bytes(packet).subspan(used++, 1));
    seen += step.to_client;
    status = step.status;
  }
  CHECK(status == Status::done);
  CHECK(seen + packet.substr(used) == mysql_packet(2, kOkPacket));
}

TEST_CASE("mysql filter: a client that wants an RSA key is told why that cannot be") {
  const std::vector<Said> script = {server(mysql_packet(3, std::string("\x01\x04", 2))),
                                    client(mysql_packet(3, "\x02"))};
  const Course course = talk_both(filter(), script);
  CHECK(course.status == Status::done);
  CHECK(course.to_server == mysql_packet(2, "login"));  // the server never hears of it
  const std::string error = course.to_client.substr(6);
  CHECK(course.to_client.starts_with(mysql_packet(2, std::string("\x01\x04", 2))));
  CHECK(error[3] == 4);
  CHECK(contains(error, "unix socket"));
}

TEST_CASE("mysql filter: full authentication with the password itself passes") {
  const Course course = talk_both(filter(), {server(mysql_packet(3, std::string("\x01\x04", 2))),
                                             client(mysql_packet(3, std::string("secret\0", 7)))});
  CHECK(course.status == Status::again);
  CHECK(course.to_server == mysql_packet(2, "login") + mysql_packet(4, std::string("secret\0", 7)));
  // One byte that is no request for a key passes, too.
  const Course empty = talk_both(filter(), {server(mysql_packet(3, std::string("\x01\x04", 2))),
                                            client(mysql_packet(3, std::string(1, '\0')))});
  CHECK(empty.to_server == mysql_packet(2, "login") + mysql_packet(4, std::string(1, '\0')));
}

TEST_CASE("mysql filter: an empty answer and a command with number 0 pass") {
  const Course course =
      talk_both(filter(), {client(mysql_packet(3, "") + mysql_packet(0, "\x01"))});
  CHECK(course.to_server ==
        mysql_packet(2, "login") + mysql_packet(4, "") + mysql_packet(0, "\x01"));
}

TEST_CASE("mysql filter: half a header is given back when a side ends") {
  auto relay = filter()();
  (void)relay->on_start();
  CHECK(relay->on_client(as_bytes("abc")).to_server.empty());
  CHECK(relay->on_server(as_bytes("de")).to_client.empty());
  const Step step = relay->on_client_end();
  CHECK(step.status == Status::done);
  CHECK(step.to_server == "abc");
  CHECK(step.to_client == "de");
}

TEST_CASE("mysql: a packet is written with length, number and payload") {
  CHECK(mysql_packet(7, "abc") == hex("03 00 00 07") + "abc");
  CHECK(mysql_error_packet(1, 1045, "28000", "no") == hex("0b 00 00 01 ff 15 04") + "#28000no");
  CHECK(mysql_error_text("\xff") == "0 ");
}

}  // namespace tunnel::preamble::mysql_test
