// SPDX-License-Identifier: MIT
#include "preamble/proxies.h"

#include <doctest/doctest.h>

#include "base/encoding.h"
#include "talking.h"

namespace tunnel::preamble::proxies_test {
namespace {

using Form = config::Proxy::Form;

config::Proxy proxy(Form form, std::string user = "", std::string password = "") {
  return {.form = form,
          .host = "proxy",
          .port = 3128,
          .user = std::move(user),
          .password = std::move(password),
          .headers = {}};
}

Make http(std::string user = "", std::string password = "") {
  return [=] { return http_connect(proxy(Form::http, user, password), "dc1.example.com", 636); };
}
Make socks(std::string user = "", std::string password = "", std::string host = "dc1") {
  return [=] { return socks5_connect(proxy(Form::socks5, user, password), host, 636); };
}

SocketAddress ip(std::string_view text, std::uint16_t port) {
  return SocketAddress::parse_ip(text, port).value();
}

const std::string kSignature = hex("0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a");

}  // namespace

TEST_CASE("http: CONNECT names the target, and what follows the answer is kept") {
  const Course course = talk(http(), {"HTTP/1.1 200 Connection established\r\n\r\n"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server ==
        "CONNECT dc1.example.com:636 HTTP/1.1\r\nHost: dc1.example.com:636\r\n\r\n");
  const Course more = talk_once(http(), {server("HTTP/1.0 200\r\n\r\n220 hello\r\n")});
  CHECK(more.status == Status::done);
  CHECK(more.surplus == "220 hello\r\n");
}

TEST_CASE("http: logs in and adds header lines") {
  const auto make = [] {
    config::Proxy with_headers = proxy(Form::http, "us er", "pa:ss");
    with_headers.headers = {"User-Agent: x", "X-Y: z"};
    return http_connect(with_headers, "2001:db8::1", 636);
  };
  const Course course = talk(make, {"HTTP/1.1 200 OK\r\n\r\n"});
  CHECK(course.to_server ==
        "CONNECT [2001:db8::1]:636 HTTP/1.1\r\nHost: [2001:db8::1]:636\r\n"
        "Proxy-Authorization: Basic dXMgZXI6cGE6c3M=\r\nUser-Agent: x\r\nX-Y: z\r\n\r\n");
}

TEST_CASE("http: header fields and interim answers are skipped, Content-Length included") {
  const Course course = talk(http(), {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 Fine\r\n"
                                      "Content-Length: 100\r\nVia: x\r\n\r\n"});
  CHECK(course.status == Status::done);
}

TEST_CASE("http: refusals carry status and reason, and say whom they blame") {
  const Course gateway = talk(http(), {"HTTP/1.1 502 Bad Gateway\r\nVia: x\r\n\r\n"});
  CHECK(gateway.failure.kind == Kind::proxy_refused);
  CHECK(gateway.failure.text ==
        "proxy proxy:3128 refused to connect to dc1.example.com:636: 502 Bad Gateway");
  CHECK_FALSE(gateway.failure.is_local);
  const Course forbidden = talk(http(), {"HTTP/1.1 403 Forbidden\r\n\r\n"});
  CHECK(contains(forbidden.failure.text, "403 Forbidden"));
  CHECK(forbidden.failure.is_local);
  CHECK(contains(talk(http(), {"HTTP/1.1 407 Login\r\n\r\n"}).failure.text,
                 "407 Login (it wants a user and password"));
  CHECK(contains(talk(http("u", "p"), {"HTTP/1.1 407 Login\r\n\r\n"}).failure.text,
                 "does not accept the user"));
  CHECK(contains(talk(http("u", "p"), {"HTTP/1.1 401 Unauthorized\r\n\r\n"}).failure.text,
                 "does not accept the user"));
  CHECK(talk(http(), {"HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n"}).status == Status::failed);
  CHECK(talk(http(), {"HTTP/1.1 101 Switching\r\n\r\n"}).status == Status::failed);
}

TEST_CASE("http: the password is in no sentence") {
  CHECK_FALSE(
      contains(talk(http("u", "secret"), {"HTTP/1.1 407 x\r\n\r\n"}).failure.text, "secret"));
}

TEST_CASE("http: what is no HTTP answer is refused") {
  for (const char* line : {"SSH-2.0-x\r\n", "HTTP/1.1\r\n", "HTTP/1.1 2000 x\r\n", "HTTP/2 200\r\n",
                           "HTTP/1.1 20 x\r\n", "HTTP/1.1 099 x\r\n", "\r\n"}) {
    CAPTURE(line);
    const Course course = talk(http(), {line});
    CHECK(course.status == Status::failed);
    CHECK(course.failure.is_local);
    CHECK(contains(course.failure.text, "did not answer CONNECT"));
  }
  std::string headers = "HTTP/1.1 200 OK\r\n";
  while (headers.size() <= kMaxConversation) headers += "X: " + std::string(1000, 'y') + "\r\n";
  CHECK(contains(talk_once(http(), {server(headers)}).failure.text, "more than 64 KiB"));
}

TEST_CASE("socks: no login, a name is left for the proxy to resolve") {
  const Course course = talk(socks(), {hex("05 00"), hex("05 00 00 01 00 00 00 00 00 00")});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == hex("05 01 00  05 01 00 03 03") + "dc1" + hex("02 7c"));
}

TEST_CASE("socks: addresses go as addresses, and bound addresses of every type are skipped") {
  const Course v4 =
      talk(socks("", "", "10.0.0.1"), {hex("05 00"), hex("05 00 00 03 02 61 62 00 01")});
  CHECK(v4.status == Status::done);
  CHECK(v4.to_server == hex("05 01 00  05 01 00 01 0a 00 00 01 02 7c"));
  const Course v6 = talk(socks("", "", "2001:db8::1"),
                         {hex("05 00"), hex("05 00 00 04") + std::string(18, '\0')});
  CHECK(v6.status == Status::done);
  CHECK(v6.to_server ==
        hex("05 01 00  05 01 00 04 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 02 7c"));
}

TEST_CASE("socks: logs in when the proxy wants that, and not when it does not") {
  const Course login =
      talk(socks("user", "pw"), {hex("05 02"), hex("01 00"), hex("05 00 00 01 00 00 00 00 00 00")});
  CHECK(login.status == Status::done);
  CHECK(login.to_server == hex("05 02 00 02  01 04") + "user" + hex("02") + "pw" +
                               hex("05 01 00 03 03") + "dc1" + hex("02 7c"));
  const Course without =
      talk(socks("user", "pw"), {hex("05 00"), hex("05 00 00 01 00 00 00 00 00 00")});
  CHECK(without.status == Status::done);
  CHECK_FALSE(contains(without.to_server, "pw"));
}

TEST_CASE("socks: what follows the reply is kept") {
  const Course course = talk_once(
      socks(), {server(hex("05 00")), server(hex("05 00 00 01 00 00 00 00 00 00") + "220 hi\r\n")});
  CHECK(course.surplus == "220 hi\r\n");
}

TEST_CASE("socks: refusals are put into words, and say whom they blame") {
  const Course refused = talk_once(socks(), {server(hex("05 00")), server(hex("05 05"))});
  CHECK(refused.failure.text ==
        "proxy proxy:3128 refused to connect to dc1:636: connection refused (5)");
  CHECK(refused.failure.kind == Kind::proxy_refused);
  CHECK_FALSE(refused.failure.is_local);
  CHECK(talk_once(socks(), {server(hex("05 00 05 02"))}).failure.is_local);
  CHECK(contains(talk_once(socks(), {server(hex("05 00 05 63"))}).failure.text,
                 "unknown reply code (99)"));
  const Course method = talk(socks(), {hex("05 ff")});
  CHECK(contains(method.failure.text, "wants a login"));
  CHECK(method.failure.is_local);
  CHECK(contains(talk(socks("u", "p"), {hex("05 ff")}).failure.text, "accepts neither"));
  CHECK(talk(socks(), {hex("05 02")}).status == Status::failed);  // nobody offered that
  CHECK(contains(talk(socks("u", "p"), {hex("05 02"), hex("01 01")}).failure.text,
                 "does not accept the user and password"));
}

TEST_CASE("socks: what is no SOCKS5 is refused at its first byte") {
  for (const char* bytes : {"48", "04", "00"}) {
    const Course course = talk(socks(), {hex(bytes)});
    CHECK(contains(course.failure.text, "did not answer in SOCKS5"));
    CHECK(course.failure.is_local);
  }
  CHECK(talk(socks("u", "p"), {hex("05 02"), hex("05")}).status == Status::failed);
  CHECK(talk_once(socks(), {server(hex("05 00")), server(hex("05 00 00 02 00"))}).status ==
        Status::failed);
}

TEST_CASE("socks: what does not fit its length byte is never sent") {
  const Course course = talk_once(socks("", "", std::string(256, 'x')), {});
  CHECK(course.status == Status::failed);
  CHECK(course.failure.is_local);
  CHECK(course.to_server.empty());
  CHECK(talk_once(socks(std::string(256, 'x'), "p"), {}).status == Status::failed);
  CHECK(talk_once(socks("u", std::string(256, 'x')), {}).status == Status::failed);
}

TEST_CASE("proxy: an end in the middle says what was awaited") {
  auto conversation = http()();
  (void)conversation->on_start();
  const Step step = conversation->on_server_end(End::reset);
  CHECK(step.failure.kind == Kind::proxy_refused);
  CHECK(step.failure.text ==
        "proxy proxy:3128 reset the connection while we were waiting for its answer to CONNECT "
        "dc1.example.com:636");
}

TEST_CASE("proxy header v1: text of both ends") {
  using enum config::SendProxy;
  CHECK(proxy_header(v1, ip("192.0.2.1", 5555), ip("127.0.0.1", 389)) ==
        "PROXY TCP4 192.0.2.1 127.0.0.1 5555 389\r\n");
  CHECK(proxy_header(v1, ip("2001:db8::1", 65535), ip("::1", 1)) ==
        "PROXY TCP6 2001:db8::1 ::1 65535 1\r\n");
  CHECK(proxy_header(v1, SocketAddress::unix_path("/run/x").value(),
                     SocketAddress::unix_path("/run/x").value()) == "PROXY UNKNOWN\r\n");
  CHECK(proxy_header(v1, {}, {}) == "PROXY UNKNOWN\r\n");
  CHECK(proxy_header(none, ip("192.0.2.1", 5555), ip("127.0.0.1", 389)).empty());
}

TEST_CASE("proxy header v2: binary of both ends") {
  using enum config::SendProxy;
  CHECK(proxy_header(v2, ip("192.0.2.1", 5555), ip("127.0.0.1", 389)) ==
        kSignature + hex("21 11 00 0c c0 00 02 01 7f 00 00 01 15 b3 01 85"));
  CHECK(proxy_header(v2, ip("2001:db8::1", 5555), ip("::1", 389)) ==
        kSignature + hex("21 21 00 24 20010db8000000000000000000000001"
                         "00000000000000000000000000000001 15b3 0185"));
  CHECK(proxy_header(v2, {}, {}) == kSignature + hex("20 00 00 00"));
}

TEST_CASE("proxy header: ends of different families meet in IPv6, mapped ones in IPv4") {
  using enum config::SendProxy;
  CHECK(proxy_header(v1, ip("::ffff:192.0.2.1", 1), ip("127.0.0.1", 2)) ==
        "PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n");
  CHECK(proxy_header(v1, ip("192.0.2.1", 1), ip("2001:db8::1", 2)) ==
        "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1 2\r\n");
  CHECK(proxy_header(v2, ip("192.0.2.1", 1), ip("2001:db8::1", 2)).substr(13, 3) ==
        hex("21 00 24"));
}

TEST_CASE("proxy header v2: a unix client is announced without an address") {
  const SocketAddress path = SocketAddress::unix_path("/run/ldap.sock").value();
  sockaddr_un unnamed{};
  unnamed.sun_family = AF_UNIX;
  const SocketAddress client =
      SocketAddress::from(reinterpret_cast<const sockaddr*>(&unnamed), sizeof unnamed.sun_family);
  CHECK(proxy_header(config::SendProxy::v2, client, path) == kSignature + hex("20 00 00 00"));
  CHECK(proxy_header(config::SendProxy::v2, path, path) == kSignature + hex("20 00 00 00"));
}

TEST_CASE("base64: every remainder is padded") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("\xff\xfe\xfd") == "//79");
}

}  // namespace tunnel::preamble::proxies_test
