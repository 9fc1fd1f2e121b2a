// SPDX-License-Identifier: MIT
#include "cli/program.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace tunnel::cli {
namespace {

// A file in a folder of its own, both gone at the end.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) {
    REQUIRE(::mkdtemp(folder_) != nullptr);
    path = std::string(folder_) + "/tunnel.toml";
    std::ofstream(path) << text;
  }
  ~ConfigFile() {
    (void)::unlink(path.c_str());
    (void)::rmdir(folder_);
  }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;
  std::string path;

 private:
  char folder_[32] = "/tmp/tunnel-test-XXXXXX";
};

// The rooms below, told what to do.
struct FakeMachinery {
  std::vector<std::string> warnings;
  bool has_bad_ca = false;
  int runs = 0;
  config::Global ran_with;

  Machinery machinery() {
    return {.check_credentials =
                [this](config::Document& document) {
                  if (has_bad_ca) {
                    document.problem("ldap", "tls.ca", -1, "no certificate in this file",
                                     "is it a key?");
                  }
                  return warnings;
                },
            .run =
                [this](const config::Document& document) {
                  ++runs;
                  ran_with = document.config.global;
                  return 1;
                },
            .libraries = "GnuTLS 3.7.9, libuv 1.44.2"};
  }
};

constexpr const char* kGood =
    "foreground = false\n"
    "[ldap]\n"
    "accept = \"127.0.0.1:389\"\n"
    "connect = \"ldap.example.com:636\"\n";

}  // namespace

TEST_CASE("the version names the program and the libraries in use") {
  FakeMachinery fake;
  const Outcome outcome = execute({"--version"}, fake.machinery());
  CHECK(outcome.status == 0);
  CHECK(outcome.out == "tunnel " TUNNEL_VERSION " (GnuTLS 3.7.9, libuv 1.44.2)\n");
  CHECK(outcome.err.empty());
}

TEST_CASE("a usage error goes to standard error and nothing is started") {
  FakeMachinery fake;
  const Outcome outcome = execute({"--nonsense"}, fake.machinery());
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err == "tunnel: unknown option \"--nonsense\"\nTry \"tunnel --help\".\n");
  CHECK(fake.runs == 0);
}

TEST_CASE("help goes to standard output") {
  FakeMachinery fake;
  const Outcome outcome = execute({"--help"}, fake.machinery());
  CHECK(outcome.status == 0);
  CHECK(outcome.out.find("tunnel check CONFIG") != std::string::npos);
  CHECK(outcome.err.empty());
}

TEST_CASE("running gives the document to the runtime, options over the file, and its status back") {
  const ConfigFile file(kGood);
  FakeMachinery fake;
  const Outcome outcome = execute({"-f", "--log-level", "debug", file.path}, fake.machinery());
  CHECK(outcome.status == 1);
  CHECK(fake.runs == 1);
  CHECK(fake.ran_with.foreground);
  CHECK(fake.ran_with.log_level == log::Level::debug);
}

TEST_CASE("a file with an error is not run") {
  const ConfigFile file("[ldap]\naccept = \"127.0.0.1:389\"\nconect = \"a:1\"\n");
  FakeMachinery fake;
  const Outcome outcome = execute({file.path}, fake.machinery());
  CHECK(outcome.status == 2);
  CHECK(fake.runs == 0);
  CHECK(outcome.err == file.path +
                           ":1:2: error: service \"ldap\": \"connect\" is missing\n"
                           "[ldap]\n"
                           " ^\n"
                           "hint: where is the server? connect = \"ldap.example.com:636\"\n" +
                           file.path +
                           ":3:1: error: unknown key \"conect\"\n"
                           "conect = \"a:1\"\n"
                           "^\n"
                           "hint: did you mean \"connect\"?\n");
}

TEST_CASE("check says in words what a good file will do") {
  const ConfigFile file(
      "[ldap]\n"
      "accept = [\"127.0.0.1:389\", \"[::1]:0\"]\n"
      "allow = \"127.0.0.0/8\"\n"
      "connect = [[{ address = \"a.example.com:636\", weight = 3 }, \"10.0.0.1:636\"], "
      "[\"srv:_ldap._tcp.example.com\"]]\n"
      "balance = \"least-connections\"\n"
      "health = { check = \"ldap\" }\n"
      "[plain]\n"
      "accept = \"/run/plain.sock\"\n"
      "connect = \"b.example.com:389\"\n"
      "tls = false\n");
  FakeMachinery fake;
  const Outcome outcome = execute({"check", file.path}, fake.machinery());
  CHECK(outcome.status == 0);
  CHECK(outcome.err.empty());
  CHECK(outcome.out ==
        file.path +
            ": 2 services, no errors\n"
            "\n"
            "[ldap]\n"
            "  accepts plaintext at 127.0.0.1:389, ::1 (a free port), from 127.0.0.0/8 only\n"
            "  connects to the first group that can serve; in a group, the target with the fewest "
            "connections takes the next (least-connections)\n"
            "    1. a.example.com:636 (weight 3), 10.0.0.1:636\n"
            "    2. srv:_ldap._tcp.example.com (groups and weights from DNS; targets outside its "
            "domain need tls.name)\n"
            "  speaks TLS 1.2 to 1.3; the server's certificate must be trusted by the system's "
            "trust store, for the host of the target\n"
            "  checks every target every 5s with an LDAP bind: out after 3 failures, back after 2 "
            "successes\n"
            "\n"
            "[plain]\n"
            "  accepts plaintext at /run/plain.sock\n"
            "  connects to b.example.com:389, trying all its addresses\n"
            "  relays plain TCP, without TLS\n");
  CHECK(fake.runs == 0);
}

TEST_CASE("check reports what loading found at the key it is about") {
  const ConfigFile file(
      "[ldap]\n"
      "accept = 0\n"
      "connect = \"a:1\"\n"
      "tls = { ca = \"/etc/passwd\", verify = \"none\" }\n");
  FakeMachinery fake;
  fake.has_bad_ca = true;
  fake.warnings = {"[ldap] tls.verify = \"none\": nobody is verified"};
  const Outcome outcome = execute({"check", file.path}, fake.machinery());
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err == file.path +
                           ":4:14: error: no certificate in this file\n"
                           "tls = { ca = \"/etc/passwd\", verify = \"none\" }\n"
                           "             ^\n"
                           "hint: is it a key?\n" +
                           file.path +
                           ":4:38: warning: tls.verify = \"none\": nobody is verified\n"
                           "tls = { ca = \"/etc/passwd\", verify = \"none\" }\n"
                           "                                     ^\n");
}

TEST_CASE("warnings alone leave the file good") {
  const ConfigFile file(kGood);
  FakeMachinery fake;
  fake.warnings = {"[ldap] no idea where this belongs"};
  const Outcome outcome = execute({"check", file.path}, fake.machinery());
  CHECK(outcome.status == 0);
  CHECK(outcome.out.find("1 service, no errors") != std::string::npos);
  CHECK(outcome.err == file.path +
                           ":2:2: warning: no idea where this belongs\n"
                           "[ldap]\n"
                           " ^\n");
}

TEST_CASE("a file that does not exist is an error of status 2") {
  FakeMachinery fake;
  const Outcome outcome = execute({"check", "/nonexistent/tunnel.toml"}, fake.machinery());
  CHECK(outcome.status == 2);
  CHECK(outcome.err ==
        "/nonexistent/tunnel.toml: error: cannot be opened: No such file or directory\n");
}

TEST_CASE("explaining a key that does not exist fails and says where to look") {
  FakeMachinery fake;
  CHECK(execute({"explain", "accept"}, fake.machinery()).status == 0);
  CHECK(execute({"explain"}, fake.machinery()).out.find("tls.ca") != std::string::npos);
  const Outcome outcome = execute({"explain", "acept"}, fake.machinery());
  CHECK(outcome.status == 2);
  CHECK(outcome.err ==
        "tunnel: there is no key \"acept\"; did you mean \"accept\"?\n"
        "\"tunnel explain\" lists all keys.\n");
}

}  // namespace tunnel::cli
