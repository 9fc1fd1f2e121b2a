// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "preamble/starttls.h"
#include "talking.h"

namespace tunnel::preamble::pgsql_test {
namespace {

std::unique_ptr<Conversation> pgsql() { return pgsql_starttls({.who = "db:5432"}); }
std::unique_ptr<Conversation> filter() { return pgsql_filter(); }

const std::string kSslRequest = hex("00 00 00 08 04 d2 16 2f");
const std::string kGssRequest = hex("00 00 00 08 04 d2 16 30");
const std::string kStartup = hex("00 00 00 0f 00 03 00 00") + std::string("user\0x\0", 7);

const std::string kSasl = hex("00 00 00 0a");

std::string message(char type, const std::string& payload) {
  const std::size_t size = payload.size() + 4;
  return type + hex("00 00") + std::string{static_cast<char>(size >> 8), static_cast<char>(size)} +
         payload;
}

std::string error_response(const std::string& fields) { return message('E', fields); }

}  // namespace

TEST_CASE("pgsql: SSLRequest, S, and the client has seen nothing") {
  const Course course = talk(pgsql, {"S"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == kSslRequest);
  CHECK(course.greeting.empty());
}

TEST_CASE("pgsql: N is a refusal, and so is an S with plaintext behind it") {
  CHECK(contains(talk(pgsql, {"N"}).failure.text, "db:5432 does not offer TLS"));
  CHECK(contains(talk_once(pgsql, {server("S" + hex("52 00 00 00 08"))}).failure.text,
                 "5 bytes in the clear"));
  CHECK(talk_once(pgsql, {server("SS")}).failure.kind == Kind::starttls_refused);
}

TEST_CASE("pgsql: an error carries the server's own words, in the new form and the old") {
  const std::string fields("SFATAL\0C53300\0Msorry, too many clients already\0\0", 48);
  CHECK(talk(pgsql, {error_response(fields)}).failure.text ==
        "db:5432 refused us: FATAL: 53300: sorry, too many clients already");
  CHECK(talk(pgsql, {std::string("EFATAL:  unsupported\n\0", 22)}).failure.text ==
        "db:5432 refused us: FATAL:  unsupported\\x0a");
  // A message that ends early, or fields without an end, say what there is.
  CHECK(talk(pgsql, {error_response("SFATAL")}).status == Status::failed);
  CHECK(talk(pgsql, {error_response("")}).status == Status::failed);
  auto conversation = pgsql();
  (void)conversation->on_start();
  CHECK(conversation->on_server(as_bytes("Ebusy")).status == Status::again);
  CHECK(conversation->on_server_end(End::eof).failure.text == "db:5432 refused us: busy");
}

TEST_CASE("pgsql: an old error without an end fails at 8 KiB") {
  CHECK(talk_once(pgsql, {server("E" + std::string(kMaxLine, 'x'))}).status == Status::failed);
}

TEST_CASE("pgsql: another server is told apart") {
  CHECK(contains(talk(pgsql, {"220"}).failure.text, "did not answer SSLRequest"));
  CHECK(contains(talk_once(pgsql, {server(hex("15 03 01"))}).failure.text, "remove starttls"));
}

TEST_CASE("pgsql filter: a local SSLRequest and GSSENCRequest get N, the startup message goes on") {
  const Course course =
      talk_both(filter, {client(kGssRequest), client(kSslRequest), client(kStartup + "more")});
  CHECK(course.status == Status::again);
  CHECK(course.to_client == "NN");
  CHECK(course.to_server == kStartup + "more");
  CHECK(talk_both(filter, {client(kGssRequest + kSslRequest + kStartup)}).to_client == "NN");
}

TEST_CASE(
    "pgsql filter: the server's offer is shown without mechanisms that bind to a TLS channel") {
  const std::string plus("SCRAM-SHA-256-PLUS\0", 19);
  const std::string plain("SCRAM-SHA-256\0", 14);
  const std::string end(1, '\0');
  const std::string notice = message('N', "SNOTICE" + end + end);
  const std::string version = message('v', hex("00 03 00 00 00 00 00 00"));
  const std::string offer = notice + version + message('R', kSasl + plus + plain + end);
  const std::string shown = notice + version + message('R', kSasl + plain + end);
  CHECK(talk_both(filter, {client(kStartup), server(offer)}).to_client == shown);
  CHECK(talk_both(filter, {client(kStartup), server(offer)}).status == Status::done);
  const Course together = talk_once(filter, {client(kStartup), server(offer + "behind")});
  CHECK(together.to_client == shown + "behind");
  CHECK(together.status == Status::done);
}

TEST_CASE(
    "pgsql filter: other authentication requests, errors and strange messages end it unchanged") {
  for (const std::string& bytes :
       {message('R', hex("00 00 00 05") + "salt"), message('R', hex("00 00 00 00")),
        message('E', "SFATAL"), message('R', ""), message('Z', "I"), "R" + hex("7f ff ff ff"),
        message('R', kSasl), message('R', kSasl + "no end")}) {
    auto conversation = filter();
    Step step = conversation->on_start();
    std::string shown;
    std::size_t used = 0;
    while (step.status == Status::again) {
      REQUIRE(used < bytes.size());
      step = conversation->on_server(as_bytes(bytes).subspan(used++, 1));
      shown += step.to_client;
    }
    CHECK(shown + bytes.substr(used) == bytes);
    CHECK(talk_once(filter, {server(bytes)}).to_client == bytes);
  }
}

TEST_CASE("pgsql filter: what is held is given back when a side ends") {
  for (const bool by_client : {true, false}) {
    auto conversation = filter();
    (void)conversation->on_start();
    CHECK(conversation->on_client(as_bytes(kSslRequest).first(7)).to_server.empty());
    CHECK(conversation->on_server(as_bytes("R...")).to_client.empty());
    const Step step =
        by_client ? conversation->on_client_end() : conversation->on_server_end(End::reset);
    CHECK(step.status == Status::done);
    CHECK(step.to_server == kSslRequest.substr(0, 7));
    CHECK(step.to_client == "R...");
  }
}

TEST_CASE("pgsql filter: a cancel request is no request for encryption") {
  const std::string cancel = hex("00 00 00 10 04 d2 16 2e 00 00 00 01 00 00 00 02");
  CHECK(talk_both(filter, {client(cancel)}).to_server == cancel);
}

TEST_CASE("pgsql filter: asking over and over is not answered for ever") {
  std::string many;
  for (int i = 0; i < 20; ++i) many += kSslRequest;
  const Course course = talk_both(filter, {client(many)});
  CHECK(course.to_client == "NNNNNNNN");
  CHECK(course.to_server.size() == 12 * kSslRequest.size());
}

}  // namespace tunnel::preamble::pgsql_test
