// SPDX-License-Identifier: MIT
#include "cli/explain.h"

#include <doctest/doctest.h>

#include "config/schema.h"

namespace tunnel::cli {

TEST_CASE("a key is explained with its type, default, meaning and stunnel name") {
  CHECK(explain("tls.ca").value() ==
        "tls.ca: a path or an array of paths\n"
        "\n"
        "Certificates to trust: PEM or DER files, or folders of them. The default is the system's\n"
        "trust store.\n"
        "\n"
        "In stunnel.conf: CAfile\n");
  CHECK(explain("timeouts.idle").value() ==
        "timeouts.idle: a duration such as \"10s\" or \"5m\", or \"off\"\n"
        "default: \"off\"\n"
        "\n"
        "Resets a connection on which no byte moved for so long.\n"
        "\n"
        "In stunnel.conf: TIMEOUTidle\n");
}

TEST_CASE("a table is explained with the keys in it") {
  const std::string text = explain("keepalive").value();
  CHECK(text.starts_with("keepalive: a table or false\n"));
  CHECK(text.ends_with("\nKeys: keepalive.idle keepalive.interval keepalive.count\n"));
}

TEST_CASE("a key is found as it stands in a file, below a service") {
  CHECK(explain("ldap.tls.ca").value() == explain("tls.ca").value());
  CHECK(explain("ldap.accept").value() == explain("accept").value());
  CHECK(explain("ldap.health.tls.ca").value() == explain("tls.ca").value());
  CHECK(explain("health.tls.ca").value() == explain("tls.ca").value());
}

TEST_CASE("an unknown key is an error that names the one that was meant") {
  CHECK(explain("acept").error().text == "there is no key \"acept\"; did you mean \"accept\"?");
  CHECK(explain("tls.cs").error().text == "there is no key \"tls.cs\"; did you mean \"tls.ca\"?");
  CHECK(explain("min_version").error().text ==
        "there is no key \"min_version\"; did you mean \"tls.min_version\"?");
  CHECK(explain("qqqqqqqq").error().text == "there is no key \"qqqqqqqq\"");
  CHECK(explain("\x1b[31m").error().text.find('\x1b') == std::string::npos);
}

TEST_CASE("keys of later versions are not explained") {
  for (const char* key : {"capture"}) {
    CAPTURE(key);
    CHECK_FALSE(explain(key).has_value());
  }
}

TEST_CASE("the list has every key once, on one line that fits a terminal") {
  const std::string text = explain_all();
  for (const config::Named& named : config::all_options()) {
    CAPTURE(named.name);
    const std::string start = "\n  " + named.name + " ";
    const std::size_t found = text.find(start);
    REQUIRE(found != std::string::npos);
    CHECK(text.find(start, found + 1) == std::string::npos);
    CHECK(text.find('\n', found + 1) - found <= 120);
  }
}

}  // namespace tunnel::cli
