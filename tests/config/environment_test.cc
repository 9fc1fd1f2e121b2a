// SPDX-License-Identifier: MIT
// `expand_environment`.
#include <cstdlib>

#include "fixture.h"

namespace tunnel::config::environment_test {
namespace {

// A variable for the length of a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { (void)::setenv(name, value, 1); }
  ~Variable() { (void)::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

const std::string kExpand = "expand_environment = true\n";

}  // namespace

TEST_CASE("variables are replaced in the strings of every depth") {
  const Variable host("TUNNEL_TEST_HOST", "dc1.example.com");
  const Variable name("TUNNEL_TEST_NAME", "ldap.example.com");
  const Service service = service_of(kExpand +
                                     "[s]\naccept = 1\nconnect = [[\"${TUNNEL_TEST_HOST}:636\"]]\n"
                                     "[s.tls]\nname = \"x.${TUNNEL_TEST_NAME}\"\n");
  CHECK(service.connect[0][0].text == "dc1.example.com:636");
  CHECK(service.tls->name == std::vector<std::string>{"x.ldap.example.com"});
}

TEST_CASE("nothing is replaced unless it is asked for") {
  const Variable host("TUNNEL_TEST_HOST", "dc1.example.com");
  const std::string text =
      "[s]\naccept = 1\nconnect = \"a:1\"\n[s.tls]\nsni = \"${TUNNEL_TEST_HOST}\"\n";
  CHECK(service_of(text).tls->sni == "${TUNNEL_TEST_HOST}");
  CHECK(service_of("expand_environment = false\n" + text).tls->sni == "${TUNNEL_TEST_HOST}");
}

TEST_CASE("a variable that is not set is an error where it is named") {
  CHECK(problems(kExpand + "[s]\naccept = 1\nconnect = \"${TUNNEL_TEST_NONE}:1\"\n")
            .starts_with(
                "t.toml:4:11: error: the environment variable TUNNEL_TEST_NONE is not set\n"));
}

TEST_CASE("what follows from a variable that is not set is not an error of its own") {
  const std::string line = "log_level = \"${TUNNEL_TEST_NONE}${TUNNEL_TEST_NO}\"\n";
  const std::string hint =
      line +
      "            ^\nhint: expand_environment = true needs each ${NAME} in the environment of "
      "the process\n";
  CHECK(problems(kExpand + line + "[s]\naccept = 1\nconnect = \"a:1\"\n") ==
        "t.toml:2:13: error: the environment variable TUNNEL_TEST_NO is not set\n" + hint +
            "t.toml:2:13: error: the environment variable TUNNEL_TEST_NONE is not set\n" + hint);
}

TEST_CASE("what is no variable is an error, and a doubled dollar is none") {
  const std::string start = kExpand + "[s]\naccept = 1\nconnect = \"a:1\"\n[s.tls]\nsni = ";
  CHECK(
      problems(start + "\"${a b}\"\n").find("\"a b\" is not the name of an environment variable") !=
      std::string::npos);
  CHECK(problems(start + "\"${A\"\n").find("\"${\" has no closing brace") != std::string::npos);
  CHECK(service_of(start + "\"$${A} $B\"\n").tls->sni == "${A} $B");
}

TEST_CASE("what a variable says is not looked at again") {
  const Variable outer("TUNNEL_TEST_OUTER", "${TUNNEL_TEST_NONE}");
  const Service service = service_of(
      kExpand + "[s]\naccept = 1\nconnect = \"a:1\"\n[s.tls]\nsni = \"${TUNNEL_TEST_OUTER}\"\n");
  CHECK(service.tls->sni == "${TUNNEL_TEST_NONE}");
}

TEST_CASE("a dollar at the end of one variable does not escape the next") {
  const Variable first("TUNNEL_TEST_FIRST", "pa$$");
  const Variable second("TUNNEL_TEST_SECOND", "word");
  const Service service = service_of(kExpand +
                                     "[s]\naccept = 1\nconnect = \"a:1\"\n[s.tls]\nsni = "
                                     "\"${TUNNEL_TEST_FIRST}${TUNNEL_TEST_SECOND}\"\n");
  CHECK(service.tls->sni == "pa$$word");
}

TEST_CASE("included files are expanded as the main one says") {
  const Variable port("TUNNEL_TEST_PORT", "636");
  const test::TempFolder folder;
  folder.write("conf.d/a.toml", "[s]\naccept = 1\nconnect = \"10.1.1.1:${TUNNEL_TEST_PORT}\"\n");
  const std::string main = kExpand + "include = [\"conf.d/*.toml\"]\n";
  Document document = parse(main, folder.path("t.toml"), System::use);
  REQUIRE(document.render() == "");
  CHECK(document.config.services[0].connect[0][0].port == 636);
}

}  // namespace tunnel::config::environment_test
