// SPDX-License-Identifier: MIT
#include "dns/message.h"

#include <doctest/doctest.h>

#include "tests/dns/dns_message.h"

namespace tunnel::dns::testing {

namespace {

Answer parse(const std::string& bytes, RecordType type) {
  // A copy of exactly this size, so that a sanitizer sees a read behind it.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  return parse_reply(as_bytes({exact.data(), exact.size()}), type);
}

Reply reply_a() { return Reply::to("www.example.com", kA); }

}  // namespace

TEST_CASE("addresses come in the server's order, with the shortest TTL, once each") {
  const Answer answer = parse(reply_a()
                                  .add(kA, 300, v4("10.0.0.2"))
                                  .add(kA, 60, v4("10.0.0.1"))
                                  .add(kA, 90, v4("10.0.0.2"))
                                  .bytes(),
                              RecordType::a);
  CHECK(answer.status == Status::ok);
  REQUIRE(answer.addresses.size() == 2);
  CHECK(answer.addresses[0].to_string() == "10.0.0.2:0");
  CHECK(answer.addresses[1].to_string() == "10.0.0.1:0");
  CHECK(answer.ttl == std::chrono::seconds(60));

  const Answer v6_answer =
      parse(Reply::to("x", kAaaa).add(kAaaa, 5, v6("2001:db8::1")).bytes(), RecordType::aaaa);
  REQUIRE(v6_answer.addresses.size() == 1);
  CHECK(v6_answer.addresses[0].ip() == "2001:db8::1");
}

TEST_CASE("an alias counts with its TTL, records of other types do not count") {
  const std::string alias = wire_name("real.example.com");
  const Answer answer = parse(reply_a()
                                  .add(kCname, 20, alias)
                                  .add(kAaaa, 1, v6("::1"))
                                  .add(kA, 300, v4("10.0.0.1"), alias)
                                  .bytes(),
                              RecordType::a);
  CHECK(answer.status == Status::ok);
  CHECK(answer.addresses.size() == 1);
  CHECK(answer.ttl == std::chrono::seconds(20));
}

TEST_CASE("an absurd TTL is cut") {
  const Answer negative =
      parse(reply_a().add(kA, 0x80000001U, v4("10.0.0.1")).bytes(), RecordType::a);
  CHECK(negative.ttl == Millis(0));
  const Answer huge = parse(reply_a().add(kA, 0x7fffffffU, v4("10.0.0.1")).bytes(), RecordType::a);
  CHECK(huge.ttl == std::chrono::hours(24));
}

TEST_CASE("services: fields, compressed targets, and those that are of no use") {
  Reply reply = Reply::to("_ldap._tcp.example.com", kSrv);
  // "example.com" is at 12 + 6 ("_ldap") + 5 ("_tcp").
  reply.add(kSrv, 100, srv(1, 2, 636, std::string("\3dc1\xc0\x17", 6)))
      .add(kSrv, 50, srv(0, 0, 389, wire_name("dc2.other.test")))
      .add(kSrv, 70, srv(0, 0, 389, wire_name("")))  // not offered here
      .add(kSrv, 70, srv(0, 0, 0, wire_name("noport.test")))
      .add(kSrv, 70, srv(0, 0, 389, wire_name("bad name.test")));  // a blank in it
  const Answer answer = parse(reply.bytes(), RecordType::srv);
  CHECK(answer.status == Status::ok);
  REQUIRE(answer.services.size() == 2);
  CHECK(answer.services[0] ==
        Service{.target = "dc1.example.com", .port = 636, .priority = 1, .weight = 2});
  CHECK(answer.services[1].target == "dc2.other.test");
  CHECK(answer.ttl == std::chrono::seconds(50));

  const Answer none =
      parse(Reply::to("_x._tcp.test", kSrv).add(kSrv, 1, srv(0, 0, 0, wire_name(""))).bytes(),
            RecordType::srv);
  CHECK(none.status == Status::nodata);
}

TEST_CASE("response codes and empty answers") {
  CHECK(parse(reply_a().bytes(), RecordType::a).status == Status::nodata);
  CHECK(parse(reply_a().code(3).bytes(), RecordType::a).status == Status::nxdomain);
  CHECK(parse(reply_a().code(2).bytes(), RecordType::a).status == Status::servfail);
  CHECK(parse(reply_a().code(5).bytes(), RecordType::a).status == Status::servfail);
  CHECK(parse(reply_a().code(1).bytes(), RecordType::a).status == Status::malformed);
}

TEST_CASE("an answer that is cut off, a question, or wrong inside is malformed") {
  const Reply good = reply_a().add(kA, 60, v4("10.0.0.1"));
  Reply cut = good;
  CHECK(parse(cut.truncated().bytes(), RecordType::a).status == Status::malformed);
  Reply query = good;
  query.flags = 0x0100;
  CHECK(parse(query.bytes(), RecordType::a).status == Status::malformed);
  CHECK(parse(reply_a().add(kA, 60, "abc").bytes(), RecordType::a).status == Status::malformed);
  CHECK(parse(Reply::to("x", kSrv).add(kSrv, 60, srv(0, 0, 1, wire_name("a")) + "x").bytes(),
              RecordType::srv)
            .status == Status::malformed);
  CHECK(parse("", RecordType::a).status == Status::malformed);

  const std::string whole = good.bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(parse(whole.substr(0, size), RecordType::a).status == Status::malformed);
  }
}

TEST_CASE("a name that points at itself, forward or around ends") {
  for (const char* target : {"\xc0\x0c", "\xff\xff", "\xc0\x1f"}) {
    Reply reply = Reply::to("x", kSrv);
    // The target's own offset is 12 + 3 + 4 + 2 + 10 + 6 = 37.
    reply.add(kSrv, 60, srv(0, 0, 1, target));
    (void)parse(reply.bytes(), RecordType::srv);
  }
  const Reply itself = Reply::to("x", kSrv).add(kSrv, 60, srv(0, 0, 1, "\xc0\x25"));
  CHECK(parse(itself.bytes(), RecordType::srv).status == Status::malformed);
  const Reply forward = Reply::to("x", kSrv).add(kSrv, 60, srv(0, 0, 1, "\xc0\x26"));
  CHECK(parse(forward.bytes(), RecordType::srv).status == Status::malformed);
}

TEST_CASE("a name through as many pointers as it can have labels is read, through more it is not") {
  const auto through = [](unsigned pointers) {
    Reply reply = Reply::to("www.example.com", kSrv);
    // The owner (2 bytes), type, class, TTL and length of a record stand before its data.
    const auto data = static_cast<unsigned>(reply.bytes().size()) + 12;
    // Each points at the one before it, and the first at the question's name.
    std::string chain = "\xc0\x0c";
    for (unsigned i = 1; i < pointers; ++i) chain += u16(0xc000 + data + 2 * (i - 1));
    return parse(reply.add(16, 60, chain)
                     .add(kSrv, 60, srv(0, 0, 1, wire_name("a.test")),
                          u16(0xc000 + data + 2 * (pointers - 1)))
                     .bytes(),
                 RecordType::srv);
  };
  CHECK(through(1).services.size() == 1);
  CHECK(through(127).services.size() == 1);
  CHECK(through(128).status == Status::malformed);
  CHECK(through(1000).status == Status::malformed);
}

TEST_CASE("no single wrong byte leads out of the message") {
  Reply reply = Reply::to("_ldap._tcp.example.com", kSrv);
  reply.add(kCname, 10, wire_name("elsewhere.test"))
      .add(kSrv, 100, srv(1, 2, 636, std::string("\3dc1\xc0\x17", 6)));
  const std::string whole = reply.bytes();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string wrong = whole;
      wrong[i] = static_cast<char>(value);
      const Answer answer = parse(wrong, RecordType::srv);
      CHECK(answer.services.size() <= 1);
    }
  }
}

}  // namespace tunnel::dns::testing
