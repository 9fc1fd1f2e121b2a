// SPDX-License-Identifier: MIT
#include "dns/names.h"

#include <doctest/doctest.h>

#include "tests/dns/names_world.h"
#include "tests/dns/temporary_file.h"

namespace tunnel::dns::testing {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("a watched name is asked for in both families, and its addresses are interleaved") {
  World world;
  world.watch("ldap.example.com");
  REQUIRE(world.open.size() == 2);
  CHECK(world.open[0].name == "ldap.example.com");
  CHECK(world.open[0].type == RecordType::aaaa);
  CHECK(world.open[1].type == RecordType::a);
  CHECK(world.names->find("ldap.example.com", Kind::addresses) == nullptr);
  world.answer_both(addresses({"2001:db8::2", "2001:db8::1"}),
                    addresses({"10.0.0.3", "10.0.0.1", "10.0.0.2"}));
  CHECK(world.last() == "2001:db8::2 10.0.0.3 2001:db8::1 10.0.0.1 10.0.0.2");
  CHECK(world.updates.back().name == "ldap.example.com");
  CHECK(world.updates.back().status == Status::ok);
  CHECK_FALSE(world.updates.back().is_stale);
  CHECK(world.updates.back().error.empty());
  CHECK(world.names->find("LDAP.example.com", Kind::addresses)->addresses.size() == 5);
  CHECK(world.log.lines.empty());
}

TEST_CASE("IPv4 that comes first waits 50 ms for IPv6") {
  World world;
  world.watch("x.test");
  world.answer(RecordType::a, addresses({"10.0.0.1"}));
  world.pass(Millis(49));
  CHECK(world.updates.empty());
  SUBCASE("which comes in time") {
    world.answer(RecordType::aaaa, addresses({"::2"}));
    CHECK(world.updates.size() == 1);
    CHECK(world.last() == "::2 10.0.0.1");
  }
  SUBCASE("which does not exist") {
    world.answer(RecordType::aaaa, failure(Status::nodata));
    CHECK(world.updates.size() == 1);
    CHECK(world.last() == "10.0.0.1");
  }
  SUBCASE("which comes later") {
    world.pass(Millis(1));
    CHECK(world.updates.size() == 1);
    CHECK(world.last() == "10.0.0.1");
    CHECK(world.updates.back().generation == 1);
    world.pass(seconds(3));
    world.answer(RecordType::aaaa, addresses({"::2"}));
    CHECK(world.updates.size() == 2);
    CHECK(world.last() == "::2 10.0.0.1");
    CHECK(world.updates.back().generation == 2);
  }
}

TEST_CASE("IPv6 that comes first does not wait") {
  World world;
  world.watch("x.test");
  world.answer(RecordType::aaaa, addresses({"::2"}));
  CHECK(world.last() == "::2");
  world.answer(RecordType::a, addresses({"10.0.0.1"}));
  CHECK(world.last() == "::2 10.0.0.1");
  CHECK(world.updates.size() == 2);
}

TEST_CASE("one family without records, or without an answer, does not harm the other") {
  for (Status status : {Status::nodata, Status::nxdomain, Status::servfail, Status::timeout}) {
    World world;
    world.watch("x.test");
    world.answer_both(failure(status), addresses({"10.0.0.1"}));
    CHECK(world.last() == "10.0.0.1");
    CHECK(world.updates.back().status == Status::ok);
    CHECK(world.log.lines.empty());
  }
}

TEST_CASE("a name is asked for again when the first of its TTLs ends") {
  World world;
  world.watch("x.test");
  world.answer_both(addresses({"::1"}, 100), addresses({"10.0.0.1"}, 30));
  world.pass(seconds(30) - Millis(1));
  CHECK(world.open.empty());
  world.pass(Millis(1));
  CHECK(world.open.size() == 2);
  world.pass(hours(1));  // one lookup at a time
  CHECK(world.open.size() == 2);
}

TEST_CASE("a TTL shorter than dns_min_ttl does not count") {
  World world({.min_ttl = seconds(5)});
  world.watch("x.test");
  world.answer_both(failure(Status::nodata), addresses({"10.0.0.1"}, 0));
  world.pass(seconds(5) - Millis(1));
  CHECK(world.open.empty());
  world.pass(Millis(1));
  CHECK(world.open.size() == 2);
}

TEST_CASE("only a change is told, and another order is none") {
  World world;
  world.watch("x.test");
  world.answer_both(failure(Status::nodata), addresses({"10.0.0.1", "10.0.0.2"}));
  world.pass(seconds(60));
  world.answer_both(failure(Status::nodata), addresses({"10.0.0.2", "10.0.0.1"}));
  CHECK(world.updates.size() == 1);
  CHECK(world.names->find("x.test", Kind::addresses)->addresses[0].ip() == "10.0.0.1");
  world.pass(seconds(60));
  world.answer_both(failure(Status::nodata), addresses({"10.0.0.2", "10.0.0.3"}));
  CHECK(world.updates.size() == 2);
  CHECK(world.last() == "10.0.0.2 10.0.0.3");
  CHECK(world.updates.back().generation == 2);
}

TEST_CASE(
    "while a renewal is under way, an old family keeps its addresses until its answer comes") {
  World world;
  world.watch("x.test");
  world.answer_both(addresses({"::1"}), addresses({"10.0.0.1"}));
  world.pass(seconds(60));
  world.answer(RecordType::a, addresses({"10.0.0.2"}));
  CHECK(world.last() == "::1 10.0.0.2");
  world.answer(RecordType::aaaa, failure(Status::nodata));
  CHECK(world.last() == "10.0.0.2");
}

TEST_CASE("while DNS is broken, the last good answer serves, and the log says it once") {
  for (Status status : {Status::servfail, Status::timeout, Status::nxdomain, Status::malformed}) {
    World world({.max_stale = minutes(10)});
    world.watch("x.test");
    world.answer_both(addresses({"::1"}), addresses({"10.0.0.1"}));
    world.pass(seconds(60));
    world.answer_both(failure(status), failure(status));
    REQUIRE(world.updates.size() >= 2);
    CHECK(world.last() == "::1 10.0.0.1");
    CHECK(world.updates.back().status == status);
    CHECK(world.updates.back().is_stale);
    CHECK(world.updates.back().generation == world.updates[world.updates.size() - 2].generation);
    CHECK(world.updates.back().error == "cannot resolve x.test: " + std::string(describe(status)));
    REQUIRE(world.log.lines.size() == 1);
    CHECK(world.log.lines[0] ==
          "warning: " + world.updates.back().error + "; the last good answer stays in use");
    const std::size_t told = world.updates.size();
    world.pass(seconds(1));
    world.answer_both(failure(status), failure(status));
    CHECK(world.updates.size() == told);
    CHECK(world.log.lines.size() == 1);

    world.pass(seconds(2));
    world.answer_both(addresses({"::1"}), addresses({"10.0.0.1"}));
    CHECK(world.updates.size() == told + 1);
    CHECK_FALSE(world.updates.back().is_stale);
    CHECK(world.updates.back().status == Status::ok);
    CHECK(world.updates.back().error.empty());
    REQUIRE(world.log.lines.size() == 2);
    CHECK(world.log.lines[1] == "info: x.test can be resolved again");
  }
}

TEST_CASE("after dns_max_stale the last good answer is given up") {
  World world({.max_stale = minutes(10)});
  world.watch("x.test");
  world.answer_both(addresses({"::1"}, 60), addresses({"10.0.0.1"}, 90));
  const auto fail_until = [&](TimePoint end) {
    while (world.clock.now() < end) {
      if (!world.open.empty()) {
        world.answer_both(failure(Status::timeout), failure(Status::timeout));
      }
      const TimePoint next = std::min(end, world.alarm.value_or(end));
      world.pass(std::max(Millis(0), next - world.clock.now()));
    }
  };
  const TimePoint begin = world.clock.now();
  fail_until(begin + minutes(10) + seconds(60) - Millis(1));
  CHECK(world.last() == "::1 10.0.0.1");
  fail_until(begin + minutes(10) + seconds(60));
  CHECK(world.last() == "10.0.0.1");
  CHECK(world.updates.back().is_stale);
  fail_until(begin + minutes(10) + seconds(90));
  CHECK(world.last().empty());
  CHECK_FALSE(world.updates.back().is_stale);
  CHECK(world.updates.back().status == Status::timeout);
  REQUIRE(world.log.lines.size() == 2);
  CHECK(world.log.lines[1] ==
        "error: cannot resolve x.test: no name server answered in time; the last good answer is "
        "older than dns_max_stale allows");
}

TEST_CASE("a family whose server is broken keeps its last answer, but not for ever") {
  World world({.max_stale = minutes(2)});
  world.watch("x.test");
  world.answer_both(addresses({"::1"}), addresses({"10.0.0.1"}));
  world.pass(seconds(60));
  world.answer_both(failure(Status::timeout), addresses({"10.0.0.1"}));
  CHECK(world.updates.back().status == Status::ok);
  CHECK(world.last() == "::1 10.0.0.1");
  world.pass(seconds(60));
  world.answer_both(failure(Status::timeout), addresses({"10.0.0.1"}, 300));
  world.pass(seconds(60));
  CHECK(world.last() == "10.0.0.1");
  CHECK(world.updates.back().status == Status::ok);
}

TEST_CASE("a name that never resolved is told once, and tried again ever more slowly") {
  World world;
  world.watch("x.test");
  world.answer_both(failure(Status::nodata), failure(Status::servfail));
  REQUIRE(world.updates.size() == 1);
  CHECK(world.updates[0].addresses.empty());
  CHECK(world.updates[0].status == Status::servfail);
  CHECK_FALSE(world.updates[0].is_stale);
  CHECK(world.updates[0].generation == 0);
  REQUIRE(world.log.lines.size() == 1);
  CHECK(world.log.lines[0] == "warning: " + world.updates[0].error + "; it is tried again");
  for (int wait : {1, 2, 4, 8, 16, 30, 30}) {
    world.pass(seconds(wait) - Millis(1));
    CHECK(world.open.empty());
    world.pass(Millis(1));
    REQUIRE(world.open.size() == 2);
    world.answer_both(failure(Status::servfail), failure(Status::servfail));
  }
  CHECK(world.updates.size() == 1);
  world.pass(seconds(30));
  world.answer_both(failure(Status::nxdomain), failure(Status::nxdomain));
  CHECK(world.updates.size() == 2);  // it fails in another way
  CHECK(world.log.lines.size() == 1);
  world.pass(seconds(30));
  world.answer_both(failure(Status::nodata), addresses({"10.0.0.1"}));
  CHECK(world.last() == "10.0.0.1");
  CHECK(world.log.lines.size() == 2);
  // The next failure begins with short waits again.
  world.pass(seconds(60));
  world.answer_both(failure(Status::timeout), failure(Status::timeout));
  world.pass(seconds(1));
  CHECK(world.open.size() == 2);
}

TEST_CASE("a failed dial asks again at once, though not within dns_min_ttl of the last time") {
  World world({.min_ttl = seconds(10)});
  world.watch("x.test");
  world.answer_both(addresses({"::1"}), addresses({"10.0.0.1"}, 3600));
  world.pass(seconds(4));
  world.names->refresh("X.test");
  world.names->refresh("unknown.test");
  world.pass(seconds(6) - Millis(1));
  CHECK(world.open.empty());
  world.pass(Millis(1));
  CHECK(world.open.size() == 2);
  world.names->refresh("x.test");  // already under way
  world.pass(Millis(0));
  CHECK(world.open.size() == 2);
  world.answer_both(failure(Status::timeout), failure(Status::timeout));
  CHECK(world.updates.back().is_stale);
  world.pass(seconds(30));  // far into the back-off's waits
  if (!world.open.empty()) world.answer_both(failure(Status::timeout), failure(Status::timeout));
  world.pass(seconds(10) - Millis(1));
  if (!world.open.empty()) world.answer_both(failure(Status::timeout), failure(Status::timeout));
  world.pass(seconds(10));
  world.names->refresh("x.test");
  world.pass(Millis(0));
  CHECK(world.open.size() == 2);
}

TEST_CASE("SRV records are sorted by priority and weight, and told when they change") {
  World world;
  world.watch("_ldap._tcp.example.com", Kind::services);
  REQUIRE(world.open.size() == 1);
  CHECK(world.open[0].type == RecordType::srv);
  Answer answer{.status = Status::ok, .addresses = {}, .services = {}, .ttl = seconds(20)};
  answer.services = {{.target = "c", .port = 1, .priority = 2, .weight = 9},
                     {.target = "b", .port = 1, .priority = 1, .weight = 1},
                     {.target = "a", .port = 1, .priority = 1, .weight = 5}};
  world.answer(RecordType::srv, answer);
  REQUIRE(world.updates.size() == 1);
  REQUIRE(world.updates[0].services.size() == 3);
  CHECK(world.updates[0].services[0].target == "a");
  CHECK(world.updates[0].services[1].target == "b");
  CHECK(world.updates[0].services[2].target == "c");
  world.pass(seconds(20));
  std::swap(answer.services[0], answer.services[2]);
  world.answer(RecordType::srv, answer);
  CHECK(world.updates.size() == 1);
  world.pass(seconds(20));
  answer.services.pop_back();
  world.answer(RecordType::srv, answer);
  CHECK(world.updates.size() == 2);
  CHECK(world.updates.back().services.size() == 2);
  world.pass(seconds(20));
  world.answer(RecordType::srv, failure(Status::servfail));
  CHECK(world.updates.back().services.size() == 2);
  CHECK(world.updates.back().is_stale);
}

TEST_CASE("two watches of one name share its lookups, and the second hears what is known") {
  World world;
  world.watch("x.test");
  world.watch("X.TEST");
  CHECK(world.open.size() == 2);
  world.answer_both(addresses({"::1"}), addresses({"10.0.0.1"}));
  CHECK(world.updates.size() == 4);
  const std::size_t before = world.updates.size();
  bool is_told = false;
  (void)world.names->watch("x.test", Kind::addresses,
                           [&](const Update& update) { is_told = update.addresses.size() == 2; });
  CHECK_FALSE(is_told);
  world.pass(Millis(0));
  CHECK(is_told);
  CHECK(world.updates.size() == before);
  CHECK(world.open.empty());
}

TEST_CASE("a watch that ended hears nothing, and a name nobody watches is forgotten") {
  World world;
  const Names::WatchId first = world.watch("x.test");
  const Names::WatchId second = world.watch("x.test");
  world.names->unwatch(first);
  world.names->unwatch(first);
  world.answer(RecordType::aaaa, addresses({"::1"}));
  CHECK(world.updates.size() == 1);
  world.names->unwatch(second);
  world.answer(RecordType::a, addresses({"10.0.0.1"}));
  CHECK(world.updates.size() == 1);
  CHECK(world.names->find("x.test", Kind::addresses) == nullptr);
  CHECK_FALSE(world.alarm.has_value());
  world.pass(hours(1));
  CHECK(world.open.empty());
}

TEST_CASE("a listener may end watches and begin others") {
  World world;
  Names::WatchId own = 0;
  Names::WatchId other = 0;
  int heard = 0;
  own = world.names->watch("x.test", Kind::addresses, [&](const Update&) {
    ++heard;
    world.names->unwatch(own);
    world.names->unwatch(other);
    world.names->refresh("x.test");
    (void)world.names->watch("y.test", Kind::addresses, [&](const Update&) { ++heard; });
  });
  other = world.names->watch("x.test", Kind::addresses, [&](const Update&) { FAIL("ended"); });
  world.pass(Millis(0));
  world.answer(RecordType::aaaa, addresses({"::1"}));
  CHECK(heard == 1);
  CHECK(world.open.size() == 3);  // what is left of x.test, and y.test
  world.answer(RecordType::a, addresses({"10.0.0.1"}));
  CHECK(heard == 1);
  world.answer_both(addresses({"::1"}), addresses({"10.0.0.1"}));
  CHECK(heard >= 2);
}

TEST_CASE("the hosts file comes first, and is looked at again") {
  TemporaryFile file("10.0.0.5 db.test\n::5 db.test\n");
  World world({}, file.path());
  world.watch("DB.test");
  CHECK(world.open.empty());
  CHECK(world.last() == "::5 10.0.0.5");
  CHECK(world.updates.back().status == Status::ok);
  file.replace("10.0.0.6 db.test\n");
  world.pass(seconds(5));
  CHECK(world.last() == "10.0.0.6");
  file.replace("");
  world.pass(seconds(5));
  REQUIRE(world.open.size() == 2);
  world.answer_both(failure(Status::nxdomain), failure(Status::nxdomain));
  CHECK(world.last() == "10.0.0.6");
  CHECK(world.updates.back().is_stale);

  world.watch("localhost");
  CHECK(world.last() == "::1 127.0.0.1");
}

TEST_CASE("a numeric address is its own answer") {
  World world;
  world.watch("10.1.2.3");
  CHECK(world.last() == "10.1.2.3");
  world.watch("2001:db8::7");
  CHECK(world.last() == "2001:db8::7");
  CHECK(world.open.empty());
}

TEST_CASE("another resolver is asked what the old one did not answer") {
  std::vector<Asked> open;
  World world;
  world.watch("x.test");
  world.answer(RecordType::aaaa, addresses({"::1"}));
  REQUIRE(world.open.size() == 1);
  world.names->use_resolver(std::make_unique<FakeResolver>(open));
  CHECK(world.open.empty());
  world.pass(Millis(0));
  REQUIRE(open.size() == 2);
  open[0].on_answer(failure(Status::nodata));
  open[1].on_answer(addresses({"10.0.0.9"}));
  world.pass(Millis(0));
  CHECK(world.last() == "10.0.0.9");
}

TEST_CASE("limits may change while answers are in use") {
  World world({.max_stale = hours(10)});
  world.watch("x.test");
  world.answer_both(addresses({"::1"}), addresses({"10.0.0.1"}));
  world.pass(seconds(60));
  world.answer_both(failure(Status::timeout), failure(Status::timeout));
  CHECK(world.last() == "::1 10.0.0.1");
  world.names->use_limits({.max_stale = seconds(0)});
  world.pass(Millis(0));
  CHECK(world.last().empty());
}

TEST_CASE("what a name contains cannot forge a log line") {
  World world;
  world.watch("a\nb");
  world.answer_both(failure(Status::bad_name), failure(Status::bad_name));
  REQUIRE(world.log.lines.size() == 1);
  CHECK(world.log.lines[0].find('\n') == std::string::npos);
}

}  // namespace tunnel::dns::testing
