// SPDX-License-Identifier: MIT
#include "cli/invocation.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace tunnel::cli {
namespace {

using Command = Invocation::Command;

Invocation parsed(std::vector<std::string> arguments) {
  auto result = parse_arguments(std::move(arguments));
  REQUIRE_MESSAGE(result.has_value(), result.error().text);
  return *result;
}

std::string refused(std::vector<std::string> arguments) {
  const auto result = parse_arguments(std::move(arguments));
  REQUIRE_FALSE(result.has_value());
  return result.error().text;
}

}  // namespace

TEST_CASE("a file alone is run, with what it says itself") {
  const Invocation invocation = parsed({"tunnel.toml"});
  CHECK(invocation.command == Command::run);
  CHECK(invocation.config == "tunnel.toml");
  CHECK_FALSE(invocation.foreground);
  CHECK_FALSE(invocation.log_level.has_value());
}

TEST_CASE("options stand before or after the file, short or long") {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"-f", "--log-level", "debug", "x.toml"},
        {"--foreground", "x.toml", "--log-level=debug"},
        {"x.toml", "-f", "--log-level", "debug"}}) {
    const Invocation invocation = parsed(arguments);
    CHECK(invocation.command == Command::run);
    CHECK(invocation.config == "x.toml");
    CHECK(invocation.foreground);
    CHECK(invocation.log_level == log::Level::debug);
  }
}

TEST_CASE("what follows a stunnel.conf is not for us, unless all of it is") {
  const auto rsync =
      parsed({"x.conf", "192.0.2.1", "rsync", "--server", "--daemon", "-f", "--help", "."});
  CHECK(rsync.command == Command::run);
  CHECK(rsync.config == "x.conf");
  CHECK_FALSE(rsync.foreground);
  CHECK(parsed({"-f", "x.conf", "y.conf"}).foreground);
  CHECK(parsed({"--log-level", "debug", "x.conf", "check"}).log_level == log::Level::debug);
  CHECK(parsed({"x.conf", "-f", "--log-level", "debug"}).foreground);
  CHECK(parsed({"x.conf", "--log-level", "debug"}).log_level == log::Level::debug);
  // Nothing of the kind behind a command or another file.
  CHECK(refused({"check", "x.conf", "y"}) == "unexpected argument \"y\"");
  CHECK(refused({"x.toml", "y.conf"}) == "unexpected argument \"y.conf\"");
}

TEST_CASE("-fd names the descriptor of a stunnel.conf") {
  const auto invocation = parsed({"-f", "-fd", "3", "rsync", "--server"});
  CHECK(invocation.command == Command::run);
  CHECK(invocation.config == "/dev/fd/3");
  CHECK(invocation.is_stunnel);
  CHECK(invocation.foreground);
  CHECK_FALSE(parsed({"x.conf"}).is_stunnel);
  const std::string needed =
      "-fd needs the number of the descriptor that a stunnel.conf is read from";
  CHECK(refused({"-fd"}) == needed);
  CHECK(refused({"-fd", "x.conf"}) == needed);
}

TEST_CASE("check and explain are commands, ./check is a file") {
  CHECK(parsed({"check", "x.toml"}).command == Command::check);
  CHECK(parsed({"check", "x.toml"}).config == "x.toml");
  CHECK(parsed({"check", "check"}).config == "check");
  CHECK(parsed({"./check"}).command == Command::run);
  CHECK(parsed({"./check"}).config == "./check");
  CHECK(parsed({"explain"}).command == Command::explain);
  CHECK(parsed({"explain"}).key.empty());
  CHECK(parsed({"explain", "tls.ca"}).key == "tls.ca");
}

TEST_CASE("help and version win over everything else") {
  CHECK(parsed({"-h"}).command == Command::help);
  CHECK(parsed({"--help", "x.toml"}).command == Command::help);
  CHECK(parsed({"check", "--help"}).command == Command::help);
  CHECK(parsed({"-V"}).command == Command::version);
  CHECK(parsed({"--version"}).command == Command::version);
  CHECK(parsed({"-help"}).command == Command::help);
  CHECK(parsed({"-version"}).command == Command::version);
}

TEST_CASE("help and version are understood as words") {
  CHECK(parsed({"help"}).command == Command::help);
  CHECK(parsed({"help", "check"}).command == Command::help);
  CHECK(parsed({"version"}).command == Command::version);
  CHECK(parsed({"./help"}).config == "./help");
}

TEST_CASE("a mistyped command is not taken for a file") {
  const std::string meant =
      "there is no command \"chek\", and no such file; did you mean \"check\"?";
  CHECK(refused({"chek", "x.toml"}) == meant);
  CHECK(refused({"chek"}) == meant);
  CHECK(refused({"-f", "explian", "accept"}) ==
        "there is no command \"explian\", and no such file; did you mean \"explain\"?");
  CHECK(parsed({"./chek"}).config == "./chek");
  CHECK(parsed({"chek.toml"}).config == "chek.toml");
  CHECK(refused({"-v"}) ==
        "unknown option \"-v\"; -V prints the version, and --log-level debug logs more");
}

TEST_CASE("options may follow the command, and two dashes end them") {
  CHECK(parsed({"check", "x.toml", "--log-level", "debug"}).log_level == log::Level::debug);
  CHECK(parsed({"check", "-f", "x.toml"}).config == "x.toml");
  CHECK(parsed({"x.toml", "-f"}).foreground);
  CHECK(parsed({"-f", "--", "x.toml"}).config == "x.toml");
  CHECK(parsed({"check", "--", "x.toml"}).config == "x.toml");
  CHECK(parsed({"--", "-x.toml"}).config == "./-x.toml");
}

TEST_CASE("what follows convert and two dashes belongs to the other program") {
  const Invocation invocation = parsed({"convert", "--", "balance", "-f", "-h", "--", "636", "!"});
  CHECK(invocation.command == Command::convert);
  CHECK(invocation.command_line ==
        std::vector<std::string>{"balance", "-f", "-h", "--", "636", "!"});
  CHECK_FALSE(invocation.foreground);
  CHECK(parsed({"convert", "-h"}).command == Command::help);
  const std::string needed =
      "convert needs a file or a command line: tunnel convert "
      "FILE.conf, or tunnel convert -- balance ARGS";
  CHECK(refused({"convert"}) == needed);
  CHECK(refused({"convert", "--"}) == needed);
  CHECK(refused({"convert", "stunnel.conf", "--", "balance"}) == needed);
  CHECK(parsed({"convert", "stunnel.conf"}).config == "stunnel.conf");
  CHECK(refused({"convert", "-x", "--", "balance"}) == "unknown option \"-x\"");
}

TEST_CASE("what cannot be understood is a usage error with a sentence") {
  CHECK(refused({}) == "which configuration file?");
  CHECK(refused({"check"}) == "check needs a configuration file: tunnel check CONFIG");
  CHECK(refused({"--forground", "x.toml"}) ==
        "unknown option \"--forground\"; did you mean \"--foreground\"?");
  CHECK(refused({"-x", "x.toml"}) == "unknown option \"-x\"");
  CHECK(refused({"a.toml", "b.toml"}) == "unexpected argument \"b.toml\"");
  CHECK(refused({"check", "a.toml", "b.toml"}) == "unexpected argument \"b.toml\"");
  CHECK(refused({"explain", "tls.ca", "tls.crl"}) == "unexpected argument \"tls.crl\"");
  CHECK(refused({"a.toml", "check", "b.toml"}) ==
        "unexpected argument \"a.toml\" before the command");
  CHECK(refused({"--log-level", "loud", "x.toml"}) ==
        "--log-level is error, warning, info or debug, not \"loud\"");
  CHECK_FALSE(refused({"x.toml", "--log-level"}).empty());
  CHECK_FALSE(refused({"--foreground=maybe", "x.toml"}).empty());
}

TEST_CASE("a command of a later version is named as such, unless it is a file") {
  for (const char* command : {"probe", "status", "reload", "drain"}) {
    const std::string expected =
        "the command \"" + std::string(command) + "\" is not available in this version";
    CHECK(refused({command}) == expected);
    CHECK(refused({command, "x.toml"}) == expected);
  }
  char folder[] = "/tmp/tunnel-test-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  char before[4096];
  REQUIRE(::getcwd(before, sizeof before) != nullptr);
  REQUIRE(::chdir(folder) == 0);
  std::ofstream("status") << "\n";
  CHECK(parsed({"status"}).config == "status");
  REQUIRE(::unlink("status") == 0);
  REQUIRE(::chdir(before) == 0);
  REQUIRE(::rmdir(folder) == 0);
}

}  // namespace tunnel::cli
