// SPDX-License-Identifier: MIT
// `connect`: every form, and what is wrong with others.
#include "fixture.h"

namespace tunnel::config::connect_test {
namespace {

TargetGroups connected(const std::string& value) {
  return service_of("[s]\naccept = 389\ntls.name = \"n\"\nconnect = " + value + "\n").connect;
}

Target target(const std::string& value) {
  const TargetGroups groups = connected(value);
  REQUIRE(groups.size() == 1);
  REQUIRE(groups[0].size() == 1);
  return groups[0][0];
}

// "a:1 b:2 | c:3"
std::string shape(const TargetGroups& groups) {
  std::string text;
  for (const auto& group : groups) {
    if (!text.empty()) text += " |";
    for (const Target& each : group) text += (text.empty() ? "" : " ") + each.text;
  }
  return text;
}

std::string refused(const std::string& value) {
  return problems("[s]\naccept = 389\nconnect = " + value + "\n");
}

}  // namespace

TEST_CASE("a target is a name, an address, a socket, or an SRV name") {
  CHECK(target("\"ldap.example.com:636\"").form == Target::Form::name);
  CHECK(target("\"ldap.example.com:636\"").host == "ldap.example.com");
  CHECK(target("\"ldap.example.com:ldaps\"").port == 636);
  CHECK(target("\"10.1.1.1:636\"").form == Target::Form::ip);
  CHECK(target("\"[2001:db8::1]:636\"").form == Target::Form::ip);
  CHECK(target("\"[2001:db8::1]:636\"").host == "2001:db8::1");
  CHECK(target("\"/run/b.sock\"").form == Target::Form::unix_socket);
  CHECK(target("\"/run/b.sock\"").host == "/run/b.sock");
  CHECK(target("\"../b.sock\"").host == "/etc/tunnel/../b.sock");
  CHECK(target("\"run/b.sock\"").host == "/etc/tunnel/run/b.sock");
  CHECK(target("\"@b\"").form == Target::Form::unix_socket);
  CHECK(target("\"srv:_ldap._tcp.example.com\"").form == Target::Form::srv);
  CHECK(target("\"srv:_ldap._tcp.example.com\"").host == "_ldap._tcp.example.com");
  CHECK(target("\"srv:_ldap._tcp.example.com\"").text == "srv:_ldap._tcp.example.com");
}

TEST_CASE("an array is a group, an array of arrays is groups in order") {
  CHECK(shape(connected("[\"a:1\", \"b:2\"]")) == "a:1 b:2");
  CHECK(shape(connected("[[\"a:1\", \"b:2\"], [\"c:3\"]]")) == "a:1 b:2 | c:3");
  CHECK(shape(connected("[[\"a:1\"]]")) == "a:1");
}

TEST_CASE("a table says more about a target") {
  const Target full = target(
      "[{ address = \"dc1.example.com:636\", weight = 3, max_connections = 200, name = "
      "\"dc1.example.com\", expand = true }]");
  CHECK(full.text == "dc1.example.com:636");
  CHECK(full.weight == 3);
  CHECK(full.max_connections == 200U);
  CHECK(full.name == "dc1.example.com");
  CHECK(full.expand);
  CHECK(connected("[{ address = \"a:1\", weight = 0 }, \"b:2\"]")[0][0].weight == 0);
  CHECK(shape(connected("[{ address = \"a:1\", weight = 2 }, \"b:2\"]")) == "a:1 b:2");
}

TEST_CASE("targets may be written as tables of their own") {
  const Service service = service_of(
      "[s]\naccept = 389\n[[s.connect]]\naddress = \"a:1\"\n[[s.connect]]\naddress = \"b:2\"\n");
  CHECK(shape(service.connect) == "a:1 b:2");
}

TEST_CASE("a target without its port or host is refused with the way to write it") {
  CHECK(refused("\"ldap.example.com\"") ==
        "t.toml:3:11: error: the port is missing: a target is \"HOST:PORT\"\n"
        "connect = \"ldap.example.com\"\n"
        "          ^\n"
        "hint: LDAP over TLS, for example, is \"ldap.example.com:636\"\n");
  CHECK(refused("\"636\"") ==
        "t.toml:3:11: error: the host is missing: a target is \"HOST:PORT\"\n"
        "connect = \"636\"\n"
        "          ^\n"
        "hint: this machine is \"localhost:636\"\n");
  CHECK(
      refused("636") ==
      "t.toml:3:11: error: a target is a string such as \"ldap.example.com:636\", not an integer\n"
      "connect = 636\n"
      "          ^\n"
      "hint: a target needs a host: \"localhost:636\"\n");
  CHECK(refused("\"ldaps://ldap.example.com:636\"") ==
        "t.toml:3:11: error: \"ldaps://ldap.example.com:636\" is a URL; a target is \"HOST:PORT\" "
        "only\n"
        "connect = \"ldaps://ldap.example.com:636\"\n"
        "          ^\n"
        "hint: write \"ldap.example.com:636\"\n");
  CHECK(refused("\"\"") ==
        "t.toml:3:11: error: this target is empty: a target is \"HOST:PORT\"\n"
        "connect = \"\"\n"
        "          ^\n");
  CHECK(refused("\"a:0\"") ==
        "t.toml:3:11: error: port 0 is not a port to connect to\n"
        "connect = \"a:0\"\n"
        "          ^\n");
}

TEST_CASE("what is no name and no address is refused") {
  CHECK(refused("\"10.1.1.256:636\"") ==
        "t.toml:3:11: error: \"10.1.1.256\" is not an IPv4 address\n"
        "connect = \"10.1.1.256:636\"\n"
        "          ^\n");
  CHECK(refused("\"ldap example.com:636\"") ==
        "t.toml:3:11: error: \"ldap example.com\" is not a host name\n"
        "connect = \"ldap example.com:636\"\n"
        "          ^\n");
  CHECK(refused("\"b\xc3\xbc"
                "cher.example:636\"") ==
        "t.toml:3:11: error: \"b\xc3\xbc"
        "cher.example\" is not a host name\n"
        "connect = \"b\xc3\xbc"
        "cher.example:636\"\n"
        "          ^\n"
        "hint: write international names in their ASCII form, \"xn--...\"\n");
  CHECK(refused("\"" + std::string(64, 'x') + ".example:636\"") != "");
  CHECK(refused("\"a..b:636\"") != "");
  CHECK(refused("\"srv:\"") ==
        "t.toml:3:11: error: \"srv:\" names no SRV record\n"
        "connect = \"srv:\"\n"
        "          ^\n"
        "hint: write it like \"srv:_ldap._tcp.example.com\"\n");
}

TEST_CASE("groups and targets are not mixed, and neither is empty") {
  CHECK(refused("[[\"a:1\"], \"b:2\"]") ==
        "t.toml:3:21: error: \"connect\" mixes targets and groups of targets\n"
        "connect = [[\"a:1\"], \"b:2\"]\n"
        "                    ^\n"
        "hint: put this target into brackets to make it a group of its own\n");
  CHECK(refused("[]") ==
        "t.toml:3:11: error: \"connect\" is empty\n"
        "connect = []\n"
        "          ^\n");
  CHECK(refused("[[\"a:1\"], []]") ==
        "t.toml:3:21: error: this group has no target\n"
        "connect = [[\"a:1\"], []]\n"
        "                    ^\n");
  CHECK(refused("[[[\"a:1\"]]]") ==
        "t.toml:3:13: error: a target is a string such as \"ldap.example.com:636\", not an array\n"
        "connect = [[[\"a:1\"]]]\n"
        "            ^\n");
}

TEST_CASE("every mistake in a target's table is reported") {
  CHECK(refused("{ adress = \"a:1\", weight = 65536, max_connections = 0 }") ==
        "t.toml:3:11: error: this target has no \"address\"\n"
        "connect = { adress = \"a:1\", weight = 65536, max_connections = 0 }\n"
        "          ^\n"
        "hint: write it like { address = \"ldap.example.com:636\", weight = 2 }\n"
        "t.toml:3:13: error: unknown key \"adress\"\n"
        "connect = { adress = \"a:1\", weight = 65536, max_connections = 0 }\n"
        "            ^\n"
        "hint: did you mean \"address\"?\n"
        "t.toml:3:38: error: \"weight\" must be between 0 and 65535\n"
        "connect = { adress = \"a:1\", weight = 65536, max_connections = 0 }\n"
        "                                     ^\n"
        "t.toml:3:63: error: \"max_connections\" must be between 1 and 2147483647\n"
        "connect = { adress = \"a:1\", weight = 65536, max_connections = 0 }\n"
        "                                                              ^\n");
}

TEST_CASE("keys of a target that contradict its address are refused") {
  CHECK(refused("{ address = \"10.0.0.1:1\", expand = true }") ==
        "t.toml:3:46: error: \"expand\" is for names, and \"10.0.0.1:1\" is none\n"
        "connect = { address = \"10.0.0.1:1\", expand = true }\n"
        "                                             ^\n");
  CHECK(refused("{ address = \"srv:_x._tcp.example.com\", weight = 2 }") ==
        "t.toml:3:59: error: the weights of \"srv:\" targets come from DNS\n"
        "connect = { address = \"srv:_x._tcp.example.com\", weight = 2 }\n"
        "                                                          ^\n");
}

TEST_CASE("a socket has no name that a certificate could carry") {
  CHECK(refused("\"/run/b.sock\"") ==
        "t.toml:3:11: error: a unix socket has no host name that the certificate could be compared "
        "with\n"
        "connect = \"/run/b.sock\"\n"
        "          ^\n"
        "hint: set tls.name to the name that the server's certificate carries\n");
  CHECK(refused("\"/run/b.sock\"\ntls = false") == "");
  CHECK(refused("\"/run/b.sock\"\ntls.verify = \"chain\"") == "");
  CHECK(refused("{ address = \"/run/b.sock\", name = \"b.example.com\" }") == "");
}

TEST_CASE("bind and a target of the other family exclude one another") {
  CHECK(refused("[\"10.0.0.1:1\", \"[2001:db8::1]:1\"]\nbind = \"10.0.0.9\"") ==
        "t.toml:3:26: error: target \"[2001:db8::1]:1\" cannot be reached from \"bind\" address "
        "10.0.0.9: one is IPv4, the other IPv6\n"
        "connect = [\"10.0.0.1:1\", \"[2001:db8::1]:1\"]\n"
        "                         ^\n");
}

TEST_CASE("targets that never serve, or are listed twice, are warned of") {
  CHECK(refused("[{ address = \"a:1\", weight = 0 }]") ==
        "t.toml:3:11: warning: every target has weight 0, so none of them serves\n"
        "connect = [{ address = \"a:1\", weight = 0 }]\n"
        "          ^\n");
  CHECK(refused("[\"a:1\", \"b:1\", \"a:1\"]") ==
        "t.toml:3:26: warning: target \"a:1\" is listed twice\n"
        "connect = [\"a:1\", \"b:1\", \"a:1\"]\n"
        "                         ^\n");
}

TEST_CASE(
    "what is wrong with a target is said at its place, in groups and behind wrong ones, too") {
  const std::string twice = "warning: target \"a:1\" is listed twice\n";
  CHECK(refused("[\"b\", \"a:1\", \"a:1\"]").find("t.toml:3:24: " + twice) != std::string::npos);
  CHECK(refused("[[\"a:1\", \"b:1\", \"a:1\"]]").starts_with("t.toml:3:27: " + twice));
  CHECK(refused("[[\"a:1\"], [\"b:1\", \"a:1\"]]").starts_with("t.toml:3:29: " + twice));
  CHECK(refused("[[], [5, \"a:1\"], [\"a:1\"]]").find("t.toml:3:29: " + twice) !=
        std::string::npos);
  // Two that are wrong are not one that is listed twice.
  CHECK(refused("[\"b\", \"b\"]").find("twice") == std::string::npos);
}

}  // namespace tunnel::config::connect_test
