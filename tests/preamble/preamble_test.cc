// SPDX-License-Identifier: MIT
// The whole of what comes before TLS, as a service's keys put it together.
#include "preamble/preamble.h"

#include <doctest/doctest.h>

#include "preamble/mysql_packet.h"
#include "preamble/proxies.h"
#include "talking.h"

namespace tunnel::preamble::preamble_test {
namespace {

using config::Starttls;

config::Service service(Starttls starttls) {
  config::Service result;
  result.starttls = starttls;
  return result;
}

config::Proxy http_proxy() {
  return {.form = config::Proxy::Form::http,
          .host = "proxy",
          .port = 3128,
          .user = {},
          .password = {},
          .headers = {}};
}

Make preamble(const config::Service& service, Purpose purpose = Purpose::client) {
  return [&service, purpose] {
    return make_preamble({.service = service,
                          .target = "db.example.com:25",
                          .host = "db.example.com",
                          .port = 25,
                          .tls_name = "example.com",
                          .client = SocketAddress::parse_ip("192.0.2.1", 5555).value(),
                          .accepted = SocketAddress::parse_ip("127.0.0.1", 389).value(),
                          .purpose = purpose,
                          .proxy = service.proxies.empty() ? nullptr : &service.proxies.front()});
  };
}

const std::string kSslRequest = hex("00 00 00 08 04 d2 16 2f");

}  // namespace

TEST_CASE("preamble: with nothing to say it is done at once") {
  const config::Service plain = service(Starttls::none);
  const Course course = talk_once(preamble(plain), {});
  CHECK(course.status == Status::done);
  CHECK(course.to_server.empty());
  auto conversation = preamble(plain)();
  CHECK_FALSE(conversation->wants_client());
  CHECK_FALSE(conversation->is_client_committed());
  CHECK_FALSE(conversation->waiting_for().empty());
  (void)conversation->on_start();
  CHECK_FALSE(conversation->take_filter());
}

TEST_CASE("preamble: proxy, then PROXY header, then STARTTLS") {
  config::Service all = service(Starttls::smtp);
  all.proxies = {http_proxy()};
  all.send_proxy = config::SendProxy::v1;
  all.helo = "me";
  const std::vector<std::string> script = {"HTTP/1.1 200 OK\r\n\r\n", "220 hi\r\n",
                                           "250-x\r\n250 STARTTLS\r\n", "220 go\r\n"};
  const Course course = talk(preamble(all), script);
  CHECK(course.status == Status::done);
  CHECK(course.to_server ==
        "CONNECT db.example.com:25 HTTP/1.1\r\nHost: db.example.com:25\r\n\r\n"
        "PROXY TCP4 192.0.2.1 127.0.0.1 5555 389\r\nEHLO me\r\nSTARTTLS\r\n");
  CHECK(course.greeting == "220 hi\r\n");
  // The proxy may hand on the greeting together with its own answer.
  const Course together = talk(preamble(all), {script[0] + script[1], script[2], script[3]});
  CHECK(together == course);
}

TEST_CASE("preamble: a failure in any stage ends all") {
  config::Service both = service(Starttls::smtp);
  both.proxies = {http_proxy()};
  CHECK(talk(preamble(both), {"HTTP/1.1 503 x\r\n\r\n"}).failure.kind == Kind::proxy_refused);
  const Course second = talk(preamble(both), {"HTTP/1.1 200 x\r\n\r\n", "554 no\r\n"});
  CHECK(second.failure.kind == Kind::starttls_refused);
  CHECK(second.failure.text == "db.example.com:25 greeted us with a refusal: 554 no");
  // An end is told by the stage that it hits.
  auto conversation = preamble(both)();
  (void)conversation->on_start();
  (void)conversation->on_server(as_bytes("HTTP/1.1 200 x\r\n\r\n"));
  CHECK(conversation->on_server_end(End::eof).failure.kind == Kind::starttls_refused);
}

TEST_CASE(
    "preamble: behind a proxy or a header, server bytes that came early are left for the relay") {
  config::Service plain = service(Starttls::none);
  plain.proxies = {http_proxy()};
  const Course proxied = talk_once(preamble(plain), {server("HTTP/1.1 200 x\r\n\r\nhello")});
  CHECK(proxied.status == Status::done);
  CHECK(proxied.surplus == "hello");
  plain.send_proxy = config::SendProxy::v2;
  const Course announced = talk_once(preamble(plain), {server("HTTP/1.1 200 x\r\n\r\nhello")});
  CHECK(announced.surplus == "hello");
  CHECK(announced.to_server.ends_with(
      proxy_header(config::SendProxy::v2, SocketAddress::parse_ip("192.0.2.1", 5555).value(),
                   SocketAddress::parse_ip("127.0.0.1", 389).value())));
}

TEST_CASE("preamble: every protocol has its conversation, and none but mysql needs the client") {
  for (int i = 1; i <= static_cast<int>(Starttls::sieve); ++i) {
    const config::Service one = service(static_cast<Starttls>(i));
    CAPTURE(i);
    auto conversation = preamble(one)();
    CHECK(conversation->on_start().status == Status::again);
    CHECK_FALSE(conversation->wants_client());
    CHECK_FALSE(conversation->is_client_committed());
    CHECK(conversation->on_server_end(End::eof).failure.kind == Kind::starttls_refused);
  }
}

TEST_CASE("preamble: mysql behind a proxy commits the client only once it has seen the greeting") {
  config::Service db = service(Starttls::mysql);
  db.proxies = {http_proxy()};
  const std::string greeting = mysql_packet(0, std::string("\x0a"
                                                           "8\0",
                                                           3) +
                                                   std::string(13, 'x') + hex("ff ff"));
  auto conversation = preamble(db)();
  (void)conversation->on_start();
  CHECK_FALSE(conversation->is_client_committed());
  const Step step = conversation->on_server(as_bytes("HTTP/1.1 200 x\r\n\r\n" + greeting));
  CHECK(step.to_client.size() == greeting.size());
  CHECK(conversation->wants_client());
  CHECK(conversation->is_client_committed());
  const std::string login = hex("84 20 00 00 01") + "user" + std::string(1, '\0');
  CHECK(conversation->on_client(as_bytes(mysql_packet(1, login))).status == Status::done);
  CHECK(conversation->is_client_committed());
  CHECK_FALSE(conversation->wants_client());
  CHECK(conversation->take_filter());
}

TEST_CASE("preamble: pgsql leaves a filter for local SSLRequests, with direct TLS too") {
  const config::Service starttls = service(Starttls::pgsql);
  auto conversation = preamble(starttls)();
  (void)conversation->on_start();
  CHECK(conversation->on_server(as_bytes("S")).status == Status::done);
  auto filter = conversation->take_filter();
  REQUIRE(filter);
  (void)filter->on_start();
  CHECK(filter->on_client(as_bytes(kSslRequest)).to_client == "N");

  config::Service direct = service(Starttls::none);
  direct.tls->alpn = {"postgresql"};
  CHECK(preamble(direct)()->take_filter());
  CHECK_FALSE(preamble(direct, Purpose::check)()->take_filter());
  direct.tls.reset();
  CHECK_FALSE(preamble(direct)()->take_filter());
}

TEST_CASE("preamble: a check's PROXY header speaks of no client") {
  config::Service announced = service(Starttls::none);
  announced.send_proxy = config::SendProxy::v1;
  auto conversation = make_preamble({.service = announced,
                                     .target = "t",
                                     .host = "t",
                                     .port = 1,
                                     .tls_name = "t",
                                     .client = {},
                                     .accepted = {},
                                     .purpose = Purpose::check});
  CHECK(conversation->on_start().to_server == "PROXY UNKNOWN\r\n");
}

TEST_CASE("smtp login: PLAIN and LOGIN, while the client waits") {
  config::Service submission = service(Starttls::smtp);
  submission.smtp_login = config::SmtpLogin{
      .method = config::SmtpLogin::Method::plain, .user = "user", .password = "pass"};
  const auto filter = [&submission] { return preamble(submission)()->take_filter(); };
  const Course plain =
      talk_both(filter, {client("EHLO app\r\n"), server("250-x\r\n250 AUTH PLAIN\r\n"),
                         server("235 2.7.0 welcome\r\n")});
  CHECK(plain.status == Status::done);
  CHECK(plain.to_server == "EHLO localhost\r\nAUTH PLAIN AHVzZXIAcGFzcw==\r\nEHLO app\r\n");
  CHECK(plain.to_client.empty());

  submission.smtp_login->method = config::SmtpLogin::Method::login;
  const Course login = talk_both(filter, {server("250 x\r\n"), server("334 VXNlcg==\r\n"),
                                          server("334 UGFz\r\n"), server("235 ok\r\n")});
  CHECK(login.status == Status::done);
  CHECK(login.to_server == "EHLO localhost\r\nAUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\n");
  const Course early =
      talk_once(filter, {server("250 x\r\n334 x\r\n334 x\r\n235 ok\r\n220 more\r\n")});
  CHECK(early.to_client == "220 more\r\n");
}

TEST_CASE("smtp login: a refusal carries the server's words and does not blame the target") {
  config::Service submission = service(Starttls::smtp);
  submission.smtp_login = config::SmtpLogin{
      .method = config::SmtpLogin::Method::login, .user = "user", .password = "pass"};
  const auto filter = [&submission] { return preamble(submission)()->take_filter(); };
  for (const std::vector<std::string>& script :
       {std::vector<std::string>{"250 x\r\n", "504 no LOGIN\r\n"},
        std::vector<std::string>{"250 x\r\n", "334 x\r\n", "535 no\r\n"},
        std::vector<std::string>{"250 x\r\n", "334 x\r\n", "334 x\r\n", "535 no\r\n"}}) {
    const Course course = talk(filter, script);
    CHECK(course.status == Status::failed);
    CHECK(course.failure.is_local);
    CHECK(contains(course.failure.text, "refused our SMTP login: 5"));
    CHECK_FALSE(contains(course.failure.text, "pass"));
  }
  CHECK(talk_once(filter, {client(std::string(kMaxConversation + 1, 'x'))}).status ==
        Status::failed);
}

}  // namespace tunnel::preamble::preamble_test
