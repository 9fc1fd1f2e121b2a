// SPDX-License-Identifier: MIT
#include "cli/command_line.h"

#include <doctest/doctest.h>

namespace tunnel::cli {
namespace {

using What = Invocation::What;

Invocation parsed(std::vector<std::string> arguments) {
  auto result = parse_arguments(std::move(arguments));
  REQUIRE_MESSAGE(result.has_value(), result.error().text);
  return std::move(*result);
}

// The command that was chosen.
std::string command(std::vector<std::string> arguments) {
  const Invocation invocation = parsed(std::move(arguments));
  REQUIRE(invocation.what == What::command);
  return invocation.command->name();
}

std::string refused(std::vector<std::string> arguments) {
  const auto result = parse_arguments(std::move(arguments));
  REQUIRE_FALSE(result.has_value());
  return result.error().text;
}

}  // namespace

TEST_CASE("a file alone is run, with what it says itself") {
  const Invocation invocation = parsed({"tunnel.toml"});
  CHECK(invocation.what == What::run);
  CHECK(invocation.config == "tunnel.toml");
  CHECK_FALSE(invocation.common.foreground);
  CHECK_FALSE(invocation.common.log_level.has_value());
}

TEST_CASE("options stand before or after the file, short or long") {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"-f", "--log-level", "debug", "x.toml"},
        {"--foreground", "x.toml", "--log-level=debug"},
        {"x.toml", "-f", "--log-level", "debug"}}) {
    const Invocation invocation = parsed(arguments);
    CHECK(invocation.what == What::run);
    CHECK(invocation.config == "x.toml");
    CHECK(invocation.common.foreground);
    CHECK(invocation.common.log_level == log::Level::debug);
  }
}

TEST_CASE("what follows a stunnel.conf is not for us, unless all of it is") {
  const auto rsync =
      parsed({"x.conf", "192.0.2.1", "rsync", "--server", "--daemon", "-f", "--help", "."});
  CHECK(rsync.what == What::run);
  CHECK(rsync.config == "x.conf");
  CHECK_FALSE(rsync.common.foreground);
  CHECK(parsed({"-f", "x.conf", "y.conf"}).common.foreground);
  CHECK(parsed({"--log-level", "debug", "x.conf", "check"}).common.log_level == log::Level::debug);
  CHECK(parsed({"x.conf", "-f", "--log-level", "debug"}).common.foreground);
  CHECK(parsed({"x.conf", "--log-level", "debug"}).common.log_level == log::Level::debug);
  CHECK(parsed({"x.conf", "--control", "/run/c", "--ready-fd=1"}).common.control == "/run/c");
  CHECK(parsed({"--control", "/run/c", "x.conf", "rsync"}).common.control == "/run/c");
  CHECK(parsed({"--control=/run/c", "-f", "x.conf", "rsync"}).config == "x.conf");
  CHECK(parsed({"x.conf", "rsync", "--control", "/run/c"}).common.control.empty());
  // Nothing of the kind behind a command or another file.
  CHECK(refused({"check", "x.conf", "y"}) == "unexpected argument \"y\"");
  CHECK(refused({"x.toml", "y.conf"}) == "unexpected argument \"y.conf\"");
}

TEST_CASE("-fd names the descriptor of a stunnel.conf") {
  const auto invocation = parsed({"-f", "-fd", "3", "rsync", "--server"});
  CHECK(invocation.what == What::run);
  CHECK(invocation.config == "/dev/fd/3");
  CHECK(invocation.is_stunnel);
  CHECK(invocation.common.foreground);
  CHECK_FALSE(parsed({"x.conf"}).is_stunnel);
  const std::string needed =
      "-fd needs the number of the descriptor that a stunnel.conf is read from";
  CHECK(refused({"-fd"}) == needed);
  CHECK(refused({"-fd", "x.conf"}) == needed);
}

TEST_CASE("check and explain are commands, ./check is a file") {
  CHECK(command({"check", "x.toml"}) == "check");
  CHECK(command({"check", "check"}) == "check");
  CHECK(parsed({"./check"}).what == What::run);
  CHECK(parsed({"./check"}).config == "./check");
  CHECK(command({"explain"}) == "explain");
  CHECK(command({"explain", "tls.ca"}) == "explain");
}

TEST_CASE("help and version win over everything else") {
  CHECK(parsed({"-h"}).what == What::help);
  CHECK(parsed({"--help", "x.toml"}).what == What::help);
  CHECK(parsed({"check", "--help"}).what == What::help);
  CHECK(parsed({"-V"}).what == What::version);
  CHECK(parsed({"--version"}).what == What::version);
  CHECK(parsed({"-help"}).what == What::help);
  CHECK(parsed({"-version"}).what == What::version);
}

TEST_CASE("help and version are understood as words") {
  CHECK(parsed({"help"}).what == What::help);
  CHECK(parsed({"help", "check"}).what == What::help);
  CHECK(parsed({"version"}).what == What::version);
  CHECK(parsed({"./help"}).config == "./help");
  CHECK(parsed({"help", "check"}).help.find("tunnel check [OPTIONS] CONFIG") != std::string::npos);
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
  CHECK(parsed({"check", "x.toml", "--log-level", "debug"}).common.log_level == log::Level::debug);
  CHECK(command({"check", "-f", "x.toml"}) == "check");
  CHECK(parsed({"x.toml", "-f"}).common.foreground);
  CHECK(parsed({"-f", "--", "x.toml"}).config == "x.toml");
  CHECK(command({"check", "--", "-x.toml"}) == "check");
  CHECK(parsed({"--", "-x.toml"}).config == "-x.toml");
}

TEST_CASE("what follows convert and two dashes belongs to the other program") {
  const Invocation invocation = parsed({"convert", "--", "balance", "-f", "-h", "--", "636", "!"});
  CHECK(invocation.what == What::command);
  CHECK(invocation.command->name() == "convert");
  CHECK_FALSE(invocation.common.foreground);
  CHECK(parsed({"convert", "-h"}).what == What::help);
  const std::string needed =
      "convert needs a file or a command line: tunnel convert FILE.conf, or tunnel convert -- "
      "balance ARGS";
  CHECK(refused({"convert"}) == needed);
  CHECK(refused({"convert", "--"}) == needed);
  CHECK(refused({"convert", "stunnel.conf", "--", "balance"}) == needed);
  CHECK(command({"convert", "stunnel.conf"}) == "convert");
  CHECK(refused({"convert", "-x", "--", "balance"}) == "unknown option \"-x\"");
}

TEST_CASE("what cannot be understood is a usage error with a sentence") {
  CHECK(refused({}) == "which configuration file?");
  CHECK(refused({"check"}) == "check: CONFIG is required");
  CHECK(refused({"--forground", "x.toml"}) ==
        "unknown option \"--forground\"; did you mean \"--foreground\"?");
  CHECK(refused({"-x", "x.toml"}) == "unknown option \"-x\"");
  CHECK(refused({"a.toml", "b.toml"}) == "unexpected argument \"b.toml\"");
  CHECK(refused({"check", "a.toml", "b.toml"}) == "unexpected argument \"b.toml\"");
  CHECK(refused({"explain", "tls.ca", "tls.crl"}) == "unexpected argument \"tls.crl\"");
  CHECK(refused({"a.toml", "check", "b.toml"}) == "unexpected argument \"a.toml\"");
  CHECK(refused({"--log-level", "loud", "x.toml"}) ==
        "--log-level: \"loud\" is not error, warning, info or debug");
  CHECK(refused({"--control", "", "x.toml"}) == "--control: the path is empty");
  CHECK_FALSE(refused({"x.toml", "--log-level"}).empty());
  CHECK_FALSE(refused({"--foreground=maybe", "x.toml"}).empty());
}

TEST_CASE("a duration that is a number alone is so many seconds") {
  CHECK(command({"status", "t.toml", "--wait-ready", "30"}) == "status");
  CHECK(command({"probe", "t.toml", "--timeout=5"}) == "probe");
  CHECK(command({"capture", "t.toml", "--duration", "60"}) == "capture");
  CHECK(command({"target", "t.toml", "s", "t", "drain", "--for", "600"}) == "target");
  CHECK(refused({"probe", "t.toml", "--timeout", "0"}) == "--timeout: a timeout is more than 0");
  CHECK(refused({"status", "t.toml", "--wait-ready", "1.5"}) ==
        "--wait-ready: \"1.5\" is not a duration; write it like \"250ms\", \"10s\", \"5m\" or "
        "\"1h30m\"");
}

TEST_CASE("each command has its own help") {
  for (const char* name : {"check", "convert", "explain"}) {
    const Invocation invocation = parsed({name, "--help"});
    CHECK(invocation.what == What::help);
    CHECK(invocation.help.find("Usage: tunnel " + std::string(name)) != std::string::npos);
  }
}

}  // namespace tunnel::cli
