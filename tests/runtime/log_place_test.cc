// SPDX-License-Identifier: MIT
#include "runtime/log_place.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace tunnel::runtime::log_place_test {
namespace {

using Sink = log::Options::Sink;

config::Global logging_to(std::vector<std::string> places, bool is_foreground = false) {
  config::Global global;
  global.log_file = std::move(places);
  global.foreground = is_foreground;
  return global;
}

log::Options options(const config::Global& global, Voice voice = Voice::standard_error) {
  return log_options(global, voice);
}

}  // namespace

TEST_SUITE("log place") {
  TEST_CASE(
      "without log_file a daemon logs to syslog, and a process in the foreground to standard "
      "error") {
    CHECK(options(logging_to({})).sink == Sink::syslog);
    CHECK(options(logging_to({}, true)).sink == Sink::standard_error);
  }

  TEST_CASE("log_file names a sink or a path") {
    CHECK(options(logging_to({"stderr"})).sink == Sink::standard_error);
    CHECK(options(logging_to({"syslog"}, true)).sink == Sink::syslog);
    CHECK(options(logging_to({"journal"})).sink == Sink::journal);
    const log::Options file = options(logging_to({"/var/log/tunnel.log"}));
    CHECK(file.sink == Sink::file);
    CHECK(file.path == "/var/log/tunnel.log");
    CHECK_FALSE(file.is_also_on_stderr);
  }

  TEST_CASE("standard error beside another place is a copy") {
    for (const auto& places : {std::vector<std::string>{"stderr", "/log"}, {"/log", "stderr"}}) {
      const log::Options both = options(logging_to(places));
      CHECK(both.path == "/log");
      CHECK(both.is_also_on_stderr);
    }
  }

  TEST_CASE("nothing is logged to a standard error that is the client's socket") {
    CHECK(options(logging_to({"stderr"}), Voice::syslog).sink == Sink::syslog);
    CHECK(options(logging_to({}, true), Voice::syslog).sink == Sink::syslog);
    CHECK_FALSE(options(logging_to({"stderr", "/log"}), Voice::syslog).is_also_on_stderr);
  }

  TEST_CASE("a daemon's caller reads where the log goes") {
    CHECK(where_the_log_goes(options(logging_to({}))) == "syslog");
    CHECK(where_the_log_goes(options(logging_to({"journal"}))) == "the journal");
    CHECK(where_the_log_goes(options(logging_to({"/var/log/tunnel.log"}))) ==
          "/var/log/tunnel.log");
    CHECK(where_the_log_goes(options(logging_to({"stderr"}))) ==
          "/dev/null, because a daemon has no standard error: set log_file");
  }
}

}  // namespace tunnel::runtime::log_place_test
