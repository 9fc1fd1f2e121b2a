// SPDX-License-Identifier: MIT
#include "import/balance_cli.h"

#include <doctest/doctest.h>

#include "config/load.h"
#include "config/print.h"

namespace tunnel::import {

namespace {

using Arguments = std::vector<std::string>;

BalanceConversion convert(const Arguments& arguments) {
  const auto result = convert_balance(arguments);
  if (!result) FAIL(result.error().text);
  return *result;
}

config::Service service_of(const Arguments& arguments) {
  return convert(arguments).config.services.at(0);
}

std::string refusal(const Arguments& arguments) {
  const auto result = convert_balance(arguments);
  return result ? "" : result.error().text;
}

// "a:1 b:2 | c:3"
std::string targets(const config::Service& service) {
  std::string text;
  for (const std::vector<config::Target>& group : service.connect) {
    if (!text.empty()) text += " |";
    for (const config::Target& target : group) text += (text.empty() ? "" : " ") + target.text;
  }
  return text;
}

bool has_note(const BalanceConversion& conversion, const std::string& part) {
  for (const std::string& note : conversion.notes) {
    if (note.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the balancer of the recipe becomes a plain service with two groups") {
  const BalanceConversion result = convert({"-b", "127.0.0.1", "636", "10.1.1.1", "!", "10.1.1.2"});
  CHECK(result.notes.empty());
  CHECK(config::print(result.config) ==
        "[balance]\n"
        "accept = \"127.0.0.1:636\"\n"
        "connect = [[\"10.1.1.1:636\"], [\"10.1.1.2:636\"]]\n"
        "tls = false\n");
}

TEST_CASE("what is printed is a valid configuration that means the same") {
  const Arguments lines[] = {
      {"-b", "127.0.0.1", "636", "10.1.1.1", "!", "10.1.1.2"},
      {"-fd", "-B10.0.0.9", "-t7", "-T", "60", "8080", "a:80:100", "b.example.com:http", "%", "c"},
      {"-6", "-b", "::1", "389", "x"},
      {"389", "x:390:0"},
  };
  for (const Arguments& line : lines) {
    const BalanceConversion result = convert(line);
    const std::string text = config::print(result.config);
    CAPTURE(text);
    const config::Document document = config::parse(text, "/etc/tunnel.toml");
    CHECK(document.render() == "");
    CHECK(document.config.services == result.config.services);
    CHECK(document.config.global == result.config.global);
  }
}

TEST_CASE("channels take their port from the listener, a number or a service name, and a limit") {
  const config::Service service =
      service_of({"636", "a", "b:389", "10.0.0.1:ldaps", "c:1636:5", "d:1636:0"});
  CHECK(targets(service) == "a:636 b:389 10.0.0.1:636 c:1636 d:1636");
  CHECK(service.connect[0][0].form == config::Target::Form::name);
  CHECK(service.connect[0][2].form == config::Target::Form::ip);
  CHECK_FALSE(service.connect[0][1].max_connections.has_value());
  CHECK(service.connect[0][3].max_connections == 5U);
  CHECK_FALSE(service.connect[0][4].max_connections.has_value());
  CHECK_FALSE(service.tls.has_value());
}

TEST_CASE("a listener named by its service gives the service its name") {
  const config::Service service = service_of({"ldaps", "a"});
  CHECK(service.name == "ldaps");
  CHECK(service.accept.at(0).address.port() == 636);
  CHECK(targets(service) == "a:636");
  CHECK(service_of({"636", "a"}).name == "balance");
}

TEST_CASE("groups end with their policy") {
  CHECK(service_of({"80", "a", "b", "!", "c", "!"}).balance == config::Balance::round_robin);
  const config::Service hashed = service_of({"80", "a", "b", "%", "c"});
  CHECK(hashed.balance == config::Balance::hash);
  CHECK(targets(hashed) == "a:80 b:80 | c:80");
  CHECK(service_of({"80", "a", "!", "b", "c", "%"}).balance == config::Balance::hash);
  CHECK(targets(service_of({"80", "a", "!", "!", "b", "%", "%"})) == "a:80 | b:80");
}

TEST_CASE("groups of different policies get the first one's, and a note about the others") {
  const BalanceConversion result = convert({"80", "a", "b", "%", "c", "d", "!", "e"});
  CHECK(result.config.services[0].balance == config::Balance::hash);
  CHECK(has_note(result, "group 2 took turns"));
  CHECK(has_note(convert({"80", "a", "b", "!", "c", "d", "%"}), "group 2 was hashed"));
  CHECK_FALSE(has_note(convert({"80", "a", "b", "!", "c", "%"}), "group 2"));
}

TEST_CASE("without -b every address is listened at, and a note warns of it") {
  const BalanceConversion result = convert({"389", "a"});
  const config::Service& service = result.config.services[0];
  REQUIRE(service.accept.size() == 2);
  CHECK(service.accept[0].text == "*:389");
  CHECK(service.accept[0].address.is_any());
  CHECK(service.allow_remote);
  CHECK(has_note(result, "every address"));
}

TEST_CASE("-b decides whether other machines may connect") {
  CHECK_FALSE(service_of({"-b", "127.0.0.1", "389", "a"}).allow_remote);
  CHECK_FALSE(service_of({"-b", "localhost", "389", "a"}).allow_remote);
  CHECK(service_of({"-b", "192.0.2.1", "389", "a"}).allow_remote);
  CHECK(service_of({"-b", "gateway", "389", "a"}).accept[0].text == "gateway:389");
  CHECK(has_note(convert({"-b", "192.0.2.1", "389", "a"}), "192.0.2.1:389"));
  CHECK(service_of({"-b", "::1", "389", "a"}).accept[0].text == "[::1]:389");
}

TEST_CASE("options with a key here are translated") {
  const BalanceConversion result =
      convert({"-B", "10.0.0.9", "-t", "7", "-T", "60", "-f", "-d", "389", "a"});
  const config::Service& service = result.config.services[0];
  REQUIRE(service.bind.has_value());
  CHECK(service.bind->to_string() == "10.0.0.9:0");
  CHECK(service.timeouts.connect == config::Timeout(std::chrono::seconds(7)));
  CHECK(service.timeouts.idle == config::Timeout(std::chrono::seconds(60)));
  CHECK(result.config.global.foreground);
  CHECK(result.config.global.log_level == log::Level::debug);
  CHECK_FALSE(convert({"389", "a"}).config.global.foreground);
}

TEST_CASE("a timeout of 0 is off, and a long one leaves time for every channel") {
  const config::Service never = service_of({"-t", "0", "-T", "0", "389", "a"});
  CHECK_FALSE(never.timeouts.connect.has_value());
  CHECK_FALSE(never.timeouts.dial.has_value());
  CHECK_FALSE(never.timeouts.idle.has_value());
  CHECK(service_of({"-t", "20", "389", "a", "b", "!", "c"}).timeouts.dial ==
        config::Timeout(std::chrono::seconds(60)));
  CHECK(service_of({"-t", "2", "389", "a", "b"}).timeouts.dial ==
        config::Timeout(std::chrono::seconds(30)));
}

TEST_CASE("options without a meaning here are named") {
  const BalanceConversion result = convert({"-apHM6", "389", "a", "b", "%"});
  for (const char* option : {"-a ", "-p ", "-H ", "-M ", "-6 "}) {
    CAPTURE(option);
    CHECK(has_note(result, option));
  }
  CHECK(has_note(convert({"389", "a", "b", "%"}), "unless -H is given"));
  CHECK_FALSE(has_note(result, "unless -H is given"));
  CHECK(has_note(convert({"389", "a:389:5"}), "max_connections"));
}

TEST_CASE("options may be joined, repeated, and stand after the channels") {
  const config::Service service = service_of({"389", "a", "-b127.0.0.1", "b", "-ft", "3", "-t4"});
  CHECK(targets(service) == "a:389 b:389");
  CHECK(service.accept[0].text == "127.0.0.1:389");
  CHECK(service.timeouts.connect == config::Timeout(std::chrono::seconds(4)));
  CHECK(targets(service_of({"-f", "--", "389", "a"})) == "a:389");
}

TEST_CASE("what balance would not take is refused with the reason and the usage") {
  const auto refuses = [](const Arguments& arguments, const std::string& reason) {
    const std::string text = refusal(arguments);
    CAPTURE(reason);
    CAPTURE(text);
    CHECK(text.find(reason) == 0);
    CHECK(text.find("\nusage: balance ") != std::string::npos);
  };
  refuses({}, "the port to listen at is missing");
  refuses({"389"}, "there is no channel");
  refuses({"389", "!"}, "there is no channel before the first \"!\"");
  refuses({"-x", "389", "a"}, "balance has no option -x");
  refuses({"--help"}, "balance has no option --");
  refuses({"389", "a", "-t"}, "option -t needs a value");
  refuses({"-t", "soon", "389", "a"}, "\"soon\" is not a number of seconds");
  refuses({"-T", "-5", "389", "a"}, "\"-5\" is not a number of seconds");
  refuses({"-t", "999999999", "389", "a"}, "999999999 seconds are too many");
  refuses({"-B", "my host", "389", "a"}, "\"my host\" is not an address to connect from");
  refuses({"-B", "no-such-host.invalid", "389", "a"}, "-B no-such-host.invalid has no address: ");
  refuses({"-6", "-b", "127.0.0.1", "389", "a"}, "-6 asks for IPv6");
  refuses({"-b", "a b", "389", "a"}, "\"a b\" is not an address");
  refuses({"-b", "", "389", "a"}, "\"\" is not an address");
  refuses({"no-such-service", "a"}, "\"no-such-service\" is not a port");
  refuses({"70000", "a"}, "\"70000\" is not a port");
  refuses({"a:389", "b"}, "\"a:389\" is not a port");
  refuses({"389", "a:0"}, "port 0");
  refuses({"389", "a:b:c:d"}, "\"b\" is neither a port number nor a service name");
  refuses({"389", "a:389:many"}, "\"many\" is not a number of connections");
  refuses({"389", "a:389:-1"}, "\"-1\" is not a number of connections");
  refuses({"389", ":389"}, "\":389\" is not a channel");
  refuses({"389", "10.1.1.256"}, "\"10.1.1.256\" is not a channel");
  refuses({"389", "a/b"}, "\"a/b\" is not a channel");
}

TEST_CASE("an empty port is the listening one") {
  const auto converted = convert({"imap", "10.0.0.1::12", "10.0.0.2:", "10.0.0.3:993:"});
  const auto& group = converted.config.services.at(0).connect.at(0);
  CHECK(group.at(0).text == "10.0.0.1:143");
  CHECK(group.at(0).max_connections == 12);
  CHECK(group.at(1).text == "10.0.0.2:143");
}

TEST_CASE("a name to connect from is the address that it has now") {
  const auto converted = convert({"-B", "localhost", "389", "10.0.0.1"});
  CHECK(converted.config.services.at(0).bind == SocketAddress::parse_ip("127.0.0.1", 0));
  CHECK(converted.notes.back().find("-B localhost was looked up") == 0);
}

TEST_CASE("commands for a running balance are refused as such") {
  CHECK(refusal({"-i", "389"}).find("talk to a running balance") != std::string::npos);
  CHECK(refusal({"-c", "show", "389"}).find("talk to a running balance") != std::string::npos);
}

}  // namespace tunnel::import
