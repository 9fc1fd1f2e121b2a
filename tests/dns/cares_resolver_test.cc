// SPDX-License-Identifier: MIT
#include "dns/cares_resolver.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "tests/dns/dns_server.h"
#include "tests/dns/temporary_file.h"

namespace tunnel::dns::testing {

namespace {

using Servers = std::vector<SocketAddress>;

CaresResolver::Options options_for(Servers servers, std::string resolv_conf = "/nonexistent") {
  return {.servers = std::move(servers), .resolv_conf = std::move(resolv_conf)};
}

// Asks one question and turns the loop until it is answered.
Answer ask(uv::Loop& loop, CaresResolver& resolver, const std::string& name, RecordType type) {
  Answer got;
  bool is_answered = false;
  resolver.ask(name, type, [&](Answer answer) {
    got = std::move(answer);
    is_answered = true;
  });
  CHECK_FALSE(is_answered);
  while (!is_answered) (void)uv_run(loop.raw(), UV_RUN_ONCE);
  return got;
}

Answer ask_once(const DnsServer& server, const std::string& name, RecordType type) {
  uv::Loop loop;
  CaresResolver resolver(loop, options_for({server.address()}));
  return ask(loop, resolver, name, type);
}

std::optional<std::string> with_address(Query query) {
  return query.reply.add(kA, 60, v4("10.0.0.1")).bytes();
}

}  // namespace

TEST_CASE("A, AAAA and SRV are asked for and read") {
  const DnsServer server([](Query query) -> std::optional<std::string> {
    Reply& reply = query.reply;
    if (query.type == kA) {
      reply.add(kA, 300, v4("10.0.0.2")).add(kA, 60, v4("10.0.0.1"));
    } else if (query.type == kAaaa) {
      reply.add(kAaaa, 40, v6("2001:db8::5"));
    } else {
      reply.add(kSrv, 20, srv(3, 4, 636, wire_name("dc1.example.com")));
    }
    return reply.bytes();
  });
  uv::Loop loop;
  CaresResolver resolver(loop, options_for({server.address()}));
  const Answer a = ask(loop, resolver, "ldap.example.com", RecordType::a);
  CHECK(a.status == Status::ok);
  REQUIRE(a.addresses.size() == 2);
  CHECK(a.addresses[0].ip() == "10.0.0.2");
  CHECK(a.ttl == std::chrono::seconds(60));
  const Answer aaaa = ask(loop, resolver, "ldap.example.com", RecordType::aaaa);
  REQUIRE(aaaa.addresses.size() == 1);
  CHECK(aaaa.addresses[0].ip() == "2001:db8::5");
  const Answer services = ask(loop, resolver, "_ldap._tcp.example.com", RecordType::srv);
  REQUIRE(services.services.size() == 1);
  CHECK(services.services[0] ==
        Service{.target = "dc1.example.com", .port = 636, .priority = 3, .weight = 4});
  CHECK(services.ttl == std::chrono::seconds(20));
}

TEST_CASE("several questions are under way at once") {
  const DnsServer server(with_address);
  uv::Loop loop;
  CaresResolver resolver(loop, options_for({server.address()}));
  int answers = 0;
  for (const char* name : {"one.test", "two.test", "three.test"}) {
    resolver.ask(name, RecordType::a, [&](Answer answer) {
      CHECK(answer.status == Status::ok);
      // An answer may ask the next question.
      if (++answers == 1) resolver.ask("four.test", RecordType::a, [&](Answer) { ++answers; });
    });
  }
  while (answers < 4) (void)uv_run(loop.raw(), UV_RUN_ONCE);
  CHECK(server.queries() == 4);
  loop.run();  // nothing is left that keeps it busy
}

TEST_CASE("what a server says about a name it does not have") {
  const DnsServer nxdomain([](Query query) { return query.reply.code(3).bytes(); });
  CHECK(ask_once(nxdomain, "no.test", RecordType::a).status == Status::nxdomain);
  const DnsServer nodata([](Query query) { return query.reply.bytes(); });
  CHECK(ask_once(nodata, "no.test", RecordType::aaaa).status == Status::nodata);
}

TEST_CASE("a failing server, and the next one instead of it") {
  const DnsServer failing([](Query query) { return query.reply.code(2).bytes(); });
  const DnsServer refusing([](Query query) { return query.reply.code(5).bytes(); });
  const DnsServer good(with_address);
  for (const DnsServer* server : {&failing, &refusing}) {
    // c-ares before 1.20 does not tell the two apart.
    const Status status = ask_once(*server, "x.test", RecordType::a).status;
    CHECK((status == Status::servfail || status == Status::unreachable));
  }

  uv::Loop loop;
  CaresResolver resolver(loop,
                         options_for({failing.address(), refusing.address(), good.address()}));
  CHECK(ask(loop, resolver, "x.test", RecordType::a).status == Status::ok);
}

TEST_CASE("silence is a timeout, a closed port is unreachable") {
  const DnsServer silent([](Query) { return std::nullopt; });
  uv::Loop loop;
  CaresResolver::Options options = options_for({silent.address()});
  options.timeout = Millis(20);
  CaresResolver resolver(loop, options);
  CHECK(ask(loop, resolver, "x.test", RecordType::a).status == Status::timeout);
  CHECK(silent.queries() == 2);  // it was tried twice

  SocketAddress closed;
  { closed = DnsServer(with_address).address(); }
  CaresResolver alone(loop, options_for({closed}));
  CHECK(ask(loop, alone, "x.test", RecordType::a).status == Status::unreachable);
}

TEST_CASE("an answer that was cut off is asked for again over TCP") {
  const DnsServer server([](Query query) -> std::optional<std::string> {
    if (!query.is_tcp) return query.reply.truncated().bytes();
    for (int i = 0; i < 100; ++i) {
      query.reply.add(kA, 60, v4(("10.0.1." + std::to_string(i)).c_str()));
    }
    return query.reply.bytes();
  });
  const Answer answer = ask_once(server, "many.test", RecordType::a);
  CHECK(answer.status == Status::ok);
  CHECK(answer.addresses.size() == 100);
  CHECK(server.queries() == 2);
}

TEST_CASE("garbage is passed over, and a broken answer to the question is malformed") {
  const DnsServer noise([](Query query) -> std::optional<std::string> {
    if (query.number == 1) return "this is not DNS at all";
    if (query.number == 2) {
      query.reply.id = u16(0) + "";
      query.reply.question = wire_name("other.test") + u16(kA) + u16(1);
    }
    return query.reply.add(kA, 60, v4("10.0.0.1")).bytes();
  });
  uv::Loop loop;
  CaresResolver::Options options = options_for({noise.address()});
  options.timeout = Millis(50);
  options.tries = 4;
  CaresResolver resolver(loop, options);
  const Answer answer = ask(loop, resolver, "x.test", RecordType::a);
  CHECK(answer.status == Status::ok);
  CHECK(noise.queries() >= 3);

  const DnsServer broken([](Query query) { return query.reply.add(kA, 60, "abc").bytes(); });
  CHECK(ask_once(broken, "x.test", RecordType::a).status == Status::malformed);
}

TEST_CASE("what is no name is told later, too") {
  const DnsServer server(with_address);
  CHECK(ask_once(server, "a..b", RecordType::a).status == Status::bad_name);
  CHECK(ask_once(server, std::string(70, 'x') + ".test", RecordType::a).status == Status::bad_name);
  CHECK(server.queries() == 0);
}

TEST_CASE("the search list of resolv.conf is used, but not for a name with a dot at its end") {
  const DnsServer server([](Query query) -> std::optional<std::string> {
    if (query.name != "ldap.example.test") return query.reply.code(3).bytes();
    return with_address(std::move(query));
  });
  const TemporaryFile file("search other.test example.test\noptions ndots:1\n");
  uv::Loop loop;
  CaresResolver resolver(loop, options_for({server.address()}, file.path()));
  CHECK(ask(loop, resolver, "ldap", RecordType::a).status == Status::ok);
  CHECK(ask(loop, resolver, "ldap.", RecordType::a).status == Status::nxdomain);
  CHECK(ask(loop, resolver, "ldap.example.test.", RecordType::a).status == Status::ok);
}

// Waits for more than the second in which resolv.conf is not looked at again.
TEST_CASE("a changed resolv.conf takes over, also for the questions that wait") {
  const DnsServer silent([](Query) { return std::nullopt; });
  const DnsServer good(with_address, "127.0.0.2", silent.address().port());
  TemporaryFile file("nameserver 127.0.0.1\n");
  uv::Loop loop;
  CaresResolver::Options options = options_for({}, file.path());
  options.port = silent.address().port();
  options.timeout = std::chrono::hours(1);
  CaresResolver resolver(loop, options);
  int answers = 0;
  const auto count = [&](Answer answer) {
    CHECK(answer.status == Status::ok);
    ++answers;
  };
  resolver.ask("first.test", RecordType::a, count);
  uv::Timer change(loop, [&] {
    file.replace("nameserver 127.0.0.2\n");
    resolver.ask("second.test", RecordType::a, count);
  });
  change.start(Millis(1050));
  while (answers < 2) (void)uv_run(loop.raw(), UV_RUN_ONCE);
  CHECK(silent.queries() == 1);
  CHECK(good.queries() == 2);
}

TEST_CASE("destroyed with questions and answers on their way, it calls nobody") {
  const DnsServer silent([](Query) { return std::nullopt; });
  uv::Loop loop;
  bool is_called = false;
  {
    CaresResolver resolver(loop, options_for({silent.address()}));
    resolver.ask("x.test", RecordType::a, [&](Answer) { is_called = true; });
    resolver.ask("a..b", RecordType::a, [&](Answer) { is_called = true; });
  }
  loop.run();
  CHECK_FALSE(is_called);
}

}  // namespace tunnel::dns::testing
