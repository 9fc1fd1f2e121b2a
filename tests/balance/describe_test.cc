// SPDX-License-Identifier: MIT
#include "balance/describe.h"

#include <doctest/doctest.h>

#include <utility>

namespace tunnel::balance::describe_test {

namespace {

using Entry = config::Target;
using Lines = std::vector<std::string>;

Entry host(const std::string& name, int weight = 1) {
  Entry target;
  target.form = Entry::Form::name;
  target.host = name;
  target.port = 636;
  target.text = name + ":636";
  target.weight = weight;
  return target;
}

Entry srv(const std::string& owner) {
  Entry target;
  target.form = Entry::Form::srv;
  target.host = owner;
  target.text = "srv:" + owner;
  return target;
}

config::Service service(config::TargetGroups connect,
                        config::Balance balance = config::Balance::round_robin) {
  config::Service result;
  result.connect = std::move(connect);
  result.balance = balance;
  return result;
}

const char* const kEjection =
    "a target whose dial fails is left out for 5s, twice as long each time in a row up to 1m; when "
    "all are left out they are tried anyway, in the same order";

}  // namespace

TEST_CASE("a single target is described without any rule") {
  CHECK(describe(service({{host("ldap.example.com")}})) ==
        Lines{"connections go to ldap.example.com:636, trying all its addresses",
              "it is the only target, so every connection tries it, whatever happened before"});
}

TEST_CASE("each policy has its words") {
  using config::Balance;
  const auto first_line = [](Balance balance, int weight) {
    return describe(service({{host("a", weight), host("b"), host("c")}}, balance)).front();
  };
  CHECK(first_line(Balance::round_robin, 1) ==
        "connections go to a:636, b:636 and c:636 in turn (round-robin)");
  CHECK(first_line(Balance::round_robin, 3) ==
        "connections go to a:636 (weight 3), b:636 (weight 1) and c:636 (weight 1) in turn, by "
        "weight (round-robin)");
  CHECK(first_line(Balance::least_connections, 1) ==
        "connections go to the one with the fewest connections of a:636, b:636 and c:636 "
        "(least-connections)");
  CHECK(first_line(Balance::random, 1) ==
        "connections go to the less loaded of two drawn at random from a:636, b:636 and c:636 "
        "(random)");
  CHECK(first_line(Balance::hash, 1) ==
        "connections go to the one that the client's address selects from a:636, b:636 and c:636, "
        "always the same while it can be chosen (hash)");
  CHECK(first_line(Balance::first, 3) ==
        "connections go to the first that can be chosen of a:636, b:636 and c:636 (first)");
}

TEST_CASE("groups are described in their order, a single member without a rule") {
  CHECK(describe(service({{host("a"), host("b")}, {host("c")}})) ==
        Lines{"connections go to the first of 2 groups that has a target to choose:",
              "group 1: a:636 and b:636 in turn (round-robin)", "group 2: c:636", kEjection});
}

TEST_CASE("drained and limited targets are named") {
  Entry limited = host("b");
  limited.max_connections = 200;
  Entry real = host("c");
  real.name = "dc3.example.com";
  CHECK(describe(service({{host("a", 0), limited, real}})) ==
        Lines{"connections go to b:636 (weight 1) and c:636 (weight 1) in turn, by weight "
              "(round-robin)",
              "a:636 is drained (weight 0) and gets no new connections",
              "b:636 takes at most 200 connections, attempts included",
              "c:636 must have a certificate for dc3.example.com", kEjection});
  CHECK(describe(service({{host("a", 0)}})) ==
        Lines{"connections go nowhere: every target is drained (weight 0)"});
  CHECK(describe(service({{host("a", 0)}, {host("b")}})).at(1) == "group 1: nobody");
}

TEST_CASE("waiting is described when every target has a limit") {
  Entry limited = host("a");
  limited.max_connections = 1;
  config::Service one = service({{limited}});
  CHECK(describe(one).at(1) == "a:636 takes at most 1 connection, attempts included");
  CHECK(describe(one).at(2) ==
        "when every target is at its max_connections, connections wait for at most 30s");
  one.timeouts.dial.reset();
  CHECK(describe(one).at(2) ==
        "when every target is at its max_connections, connections wait for as long as it takes");
}

TEST_CASE("SRV records and expanded names are described as what they will be") {
  const Lines lines = describe(service({{srv("_ldap._tcp.example.com")}}));
  CHECK(lines.at(0) ==
        "connections go to the SRV records of _ldap._tcp.example.com in turn (round-robin)");
  CHECK(lines.at(1).find("priorities are groups") != std::string::npos);
  CHECK(lines.at(2).find("outside its domain cannot be verified") != std::string::npos);
  CHECK(lines.at(3) == kEjection);
  config::Service named = service({{srv("_ldap._tcp.example.com")}});
  named.tls->name = {"ldap.example.com"};
  CHECK(describe(named).at(2) == kEjection);
  Entry expanded = host("dc");
  expanded.expand = true;
  expanded.max_connections = 5;
  CHECK(describe(service({{expanded}})).at(0) ==
        "connections go to every address of dc:636 in turn (round-robin)");
  CHECK(describe(service({{expanded}})).at(1) ==
        "each address of dc:636 takes at most 5 connections, attempts included");
}

TEST_CASE("checks and the eject times are described with their numbers") {
  config::Service checked = service({{host("a"), host("b")}});
  checked.health.check = config::Check::ldap;
  checked.health.eject_time = Millis(60'000);
  const Lines lines = describe(checked);
  CHECK(lines.at(1) ==
        "a target whose dial fails is left out for 1m; when all are left out they are tried "
        "anyway, in the same order");
  CHECK(lines.at(2) ==
        "every target is checked every 5s with an LDAP bind: out after 3 failures, back after 2 "
        "successes");
}

}  // namespace tunnel::balance::describe_test
