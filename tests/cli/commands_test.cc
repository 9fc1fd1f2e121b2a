// SPDX-License-Identifier: MIT
#include "cli/commands.h"

#include <doctest/doctest.h>

#include <string>

#include "support/temp_folder.h"

namespace tunnel::cli {
namespace {

// A file in a folder of its own, both gone at the end.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) : path(folder_.write("tunnel.toml", text)) {}

 private:
  const test::TempFolder folder_;

 public:
  const std::string path;
};

// The rooms below, told what to do.
struct FakeMachinery {
  std::vector<std::string> warnings;
  bool has_bad_ca = false;
  int runs = 0;
  config::Global ran_with;
  std::vector<config::Service> services;
  std::string path;
  int told = -1;

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
                [this](const config::Document& document, const std::function<config::Document()>&,
                       int ready_fd) {
                  ++runs;
                  ran_with = document.config.global;
                  services = document.config.services;
                  path = document.config.path;
                  told = ready_fd;
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
  CHECK(outcome.out.find("validate CONFIG") != std::string::npos);
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

TEST_CASE("convert prints the TOML of a balance command line, with what is different as comments") {
  FakeMachinery fake;
  const Outcome plain =
      execute({"convert", "--", "balance", "-b", "127.0.0.1", "636", "10.1.1.1", "!", "10.1.1.2"},
              fake.machinery());
  CHECK(plain.status == 0);
  CHECK(plain.err.empty());
  CHECK(plain.out ==
        "# balance -b 127.0.0.1 636 10.1.1.1 ! 10.1.1.2\n"
        "\n"
        "[balance]\n"
        "accept = \"127.0.0.1:636\"\n"
        "connect = [[\"10.1.1.1:636\"], [\"10.1.1.2:636\"]]\n"
        "tls = false\n");
  const Outcome noted =
      execute({"convert", "--", "/usr/sbin/balance", "-M", "-a", "-blocalhost", "636", "a"},
              fake.machinery());
  CHECK(noted.status == 0);
  CHECK(noted.out.starts_with(
      "# balance -M -a -blocalhost 636 a\n"
      "# -a has no counterpart: a target whose connection fails is left out for health.eject_time "
      "and\n"
      "#   then tried again by itself, so it need not be enabled by hand\n"
      "# -M has no meaning here: there is one process, which shares no memory with others\n"
      "\n"
      "[balance]\n"));
  CHECK(fake.runs == 0);
}

TEST_CASE("convert says why a command line cannot be converted") {
  FakeMachinery fake;
  const Outcome wrong = execute({"convert", "--", "balance", "-z"}, fake.machinery());
  CHECK(wrong.status == 2);
  CHECK(wrong.out.empty());
  CHECK(wrong.err.starts_with("tunnel: balance has no option -z\nusage: balance "));
  const Outcome other = execute({"convert", "--", "haproxy", "-f", "x"}, fake.machinery());
  CHECK(other.status == 2);
  CHECK(other.err.starts_with("tunnel: only command lines of balance can be converted"));
}

TEST_CASE("no argument breaks out of the comments") {
  FakeMachinery fake;
  const Outcome outcome =
      execute({"convert", "--", "balance", "-c", "x\n[evil]", "389", "a"}, fake.machinery());
  CHECK(outcome.status == 2);
  const Outcome joined =
      execute({"convert", "--", "balance", "-b", "h\n[evil]", "389", "a"}, fake.machinery());
  CHECK(joined.status == 2);
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
  CHECK(
      outcome.out ==
      file.path +
          ": 2 services, no errors\n"
          "\n"
          "[ldap]\n"
          "  accepts plaintext at 127.0.0.1:389, ::1 (a free port), from 127.0.0.0/8 only\n"
          "  connections go to the first of 2 groups that has a target to choose:\n"
          "  group 1: the one with the fewest connections for its weight of a.example.com:636 "
          "(weight 3) and 10.0.0.1:636 (weight 1) (least-connections)\n"
          "  group 2: the one with the fewest connections of the SRV records of "
          "_ldap._tcp.example.com (least-connections)\n"
          "  the SRV records of _ldap._tcp.example.com are asked for while running; their "
          "priorities are groups, their weights weights, and targets come and go with them\n"
          "  an SRV target outside its domain cannot be verified, because DNS is not trusted to "
          "name it; set tls.name if there is one\n"
          "  a target whose dial fails is left out for 5s, twice as long each time in a row up to "
          "1m; when all are left out they are tried anyway, in the same order\n"
          "  every target is checked every 5s with an LDAP bind: out after 3 failures, back after "
          "2 successes\n"
          "  speaks TLS 1.2 to 1.3; the server's certificate must be trusted by the system's "
          "trust store, for the host of the target\n"
          "\n"
          "[plain]\n"
          "  accepts plaintext at /run/plain.sock\n"
          "  connections go to b.example.com:389, trying all its addresses\n"
          "  it is the only target, so every connection tries it, whatever happened before\n"
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
        "tunnel: there is nothing called \"acept\"; did you mean \"accept\"?\n"
        "\"tunnel explain\" lists all keys.\n");
}

TEST_CASE("a service from the command line is what a file would say") {
  FakeMachinery fake;
  const Outcome outcome = execute({"--service", "ldap=127.0.0.1:389,10.1.1.1:636,10.1.1.2:636",
                                   "-f", "--service", "a b=@sock,[::1]:1"},
                                  fake.machinery());
  CHECK(outcome.err == "");
  REQUIRE(fake.services.size() == 2);
  CHECK(fake.path == "ldap");
  CHECK(fake.ran_with.foreground);
  CHECK(fake.services[0].name == "ldap");
  CHECK(fake.services[0].accept[0].text == "127.0.0.1:389");
  REQUIRE(fake.services[0].connect.size() == 1);
  CHECK(fake.services[0].connect[0].size() == 2);
  CHECK(fake.services[0].tls.has_value());
  CHECK(fake.services[1].name == "a b");
  CHECK(fake.services[1].accept[0].form == config::Accept::Form::unix_socket);
}

TEST_CASE("what is wrong with a service from the command line is said as of a file") {
  FakeMachinery fake;
  const Outcome outcome = execute({"--service", "ldap=*:389,10.1.1.1:99999"}, fake.machinery());
  CHECK(outcome.status == 2);
  CHECK(fake.runs == 0);
  CHECK(outcome.err.find("--service:2:10: error: ") != std::string::npos);
  CHECK(outcome.err.find("allow_remote") != std::string::npos);
  CHECK(outcome.err.find("--service:3:11: error: ") != std::string::npos);
}

TEST_CASE("a service from the command line that is none is a usage error") {
  FakeMachinery fake;
  const auto refused = [&](std::vector<std::string> arguments) {
    const Outcome outcome = execute(std::move(arguments), fake.machinery());
    CHECK(outcome.status == 2);
    CHECK(outcome.err.find("--help") != std::string::npos);
    return outcome.err;
  };
  CHECK(refused({"--service", "ldap"}).find("has no \"=\"") != std::string::npos);
  CHECK(refused({"--service", "=1,a:2"}).find("has no name") != std::string::npos);
  CHECK(refused({"--service", "ldap=1"}).find("has no target") != std::string::npos);
  CHECK(refused({"--service", "ldap=1,,a:2"}).find("between two commas") != std::string::npos);
  CHECK(refused({"--service", "defaults=1,a:2"}).find("no service can have") != std::string::npos);
  CHECK(refused({"--service", "a=1,a:2", "--service", "a=2,a:2"}).find("two services \"a\"") !=
        std::string::npos);
  CHECK(refused({"--service", "a=1,a:2", "t.toml"}).find("instead of a file") != std::string::npos);
  CHECK(refused({"check", "t.toml", "--service", "a=1,a:2"}).find("not for \"check\"") !=
        std::string::npos);
  CHECK(fake.runs == 0);
}

TEST_CASE("the descriptor for readiness must be open") {
  FakeMachinery fake;
  (void)execute({"--service", "a=1,a:2", "--ready-fd", "1"}, fake.machinery());
  CHECK(fake.told == 1);
  const Outcome closed =
      execute({"--service", "a=1,a:2", "--ready-fd", "1000000"}, fake.machinery());
  CHECK(closed.status == 2);
  CHECK(closed.err.starts_with("tunnel: --ready-fd 1000000: this descriptor is not open"));
  CHECK(execute({"--ready-fd", "-1", "--service", "a=1,a:2"}, fake.machinery()).status == 2);
}

}  // namespace tunnel::cli
