// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>

#include "preamble/starttls.h"
#include "talking.h"

namespace tunnel::preamble {
namespace {

std::unique_ptr<Conversation> pgsql() { return pgsql_starttls({.who = "db:5432"}); }
std::unique_ptr<Conversation> filter() { return pgsql_filter(); }

const std::string kSslRequest = hex("00 00 00 08 04 d2 16 2f");
const std::string kGssRequest = hex("00 00 00 08 04 d2 16 30");
const std::string kStartup = hex("00 00 00 0f 00 03 00 00") + std::string("user\0x\0", 7);

std::string error_response(const std::string& fields) {
  const std::size_t size = fields.size() + 4;
  return "E" + hex("00 00") + std::string{static_cast<char>(size >> 8), static_cast<char>(size)} +
         fields;
}

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
  const std::string all = kGssRequest + kSslRequest + kStartup;
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    CAPTURE(piece);
    auto conversation = filter();
    Step step = conversation->on_start();
    std::string to_client;
    std::string to_server;
    std::size_t used = 0;
    while (step.status == Status::again) {
      REQUIRE(used < all.size());
      const std::size_t size = std::min(piece, all.size() - used);
      step = conversation->on_client(as_bytes(all).subspan(used, size));
      used += size;
      to_client += step.to_client;
      to_server += step.to_server;
    }
    CHECK(step.status == Status::done);
    CHECK(to_client == "NN");
    CHECK(to_server + all.substr(used) ==
          kStartup);  // the filter ends early: the rest is the relay's
  }
}

TEST_CASE("pgsql filter: a startup message goes on whole, together with what follows") {
  const Course course = talk_once(filter, {client(kSslRequest + kStartup + "more")});
  CHECK(course.status == Status::done);
  CHECK(course.to_client == "N");
  CHECK(course.to_server == kStartup + "more");
}

TEST_CASE("pgsql filter: what only begins like a request is given back when the client ends") {
  auto conversation = filter();
  (void)conversation->on_start();
  CHECK(conversation->on_client(as_bytes(kSslRequest).first(7)).to_server.empty());
  const Step step = conversation->on_client_end();
  CHECK(step.status == Status::done);
  CHECK(step.to_server == kSslRequest.substr(0, 7));
}

TEST_CASE("pgsql filter: what the server says first passes") {
  auto conversation = filter();
  (void)conversation->on_start();
  const Step step = conversation->on_server(as_bytes("E..."));
  CHECK(step.status == Status::again);
  CHECK(step.to_client == "E...");
}

TEST_CASE("pgsql filter: a cancel request is no request for encryption") {
  const std::string cancel = hex("00 00 00 10 04 d2 16 2e 00 00 00 01 00 00 00 02");
  CHECK(talk_once(filter, {client(cancel)}).to_server == cancel);
}

TEST_CASE("pgsql filter: asking over and over ends the filter") {
  std::string many;
  for (int i = 0; i < 20; ++i) many += kSslRequest;
  const Course course = talk_once(filter, {client(many)});
  CHECK(course.status == Status::done);
  CHECK(course.to_client == "NNNNNNNN");
  CHECK(course.to_server.size() == 12 * kSslRequest.size());
}

}  // namespace tunnel::preamble
