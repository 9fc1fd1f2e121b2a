// SPDX-License-Identifier: MIT
#include "balance/arrangement.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace tunnel::balance::arrangement_test {

namespace {

using Entry = config::Target;
using Form = Entry::Form;

Entry host(const std::string& name, int weight = 1) {
  Entry target;
  target.form = Form::name;
  target.host = name;
  target.port = 636;
  target.text = name + ":636";
  target.weight = weight;
  return target;
}

Entry srv(const std::string& owner) {
  Entry target;
  target.form = Form::srv;
  target.host = owner;
  target.text = "srv:" + owner;
  return target;
}

// "a:636*3 b:636 | c:636"
std::string text(const Arrangement& arrangement) {
  std::string result;
  for (const std::vector<Place>& group : arrangement) {
    if (!result.empty()) result += " |";
    for (const Place& place : group) {
      if (!result.empty()) result += ' ';
      result += place.endpoint.text;
      if (place.weight != 1) result += "*" + std::to_string(place.weight);
    }
  }
  return result;
}

}  // namespace

TEST_CASE("targets stand in their groups as they were written") {
  CHECK(text(arrange({{host("a", 3), host("b")}, {host("c", 0)}}, {})) ==
        "a:636*3 b:636 | c:636*0");
}

TEST_CASE("what the target's table says goes along") {
  Entry target = host("a");
  target.name = "real.example.com";
  target.max_connections = 200;
  const Place place = arrange({{target}}, {}).at(0).at(0);
  CHECK(place.endpoint.name == "real.example.com");
  CHECK(place.max_connections == 200U);
  CHECK(place.endpoint.host == "a");
  CHECK(place.endpoint.port == 636);
}

TEST_CASE("SRV priorities become groups and weights weights") {
  Answers answers;
  answers.srv["_ldap._tcp.example.com"] = {{20, 1, 636, "backup.example.com"},
                                           {10, 60, 636, "dc2.example.com."},
                                           {10, 40, 1636, "dc1.example.com"}};
  const Arrangement result = arrange({{srv("_ldap._tcp.example.com")}}, answers);
  CHECK(text(result) == "dc1.example.com:1636*40 dc2.example.com:636*60 | backup.example.com:636");
  CHECK(result[0][0].endpoint.form == Form::name);
  CHECK(result[0][0].endpoint.port == 1636);
}

TEST_CASE("the order of an SRV answer changes nothing") {
  std::vector<SrvRecord> records = {
      {10, 1, 636, "a.x"}, {10, 1, 636, "b.x"}, {5, 1, 1, "b.x"}, {5, 9, 2, "b.x"}};
  Answers answers;
  answers.srv["_s.x"] = records;
  const Arrangement first = arrange({{srv("_s.x")}}, answers);
  std::reverse(records.begin(), records.end());
  answers.srv["_s.x"] = records;
  CHECK(arrange({{srv("_s.x")}}, answers) == first);
}

TEST_CASE("an SRV weight of 0 is a small share, not drained") {
  Answers answers;
  answers.srv["_s.x"] = {{1, 0, 636, "a.x"}, {1, 100, 636, "b.x"}};
  CHECK(text(arrange({{srv("_s.x")}}, answers)) == "a.x:636 b.x:636*100");
  Entry drained = srv("_s.x");
  drained.weight = 0;
  CHECK(text(arrange({{drained}}, answers)) == "a.x:636*0 b.x:636*0");
}

TEST_CASE("an SRV answer of \".\" offers nothing, and neither does one that is not there yet") {
  Answers answers;
  answers.srv["_s.x"] = {{0, 0, 0, "."}};
  CHECK(arrange({{srv("_s.x")}}, answers).empty());
  CHECK(text(arrange({{srv("_other.x")}, {host("b")}}, answers)) == "b:636");
}

TEST_CASE("other targets of an SRV's group stand with its best priority") {
  Answers answers;
  answers.srv["_s.x"] = {{10, 1, 1, "a.x"}, {20, 1, 2, "b.x"}};
  CHECK(text(arrange({{host("h"), srv("_s.x")}, {host("last")}}, answers)) ==
        "h:636 a.x:1 | b.x:2 | last:636");
}

TEST_CASE("an SRV target outside the queried domain is foreign unless the table names it") {
  Answers answers;
  answers.srv["_ldap._tcp.example.com"] = {
      {1, 1, 636, "DC1.Example.COM"}, {1, 1, 636, "dc.evil.com"}, {1, 1, 636, "notexample.com"}};
  Entry target = srv("_ldap._tcp.example.com");
  const Arrangement unnamed = arrange({{target}}, answers);
  CHECK(unnamed.at(0).size() == 3);
  for (const Place& place : unnamed.at(0)) {
    CHECK(place.endpoint.is_foreign == (place.endpoint.host != "DC1.Example.COM"));
  }
  target.name = "ldap.example.com";
  const Arrangement named = arrange({{target}}, answers);
  for (const Place& place : named.at(0)) {
    CHECK_FALSE(place.endpoint.is_foreign);
  }
}

TEST_CASE("the domain of an SRV name is what follows its underscored labels") {
  CHECK(srv_domain("_ldap._tcp.example.com") == "example.com");
  CHECK(srv_domain("_ldap._tcp.example.com.") == "example.com");
  CHECK(srv_domain("_gc._tcp.site._sites.example.com") == "site._sites.example.com");
  CHECK(srv_domain("example.com") == "example.com");
  CHECK(srv_domain("_ldap").empty());
  CHECK(is_inside("example.com", "example.com"));
  CHECK(is_inside("a.b.example.com.", "example.com"));
  CHECK_FALSE(is_inside("xexample.com", "example.com"));
  CHECK_FALSE(is_inside("com", "example.com"));
  CHECK_FALSE(is_inside("anything", ""));
}

TEST_CASE("an expanded name is one target for each of its addresses, in a stable order") {
  Entry target = host("dc");
  target.expand = true;
  target.weight = 2;
  CHECK(text(arrange({{target}}, {})) == "dc:636*2");  // not resolved yet
  Answers answers;
  answers.addresses["dc"] = {*SocketAddress::parse_ip("10.0.0.2", 0),
                             *SocketAddress::parse_ip("10.0.0.1", 53),
                             *SocketAddress::parse_ip("10.0.0.2", 7)};
  const Arrangement result = arrange({{target}}, answers);
  CHECK(text(result) == "dc:636 (10.0.0.1)*2 dc:636 (10.0.0.2)*2");
  CHECK(result[0][0].endpoint.address->to_string() == "10.0.0.1:636");
  CHECK(result[0][0].endpoint.host == "dc");
  target.expand = false;
  CHECK(text(arrange({{target}}, answers)) == "dc:636*2");
}

TEST_CASE("a target named twice in a group has the weight of both and the smaller limit") {
  Entry first = host("a", 2);
  Entry second = host("a", 3);
  second.max_connections = 7;
  const Arrangement result = arrange({{first, second}}, {});
  CHECK(text(result) == "a:636*5");
  CHECK(result[0][0].max_connections == 7U);
}

}  // namespace tunnel::balance::arrangement_test
