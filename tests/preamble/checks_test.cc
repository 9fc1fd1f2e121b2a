// SPDX-License-Identifier: MIT
#include "preamble/checks.h"

#include <doctest/doctest.h>

#include "preamble/mysql_packet.h"
#include "talking.h"

namespace tunnel::preamble {
namespace {

Topic checked() { return {.who = "mx:25", .kind = Kind::check_failed}; }

template <class Function>
Make with(Function function, Channel channel = Channel::fresh) {
  return [=] { return function(checked(), channel); };
}

std::unique_ptr<Conversation> smtp(Topic topic, Channel channel) {
  return smtp_check(std::move(topic), channel, "EHLO", "me");
}
std::unique_ptr<Conversation> redis() { return redis_check(checked()); }
std::unique_ptr<Conversation> ldap() { return ldap_check(checked()); }

const std::string kMysqlGreeting = mysql_packet(0, std::string("\x0a"
                                                               "8\0",
                                                               3) +
                                                       std::string(13, 'x') + hex("ff ff"));
const std::string kUnbind = hex("30 05 02 01 02 42 00");

}  // namespace

TEST_CASE("smtp check: greeting, EHLO, QUIT") {
  const Course course =
      talk(with(smtp), {"220-hi\r\n220 hi\r\n", "250-x\r\n250 y\r\n", "221 bye\r\n"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == "EHLO me\r\nQUIT\r\n");
}

TEST_CASE("smtp check: after STARTTLS there is no other greeting") {
  const Course course =
      talk(with(smtp, Channel::after_starttls), {"250-x\r\n250 y\r\n", "221 bye\r\n"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == "EHLO me\r\nQUIT\r\n");
}

TEST_CASE("smtp check: a refusal fails it, politely") {
  const Course greeting = talk(with(smtp), {"421 too busy\r\n"});
  CHECK(greeting.failure.kind == Kind::check_failed);
  CHECK(contains(greeting.failure.text, "421 too busy"));
  CHECK(greeting.to_server == "QUIT\r\n");
  CHECK(talk(with(smtp), {"220 hi\r\n", "451 no\r\n"}).status == Status::failed);
  CHECK(contains(talk(with(smtp), {"* OK\r\n"}).failure.text, "IMAP"));
}

TEST_CASE("line checks: hanging up on our goodbye is fine, before it is not") {
  const struct {
    Make make;
    std::vector<std::string> well;
  } kCases[] = {
      {with(smtp), {"220 hi\r\n", "250 x\r\n"}},
      {with(pop3_check), {"+OK hi\r\n"}},
      {with(imap_check), {"* OK hi\r\n"}},
      {with(imap_check, Channel::after_starttls), {"* BYE see you\r\n"}},
      {redis, {"+PONG\r\n"}},
  };
  for (const auto& one : kCases) {
    auto conversation = one.make();
    (void)conversation->on_start();
    auto early = one.make();
    (void)early->on_start();
    CHECK(early->on_server_end(End::eof).failure.kind == Kind::check_failed);
    for (const std::string& bytes : one.well) {
      CHECK(conversation->on_server(as_bytes(bytes)).status == Status::again);
    }
    CHECK(conversation->on_server_end(End::reset).status == Status::done);
  }
}

TEST_CASE("pop3 check: greeting and QUIT") {
  const Course course = talk(with(pop3_check), {"+OK hi\r\n", "+OK bye\r\n"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == "QUIT\r\n");
  CHECK(talk(with(pop3_check, Channel::after_starttls), {"+OK bye\r\n"}).status == Status::done);
  CHECK(talk(with(pop3_check), {"-ERR busy\r\n"}).failure.text ==
        "mx:25 said \"-ERR busy\" where the check was waiting for its greeting");
}

TEST_CASE("imap check: greeting and LOGOUT, with everything that servers say to that") {
  const Course course =
      talk(with(imap_check), {"* OK hi\r\n", "* BYE bye\r\n* OK x\r\ntunnel1 OK done\r\n"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == "tunnel1 LOGOUT\r\n");
  CHECK(talk(with(imap_check), {"* PREAUTH hi\r\n", "tunnel1 OK\r\n"}).status == Status::done);
  CHECK(talk(with(imap_check), {"* BYE busy\r\n"}).status == Status::failed);
  CHECK(talk(with(imap_check), {"* OK\r\n", "tunnel1 NO\r\n"}).status == Status::failed);
}

TEST_CASE("redis check: PONG and every question for a password are life, loading is not") {
  const Course course = talk(redis, {"+PONG\r\n", "+OK\r\n"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n");
  for (const std::string line : {"-NOAUTH Authentication required.\r\n", "-NOPERM no ping\r\n",
                                 "-ERR operation not permitted\r\n"}) {
    CHECK(talk(redis, {line, "+OK\r\n"}).status == Status::done);
  }
  for (const std::string line :
       {"-LOADING Redis is loading\r\n", "-MASTERDOWN Link\r\n",
        "-DENIED Redis is running in protected mode\r\n", "-ERR unknown command\r\n", "$4\r\n"}) {
    const Course bad = talk(redis, {line});
    CHECK(bad.status == Status::failed);
    CHECK(bad.failure.kind == Kind::check_failed);
  }
}

TEST_CASE("ldap check: an anonymous bind, answered in any form, and an unbind") {
  for (const char* answer : {"30 0c 02 01 01 61 07 0a 01 00 04 00 04 00",
                             "30 84 00 00 00 10 02 01 01 61 84 00 00 00 07 0a 01 00 04 00 04 00"}) {
    const Course course = talk(ldap, {hex(answer)});
    CHECK(course.status == Status::done);
    CHECK(course.to_server == hex("30 0c 02 01 01 60 07 02 01 03 04 00 80 00") + kUnbind);
  }
}

TEST_CASE("ldap check: a server that wants to know who it is is at work, a busy one is not") {
  for (const char* code : {"08", "0d", "30"}) {
    CHECK(talk(ldap, {hex("30 0c 02 01 01 61 07 0a 01") + hex(code) + hex("04 00 04 00")}).status ==
          Status::done);
  }
  const Course busy = talk(ldap, {hex("30 0f 02 01 01 61 0a 0a 01 33 04 00 04 03") + "new"});
  CHECK(busy.failure.text == "mx:25 answered an anonymous bind with 51 busy (new)");
  CHECK(busy.failure.kind == Kind::check_failed);
  CHECK(busy.to_server.ends_with(kUnbind));
  // StartTLS's answer is none to a bind.
  CHECK(talk(ldap, {hex("30 0c 02 01 01 78 07 0a 01 00 04 00 04 00")}).status == Status::failed);
}

TEST_CASE("mysql check: logs in as nobody; being turned away is life") {
  const Course denied = talk(
      with(mysql_check),
      {kMysqlGreeting, mysql_packet(2, hex("fe") + std::string("mysql_native_password\0x", 23)),
       mysql_error_packet(4, 1045, "28000", "Access denied")});
  CHECK(denied.status == Status::done);
  CHECK(denied.to_server.substr(3, 1) == hex("01"));
  CHECK(denied.to_server.ends_with(mysql_packet(3, "")));
  const Course granted =
      talk(with(mysql_check), {kMysqlGreeting, mysql_packet(2, kUnbind.substr(6))});
  CHECK(granted.status == Status::done);
  CHECK(granted.to_server.ends_with(mysql_packet(0, "\x01")));  // COM_QUIT
}

TEST_CASE("mysql check: after STARTTLS it goes on where SSLRequest ended") {
  const Course course = talk(with(mysql_check, Channel::after_starttls),
                             {mysql_error_packet(3, 1045, "28000", "Access denied")});
  CHECK(course.status == Status::done);
  CHECK(course.to_server.substr(3, 1) == hex("02"));
  CHECK((mysql_integer(course.to_server, 4, 4) & kClientSsl) != 0);
}

TEST_CASE("mysql check: full, blocked and stopping servers are not at work") {
  CHECK(talk(with(mysql_check), {mysql_error_packet(0, 1040, "08004", "Too many connections")})
            .failure.text == "mx:25 greeted us with a refusal: 1040 (08004) Too many connections");
  CHECK(talk(with(mysql_check),
             {kMysqlGreeting, mysql_error_packet(2, 1053, "08S01", "Server shutdown")})
            .failure.text == "mx:25 is not at work: 1053 (08S01) Server shutdown");
  CHECK(talk_once(with(mysql_check), {server("220 smtp\r\n")}).status == Status::failed);
  CHECK(talk(with(mysql_check), {kMysqlGreeting, mysql_packet(2, "?")}).status == Status::failed);
  // A server that asks for ever is left.
  std::string asking;
  for (int i = 0; i < 10; ++i) asking += mysql_packet(2, "\x01more");
  CHECK(talk_once(with(mysql_check), {server(kMysqlGreeting), server(asking)}).status ==
        Status::failed);
}

TEST_CASE("pgsql check: one question that leaves no trace in the log") {
  const Course course = talk(with(pgsql_check), {"N"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == hex("00 00 00 08 04 d2 16 30"));
  CHECK(talk(with(pgsql_check), {"G"}).status == Status::done);
  CHECK(talk_once(with(pgsql_check), {server("EFATAL")}).failure.kind == Kind::check_failed);
  CHECK(talk_once(with(pgsql_check, Channel::after_starttls), {}).status == Status::done);
}

TEST_CASE("make_check: tcp and tls ask nothing, the others what their protocol asks") {
  config::Service service;
  const Route route{.service = service,
                    .target = "t:1",
                    .host = "t",
                    .port = 1,
                    .tls_name = "t",
                    .client = {},
                    .accepted = {},
                    .purpose = Purpose::check};
  using config::Check;
  for (const Check silent : {Check::none, Check::tcp, Check::tls})
    CHECK_FALSE(make_check(silent, route));
  for (int i = static_cast<int>(Check::ldap); i <= static_cast<int>(Check::redis); ++i) {
    auto check = make_check(static_cast<Check>(i), route);
    REQUIRE(check);
    (void)check->on_start();
    CHECK(check->on_server_end(End::eof).failure.kind == Kind::check_failed);
  }
  service.starttls = config::Starttls::lmtp;
  CHECK(make_check(Check::smtp, route)->on_start().to_server == "LHLO localhost\r\n");
}

}  // namespace tunnel::preamble
