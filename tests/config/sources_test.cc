// SPDX-License-Identifier: MIT
// Where plaintext comes from when it is not a listening address, and socket options.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <cstring>

#include "fixture.h"

namespace tunnel::config::sources_test {
namespace {

const std::string kConnect = "connect = \"ldap.example.com:636\"\n";

template <class T>
T value_of(const SocketOption& option) {
  T value{};
  REQUIRE(option.value.size() == sizeof value);
  std::memcpy(&value, option.value.data(), sizeof value);
  return value;
}

}  // namespace

TEST_CASE("standard input and output are one place to accept at") {
  const Service service = service_of("[s]\naccept = \"stdio\"\n" + kConnect);
  REQUIRE(service.accept.size() == 1);
  CHECK(service.accept[0].form == Accept::Form::stdio);
  CHECK(service.accept[0].text == "stdio");
}

TEST_CASE("standard input cannot be shared with other addresses or services") {
  CHECK(problems("[s]\naccept = [\"stdio\", 389]\n" + kConnect)
            .starts_with("t.toml:2:10: error: \"stdio\" is one connection on standard input and "
                         "output, so it cannot stand beside other addresses\n"));
  CHECK(problems("[s]\naccept = [\"stdio\", \"stdio\"]\n" + kConnect)
            .find("cannot stand beside other addresses") != std::string::npos);
  CHECK(problems("[s]\naccept = \"stdio\"\n" + kConnect + "[t]\naccept = 1\n" + kConnect)
            .starts_with("t.toml:4:2: error: service \"t\" would end with the one connection of "
                         "[s], which has accept = \"stdio\"\n"));
}

TEST_CASE("a pid file for standard input is a warning") {
  Document document = parse("pid_file = \"/run/x\"\n[s]\naccept = \"stdio\"\n" + kConnect, "t.toml",
                            System::leave_alone);
  CHECK_FALSE(document.has_errors());
  CHECK(document.render().starts_with("t.toml:1:12: warning: no pid file is written"));
}

TEST_CASE("a program takes the place of accept") {
  const Service service = service_of(
      "[s]\nexec = \"bin/sync\"\nexec_args = [\"-v\", \"two words\"]\nexec_name = \"sync\"\n"
      "retry = \"1s\"\n" +
      kConnect);
  CHECK(service.exec == "/etc/tunnel/bin/sync");
  CHECK(service.exec_name == "sync");
  CHECK(service.exec_args == std::vector<std::string>{"-v", "two words"});
  CHECK(service.retry == Millis(1000));
  CHECK(service.accept.empty());
  CHECK_FALSE(service_of("[s]\nexec = \"/bin/x\"\nretry = \"off\"\n" + kConnect).retry.has_value());
}

TEST_CASE("an argument of a program may be a script, or empty") {
  const Service service =
      service_of("[s]\nexec = \"/bin/sh\"\nexec_args = [\"-c\", \"a\\n\\tb\", \"\"]\n" + kConnect);
  CHECK(service.exec_args == std::vector<std::string>{"-c", "a\n\tb", ""});
  CHECK(service_of("[s]\nexec = \"/bin/x\"\nexec_args = \"-v\"\n" + kConnect).exec_args ==
        std::vector<std::string>{"-v"});
  CHECK(problems("[s]\nexec = \"/bin/x\"\nexec_args = [\"a\\u0000\", 5]\n" + kConnect) ==
        "t.toml:3:14: error: an argument of a program cannot hold a NUL character\n"
        "exec_args = [\"a\\u0000\", 5]\n"
        "             ^\n"
        "t.toml:3:25: error: \"exec_args\" must be an array of strings, not an integer\n"
        "exec_args = [\"a\\u0000\", 5]\n"
        "                        ^\n");
}

TEST_CASE("accept and exec exclude one another, and their companions need exec") {
  CHECK(problems("[s]\naccept = 389\nexec = \"/bin/cat\"\n" + kConnect)
            .starts_with("t.toml:3:8: error: \"accept\" and \"exec\" exclude one another"));
  for (const char* line : {"exec_args = [\"a\"]", "exec_name = \"a\"", "retry = \"1s\""}) {
    CAPTURE(line);
    CHECK(problems("[s]\naccept = 389\n" + kConnect + line + "\n")
              .find("belongs to \"exec\", and there is none") != std::string::npos);
  }
  CHECK(problems("[s]\naccept = 389\n" + kConnect + "retry = \"off\"\n") == "");
}

TEST_CASE("a program must be there and executable") {
  const test::TempFolder folder;
  const std::string script = folder.write("script", "#!/bin/sh\n");
  const auto said = [&](const std::string& path) {
    return problems("[s]\nexec = \"" + path + "\"\n" + kConnect, System::use);
  };
  CHECK(said(folder.path("none")).find("cannot run " + folder.path("none")) != std::string::npos);
  CHECK(said(script).find("Permission denied") != std::string::npos);
  CHECK(said("/tmp").find("/tmp is a folder, not a program") != std::string::npos);
  REQUIRE(::chmod(script.c_str(), 0755) == 0);
  CHECK(said(script) == "");
}

TEST_CASE("socket options become what setsockopt takes") {
  const Service service = service_of(
      "[s]\naccept = 389\n" + kConnect +
      "[s.socket_options]\n"
      "target = { SO_SNDBUF = 262144, SO_RCVTIMEO = \"5:250000\", SO_BINDTODEVICE = \"lo\" }\n"
      "client = { TCP_NODELAY = \"no\", SO_OOBINLINE = 1 }\n");
  const auto& target = service.socket_options.target;
  REQUIRE(target.size() == 3);
  CHECK(target[0].name == "SO_SNDBUF");
  CHECK(target[0].level == SOL_SOCKET);
  CHECK(target[0].number == SO_SNDBUF);
  CHECK(value_of<int>(target[0]) == 262144);
  CHECK(value_of<timeval>(target[1]).tv_sec == 5);
  CHECK(value_of<timeval>(target[1]).tv_usec == 250000);
  CHECK(target[2].value == "lo");
  const auto& client = service.socket_options.client;
  REQUIRE(client.size() == 2);
  CHECK(value_of<int>(client[0]) == 1);
  CHECK(value_of<int>(client[1]) == 0);
  CHECK(service.socket_options.listen.empty());
}

TEST_CASE("socket options merge with those of [defaults] name by name") {
  const Service service = service_of(
      "[defaults.socket_options.target]\nSO_SNDBUF = 1000\nSO_RCVBUF = 2000\n[s]\n"
      "accept = 389\n" +
      kConnect + "[s.socket_options.target]\nSO_SNDBUF = 3000\n");
  const auto& target = service.socket_options.target;
  REQUIRE(target.size() == 2);
  CHECK(target[0].text == "2000");
  CHECK(target[1].text == "3000");
}

TEST_CASE("a socket option that does not exist or has another shape is said") {
  const auto said = [&](const std::string& line) {
    return problems("[s]\naccept = 389\n" + kConnect + "socket_options.target." + line + "\n");
  };
  CHECK(said("SO_SNDBUFF = 1").find("unknown key \"SO_SNDBUFF\"") != std::string::npos);
  CHECK(said("SO_SNDBUFF = 1").find("did you mean \"SO_SNDBUF\"?") != std::string::npos);
  CHECK(said("SO_SNDBUF = \"1\"").find("\"SO_SNDBUF\" must be an integer") != std::string::npos);
  CHECK(said("SO_SNDBUF = -1").find("\"SO_SNDBUF\" must be between 0") != std::string::npos);
  CHECK(said("TCP_NODELAY = 2").find("must be true or false") != std::string::npos);
  for (const char* value : {"\"2:1\"", "\"1\"", "1", "\"1:-1\"", "\"1:1x\"", "\":\""}) {
    CAPTURE(value);
    CHECK(said(std::string("SO_LINGER = ") + value).find("must be \"on:seconds\"") !=
          std::string::npos);
  }
  CHECK(said("SO_RCVTIMEO = \"1:1000000\"").find("must be \"seconds:micro") != std::string::npos);
  CHECK(said("SO_BINDTODEVICE = 1").find("must be a string") != std::string::npos);
  CHECK(
      problems("[s]\naccept = 389\n" + kConnect + "socket_options = 1\n").find("must be a table") !=
      std::string::npos);
  CHECK(problems("[s]\naccept = 389\n" + kConnect + "socket_options.client = 1\n")
            .find("\"client\" must be a table of socket options") != std::string::npos);
}

TEST_CASE("lingering is accepted with a warning that it is not set") {
  CHECK(problems("[s]\naccept = 389\n" + kConnect + "socket_options.client.SO_LINGER = \"1:5\"\n")
            .starts_with("t.toml:4:35: warning: SO_LINGER is not set:"));
}

}  // namespace tunnel::config::sources_test
