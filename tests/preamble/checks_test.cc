// SPDX-License-Identifier: MIT
#include "preamble/checks.h"

#include <doctest/doctest.h>

#include "preamble/mysql.h"
#include "preamble/mysql_packet.h"
#include "preamble/pgsql_message.h"
#include "talking.h"

namespace tunnel::preamble::checks_test {
namespace {

Topic checked() { return {.who = "mx:25", .kind = Kind::check_failed}; }

template <class Function>
Make with(Function function, Channel channel = Channel::fresh) {
  return [=] { return function(checked(), channel); };
}

std::unique_ptr<Conversation> smtp(Topic topic, Channel channel) {
  return smtp_check(std::move(topic), channel, "EHLO", "me");
}
std::unique_ptr<Conversation> mysql(Topic topic, Channel channel) {
  return mysql_check(std::move(topic), channel);
}
std::unique_ptr<Conversation> pgsql(Topic topic, Channel channel) {
  return pgsql_check(std::move(topic), channel);
}
std::unique_ptr<Conversation> pgsql_startup() {
  return pgsql_check(checked(), Channel::fresh, {.user = "joe", .database = "shop"});
}

// An ErrorResponse (or, with another type, anything of its shape) and other messages of PostgreSQL.
std::string pgsql_says(char type, const std::string& payload) {
  return type + pgsql_integer(payload.size() + 4) + payload;
}
std::string pgsql_error(const std::string& code) {
  return pgsql_says(
      'E', std::string("SFATAL\0VFATAL\0C", 15) + code + std::string("\0Msorry\0R\0\0", 11));
}
const std::string kPgsqlOk = pgsql_says('R', hex("00 00 00 00"));
const std::string kPgsqlReady =
    pgsql_says('S', std::string("a\0b\0", 4)) + pgsql_says('K', "pid+key!") + pgsql_says('Z', "I");

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

TEST_CASE("imap check: after STARTTLS a server that only says BYE has no room for us") {
  CHECK(talk(with(imap_check, Channel::after_starttls), {"* BYE bye\r\ntunnel1 OK done\r\n"})
            .status == Status::done);
  auto check = imap_check(checked(), Channel::after_starttls);
  (void)check->on_start();
  CHECK(check->on_server(as_bytes("* BYE too many connections\r\n")).status == Status::again);
  CHECK(check->on_server_end(End::eof).failure.kind == Kind::check_failed);
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
  for (const char* code : {"07", "08", "0d", "30", "31", "32"}) {
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
  const Course denied =
      talk(with(mysql), {kMysqlGreeting,
                         mysql_packet(2, hex("fe") + std::string("mysql_native_password\0x", 23)),
                         mysql_error_packet(4, 1045, "28000", "Access denied")});
  CHECK(denied.status == Status::done);
  CHECK(denied.to_server.substr(3, 1) == hex("01"));
  CHECK(denied.to_server.ends_with(mysql_packet(3, "")));
  const Course granted = talk(with(mysql), {kMysqlGreeting, mysql_packet(2, kUnbind.substr(6))});
  CHECK(granted.status == Status::done);
  CHECK(granted.to_server.ends_with(mysql_packet(0, "\x01")));  // COM_QUIT
}

TEST_CASE("mysql check: after STARTTLS it goes on where SSLRequest ended") {
  const Course course = talk(with(mysql, Channel::after_starttls),
                             {mysql_error_packet(3, 1045, "28000", "Access denied")});
  CHECK(course.status == Status::done);
  CHECK(course.to_server.substr(3, 1) == hex("02"));
  CHECK((mysql_integer(course.to_server, 4, 4) & kClientSsl) != 0);
}

TEST_CASE("mysql check: full, blocked and stopping servers are not at work") {
  CHECK(talk(with(mysql), {mysql_error_packet(0, 1040, "08004", "Too many connections")})
            .failure.text == "mx:25 greeted us with a refusal: 1040 (08004) Too many connections");
  CHECK(talk(with(mysql), {kMysqlGreeting, mysql_error_packet(2, 1053, "08S01", "Server shutdown")})
            .failure.text == "mx:25 is not at work: 1053 (08S01) Server shutdown");
  CHECK(talk_once(with(mysql), {server("220 smtp\r\n")}).status == Status::failed);
  CHECK(talk(with(mysql), {kMysqlGreeting, mysql_packet(2, "?")}).status == Status::failed);
  // A server that asks forever is left.
  std::string asking;
  for (int i = 0; i < 10; ++i) asking += mysql_packet(2, "\x01more");
  CHECK(talk_once(with(mysql), {server(kMysqlGreeting), server(asking)}).status == Status::failed);
}

TEST_CASE("pgsql check: one question that leaves no trace in the log") {
  const Course course = talk(with(pgsql), {"N"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == hex("00 00 00 08 04 d2 16 30"));
  CHECK(talk(with(pgsql), {"G"}).status == Status::done);
  CHECK(talk_once(with(pgsql), {server("EFATAL")}).failure.kind == Kind::check_failed);
  CHECK(talk_once(with(pgsql, Channel::after_starttls), {}).status == Status::done);
}

TEST_CASE("pgsql check with a user: starts a session and says goodbye to it") {
  const Course course = talk(pgsql_startup, {pgsql_says('N', "x") + kPgsqlOk, kPgsqlReady});
  CHECK(course.status == Status::done);
  const std::string startup =
      hex("00 03 00 00") +
      std::string("user\0joe\0database\0shop\0application_name\0tunnel check\0\0", 54);
  CHECK(course.to_server == pgsql_integer(startup.size() + 4) + startup + hex("58 00 00 00 04"));
}

TEST_CASE("pgsql check with a user: no database is asked for where none is named") {
  const auto start =
      pgsql_check(checked(), Channel::after_starttls, {.user = "joe", .database = ""})->on_start();
  CHECK_FALSE(contains(start.to_server, "database"));
  CHECK(contains(start.to_server, std::string_view("user\0joe\0", 9)));
}

TEST_CASE("pgsql check with a user: hangs up where it is asked for a password") {
  for (const char* request : {"00 00 00 03", "00 00 00 05 01 02 03 04", "00 00 00 0a 53 00 00"}) {
    const Course course = talk(pgsql_startup, {pgsql_says('R', hex(request))});
    CHECK(course.status == Status::done);
    CHECK_FALSE(contains(course.to_server, "X"));
  }
}

TEST_CASE("pgsql check with a user: a server that refuses everybody is down") {
  for (const std::string code :
       {"53300", "57P03", "57P01", "57P02", "53100", "53200", "58030", "XX000", "08P01"}) {
    CAPTURE(code);
    const Course course = talk(pgsql_startup, {pgsql_error(code)});
    CHECK(course.failure.kind == Kind::check_failed);
    CHECK(course.failure.text == "mx:25 is not at work: FATAL: " + code + ": sorry");
    // Also when it says so to a user whom it knows.
    CHECK(talk(pgsql_startup, {kPgsqlOk, pgsql_error(code)}).failure.text == course.failure.text);
  }
}

TEST_CASE("pgsql check with a user: a server that does not want this one is at work") {
  for (const std::string code : {"28000", "28P01", "3D000", "42501", "0A000"}) {
    CAPTURE(code);
    CHECK(talk(pgsql_startup, {pgsql_error(code)}).status == Status::done);
  }
}

TEST_CASE("pgsql check with a user: what is no PostgreSQL, or ends too early, is not well") {
  CHECK(contains(talk_once(pgsql_startup, {server("220 smtp.example.com\r\n")}).failure.text,
                 "like PostgreSQL but said \"220 smtp.example.com\\x0d\\x0a\", which looks like an "
                 "SMTP"));
  CHECK(talk_once(pgsql_startup, {server("EFATAL: too old\n")}).status == Status::failed);
  CHECK(talk_once(pgsql_startup, {server(pgsql_says('T', "x"))}).status == Status::failed);
  auto check = pgsql_startup();
  (void)check->on_start();
  CHECK(check->on_server(as_bytes(kPgsqlOk)).status == Status::again);
  CHECK(contains(check->on_server_end(End::eof).failure.text, "the end of the check's start-up"));
  std::string notices;
  for (int i = 0; i < 3; ++i) notices += pgsql_says('N', std::string(29'000, 'x'));
  CHECK(contains(talk_once(pgsql_startup, {server(notices)}).failure.text, "more than 64 KiB"));
}

TEST_CASE("mysql check with a user: the login and its request for TLS name user and database") {
  const auto make = [](Channel channel) {
    return mysql_check(checked(), channel, {.user = "joe", .database = "shop"});
  };
  const Course course = talk([&] { return make(Channel::fresh); },
                             {kMysqlGreeting, mysql_packet(2, kUnbind.substr(6))});
  CHECK(course.status == Status::done);
  CHECK((mysql_integer(course.to_server, 4, 4) & kClientConnectWithDb) != 0);
  CHECK(contains(course.to_server, std::string_view("joe\0\0shop\0mysql_native_password\0", 32)));
  CHECK(talk([&] { return make(Channel::fresh); },
             {kMysqlGreeting, mysql_error_packet(2, 1040, "08004", "Too many connections")})
            .failure.text == "mx:25 is not at work: 1040 (08004) Too many connections");
  CHECK(talk([&] { return make(Channel::fresh); },
             {kMysqlGreeting, mysql_error_packet(2, 1049, "42000", "Unknown database")})
            .status == Status::done);
  const std::string login = make(Channel::after_starttls)->on_start().to_server;
  const std::string request = mysql_check_ssl_request({.user = "joe", .database = "shop"});
  CHECK(request.substr(4) == login.substr(4, 32));  // the server takes the flags of the first
}

TEST_CASE("checks: a server that turns everybody away is down, whatever it speaks") {
  const struct {
    Make make;
    std::string says;
  } kCases[] = {
      {with(smtp), "421 4.3.2 too many connections\r\n"},
      {with(smtp, Channel::after_starttls), "421 4.3.2 shutting down\r\n"},
      {with(imap_check), "* BYE too many connections\r\n"},
      {with(imap_check, Channel::after_starttls), "tunnel1 NO [UNAVAILABLE] later\r\n"},
      {with(pop3_check), "-ERR [SYS/TEMP] later\r\n"},
      {with(pop3_check, Channel::after_starttls), "-ERR [IN-USE] later\r\n"},
      {with(mysql), mysql_error_packet(0, 1129, "HY000", "Host is blocked")},
      {with(mysql, Channel::after_starttls), mysql_error_packet(3, 1040, "08004", "Too many")},
      {redis, "-LOADING Redis is loading the dataset in memory\r\n"},
      {redis, "-MASTERDOWN Link with MASTER is down\r\n"},
      {redis, "-ERR max number of clients reached\r\n"},
      {ldap, hex("30 0c 02 01 01 61 07 0a 01 33 04 00 04 00")},
      {ldap, hex("30 0c 02 01 01 61 07 0a 01 34 04 00 04 00")},
      {ldap, hex("30 0c 02 01 00 78 07 0a 01 34 04 00 04 00")},  // notice of disconnection
      {pgsql_startup, pgsql_error("53300")},
  };
  for (const auto& one : kCases) {
    CAPTURE(one.says);
    const Course course = talk(one.make, {one.says});
    CHECK(course.status == Status::failed);
    CHECK(course.failure.kind == Kind::check_failed);
  }
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
  for (const Check silent : {Check::none, Check::tcp, Check::tls}) {
    CHECK_FALSE(make_check(silent, route));
  }
  for (int i = static_cast<int>(Check::ldap); i <= static_cast<int>(Check::redis); ++i) {
    auto check = make_check(static_cast<Check>(i), route);
    REQUIRE(check);
    (void)check->on_start();
    CHECK(check->on_server_end(End::eof).failure.kind == Kind::check_failed);
  }
  service.health.user = "joe";
  CHECK(contains(make_check(Check::pgsql, route)->on_start().to_server, "joe"));
  service.starttls = config::Starttls::lmtp;
  CHECK(make_check(Check::smtp, route)->on_start().to_server == "LHLO localhost\r\n");
}

}  // namespace tunnel::preamble::checks_test
