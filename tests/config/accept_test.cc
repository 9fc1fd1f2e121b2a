// SPDX-License-Identifier: MIT
// `accept`: every form, and what is wrong with others.
#include "fixture.h"

namespace tunnel::config::accept_test {
namespace {

// "127.0.0.1:389 [::1]:389?": the addresses, a question mark after optional ones.
std::string accepted(const std::string& value, System system = System::leave_alone) {
  const Service service =
      service_of("[s]\naccept = " + value + "\nallow_remote = true\nconnect = \"h:1\"\n", system);
  std::string text;
  for (const Accept& accept : service.accept) {
    text += (text.empty() ? "" : " ") + accept.address.to_string() + (accept.optional ? "?" : "");
  }
  return text;
}

std::string refused(const std::string& value) {
  return problems("[s]\naccept = " + value + "\nconnect = \"h:1\"\n");
}

}  // namespace

TEST_CASE("accept takes an address, a port, a wildcard, or the path of a socket") {
  CHECK(accepted("\"127.0.0.1:389\"") == "127.0.0.1:389");
  CHECK(accepted("\"[::1]:389\"") == "[::1]:389");
  CHECK(accepted("\"10.1.2.3:0\"") == "10.1.2.3:0");
  CHECK(accepted("\"389\"") == "127.0.0.1:389? [::1]:389?");
  CHECK(accepted("389") == "127.0.0.1:389? [::1]:389?");
  CHECK(accepted("0") == "127.0.0.1:0? [::1]:0?");
  CHECK(accepted("\"*:389\"") == "0.0.0.0:389? [::]:389?");
  CHECK(accepted("\"/run/ldap.sock\"") == "/run/ldap.sock");
  CHECK(accepted("\"./ldap.sock\"") == "/etc/tunnel/ldap.sock");
  CHECK(accepted("\"@ldap\"") == "@ldap");
  CHECK(accepted("\"127.0.0.1:ldaps\"") == "127.0.0.1:636");
  CHECK(accepted("\"run/x.sock\"") == "/etc/tunnel/run/x.sock");
}

TEST_CASE("accept takes an array of all forms, and each address knows its entry") {
  const Service service =
      service_of("[s]\naccept = [\"127.0.0.1:1\", 389, \"/run/x\"]\nconnect = \"h:1\"\n");
  REQUIRE(service.accept.size() == 4);
  CHECK(service.accept[0].entry == 0);
  CHECK(service.accept[1].entry == 1);
  CHECK(service.accept[2].entry == 1);
  CHECK(service.accept[2].text == "389");
  CHECK(service.accept[3].entry == 2);
  CHECK(service.accept[3].form == Accept::Form::unix_socket);
}

TEST_CASE("a name is looked up, and of several addresses each may be missing") {
  const std::string found = accepted("\"localhost:389\"", System::use);
  const bool is_one = found == "127.0.0.1:389" || found == "[::1]:389";
  const bool is_both = found == "127.0.0.1:389? [::1]:389?" || found == "[::1]:389? 127.0.0.1:389?";
  CHECK_MESSAGE((is_one || is_both), found);
}

TEST_CASE("without the system a name keeps its text and no address") {
  const Service service = service_of("[s]\naccept = \"localhost:389\"\nconnect = \"h:1\"\n");
  REQUIRE(service.accept.size() == 1);
  CHECK(service.accept[0].text == "localhost:389");
  CHECK(service.accept[0].address.family() == AF_UNSPEC);
}

TEST_CASE("a name that does not exist is said at its place") {
  const std::string text =
      problems("[s]\naccept = \"nonexistent.invalid:389\"\nconnect = \"h:1\"\n", System::use);
  CHECK(text.starts_with(
      "t.toml:2:10: error: the address of \"nonexistent.invalid\" cannot be found: "));
}

TEST_CASE("what is no address is refused with the way to write it") {
  CHECK(refused("\"::1:389\"") ==
        "t.toml:2:10: error: an IPv6 address needs brackets, as in \"[::1]:389\"\n"
        "accept = \"::1:389\"\n"
        "         ^\n");
  CHECK(refused("\"127.0.0.1:99999\"") ==
        "t.toml:2:10: error: port 99999 is out of range; ports go up to 65535\n"
        "accept = \"127.0.0.1:99999\"\n"
        "         ^\n");
  CHECK(refused("99999") ==
        "t.toml:2:10: error: port 99999 is out of range; ports go up to 65535\n"
        "accept = 99999\n"
        "         ^\n");
  CHECK(refused("-1") ==
        "t.toml:2:10: error: port -1 is out of range; ports go up to 65535\n"
        "accept = -1\n"
        "         ^\n");
  CHECK(refused("\"127.0.0.1\"") ==
        "t.toml:2:10: error: \"127.0.0.1\" is neither a port number nor a service name of "
        "/etc/services\n"
        "accept = \"127.0.0.1\"\n"
        "         ^\n"
        "hint: write \"ADDRESS:PORT\", a port, or the path of a socket with a slash in it\n");
  CHECK(refused("[\"1\", true]") ==
        "t.toml:2:16: error: an address to accept at is a string or a port number, not a boolean\n"
        "accept = [\"1\", true]\n"
        "               ^\n");
  CHECK(refused("[]") ==
        "t.toml:2:10: error: \"accept\" is empty\n"
        "accept = []\n"
        "         ^\n");
  CHECK(refused("\"/" + std::string(200, 'x') + "\"").find("is longer than 107 bytes") !=
        std::string::npos);
}

TEST_CASE("an address that others can reach needs allow_remote") {
  const std::string expected =
      "t.toml:2:26: error: \"*:389\" can be reached by other machines, and what they send to it is "
      "plaintext\n"
      "accept = [\"127.0.0.1:1\", \"*:389\"]\n"
      "                         ^\n"
      "hint: set allow_remote = true if that is what you want\n";
  CHECK(refused("[\"127.0.0.1:1\", \"*:389\"]") == expected);
  CHECK(refused("\"10.0.0.1:389\"") != "");
  CHECK(refused("\"[2001:db8::1]:389\"") != "");
  CHECK(refused("\"127.8.8.8:389\"") == "");
}

TEST_CASE("an address is accepted at once only, in a service and across them") {
  const auto two = [](const std::string& first, const std::string& second) {
    return problems("[a]\nallow_remote = true\nconnect = \"h:1\"\naccept = " + first +
                    "\n[b]\nallow_remote = true\nconnect = \"h:1\"\naccept = " + second + "\n");
  };
  CHECK(two("\"127.0.0.1:389\"", "\"127.0.0.1:389\"") ==
        "t.toml:8:10: error: 127.0.0.1:389 is already an accept address of service \"a\", at "
        "t.toml:4:10\n"
        "accept = \"127.0.0.1:389\"\n"
        "         ^\n");
  CHECK(two("\"*:389\"", "\"10.0.0.1:389\"") ==
        "t.toml:8:10: error: 10.0.0.1:389 is already an accept address of service \"a\", at "
        "t.toml:4:10\n"
        "accept = \"10.0.0.1:389\"\n"
        "         ^\n");
  CHECK(two("[7, \"10.0.0.1:389\"]", "\"*:389\"") ==
        "t.toml:8:10: error: 0.0.0.0:389 is already an accept address of service \"a\", at "
        "t.toml:4:14\n"
        "accept = \"*:389\"\n"
        "         ^\n");
  CHECK(two("\"/run/x\"", "[\"/run/y\", \"/run/x\"]") ==
        "t.toml:8:21: error: /run/x is already an accept address of service \"a\", at t.toml:4:10\n"
        "accept = [\"/run/y\", \"/run/x\"]\n"
        "                    ^\n");
  CHECK(two("389", "\"[::1]:389\"") != "");
  CHECK(refused("[\"1\", 1]") != "");
  CHECK(two("\"127.0.0.1:0\"", "[\"127.0.0.1:0\", 0]") == "");
  CHECK(two("\"127.0.0.1:389\"", "[\"127.0.0.1:390\", \"[::1]:389\", \"127.0.0.2:389\"]") == "");
  CHECK(two("\"0.0.0.0:389\"", "\"[::]:389\"") == "");
}

TEST_CASE("status is served at addresses, which no service may have, too") {
  const auto with = [](const std::string& globals) {
    const std::string text =
        problems(globals + "\n[a]\naccept = \"127.0.0.1:389\"\nconnect = \"h:1\"\n");
    return text.substr(0, text.find('\n'));
  };
  CHECK(with("status = 9099") == "");
  CHECK(with("status = [\"127.0.0.1:9099\", \"/run/status.sock\"]") == "");
  CHECK(with("status = \"127.0.0.1:389\"") ==
        "t.toml:3:10: error: 127.0.0.1:389 is already an address of `status`, at t.toml:1:10");
  CHECK(with("status = [9099, \"127.0.0.1:9099\"]") ==
        "t.toml:1:17: error: 127.0.0.1:9099 is already an address of `status`, at t.toml:1:11");
  CHECK(with("control = \"/run/x\"\nstatus = \"/run/x\"") ==
        "t.toml:2:10: error: /run/x is already an address of `control`, at t.toml:1:11");
  CHECK(with("control = \"off\"") == "");
  CHECK(with("control = \"fd:x\"") == "");
  CHECK(with("control = \"127.0.0.1:9099\"") ==
        "t.toml:1:11: error: \"control\" is a unix socket, not the address \"127.0.0.1:9099\"");
  CHECK(with("control = \"/" + std::string(120, 'x') + "\"") ==
        "t.toml:1:11: error: the socket path is longer than 107 bytes, which is all that a unix "
        "socket can have");
  CHECK(with("status = \"stdio\"") == "t.toml:1:10: error: \"status\" is served at addresses only");
  CHECK(with("status = []") == "t.toml:1:10: error: \"status\" is empty");
}

TEST_CASE("status for other machines has to be asked for") {
  const auto with = [](const std::string& globals) {
    return problems(globals + "\n[a]\naccept = \"127.0.0.1:389\"\nconnect = \"h:1\"\n");
  };
  CHECK(with("status = \"10.0.0.1:9099\"") ==
        "t.toml:1:10: error: \"10.0.0.1:9099\" can be reached by other machines, which then read "
        "clients' addresses and the names of servers, without a password\n"
        "status = \"10.0.0.1:9099\"\n"
        "         ^\n"
        "hint: set status_allow_remote = true if that is what you want\n");
  CHECK(with("status = \"10.0.0.1:9099\"\nstatus_allow_remote = true") == "");
}

TEST_CASE("status_hosts are names without a port") {
  const auto with = [](const std::string& value) {
    const std::string text =
        problems("status_hosts = " + value + "\n[a]\naccept = 389\nconnect = \"h:1\"\n");
    return text.substr(0, text.find('\n'));
  };
  CHECK(with("[\"monitor.example.com\"]") == "");
  CHECK(with("[\"a\", \"monitor.example.com:80\"]") ==
        "t.toml:1:22: error: \"monitor.example.com:80\" is not a host name");
  CHECK(with("[\"*.example.com\"]") == "t.toml:1:17: error: \"*.example.com\" is not a host name");
}

}  // namespace tunnel::config::accept_test
