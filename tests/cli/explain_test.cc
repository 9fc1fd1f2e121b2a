// SPDX-License-Identifier: MIT
#include "cli/explain.h"

#include <doctest/doctest.h>

#include "base/kind.h"
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
        "Resets a connection that has carried no data for this long.\n"
        "\n"
        "In stunnel.conf: TIMEOUTidle\n");
}

TEST_CASE("a table is explained with the keys in it") {
  const std::string text = explain("keepalive").value();
  CHECK(text.starts_with("keepalive: a table or false\n"));
  CHECK(text.ends_with("\nKeys: keepalive.idle keepalive.interval keepalive.count\n"));
}

TEST_CASE("the table of defaults is explained with the keys of a service") {
  for (const char* word : {"defaults", "[defaults]"}) {
    const std::string text = explain(word).value();
    CHECK(text.find("holds for every service") != std::string::npos);
    CHECK(text.find("\n  accept ") != std::string::npos);
    CHECK(text.find("\n  tls.verify ") == std::string::npos);
  }
}

TEST_CASE("a key is found as it stands in a file, below a service") {
  CHECK(explain("ldap.tls.ca").value() == explain("tls.ca").value());
  CHECK(explain("ldap.accept").value() == explain("accept").value());
  CHECK(explain("ldap.health.tls.ca").value() == explain("tls.ca").value());
  CHECK(explain("health.tls.ca").value() == explain("tls.ca").value());
}

TEST_CASE("a key without its table is explained, in every table that has it") {
  CHECK(explain("min_version").value() == explain("tls.min_version").value());
  CHECK(explain("idle").value() ==
        explain("timeouts.idle").value() + "\n" + explain("keepalive.idle").value());
}

TEST_CASE("an unknown word is an error that names what is near") {
  CHECK(explain("acept").error().text ==
        "there is nothing called \"acept\"; did you mean \"accept\"?");
  CHECK(explain("tls.cs").error().text ==
        "there is nothing called \"tls.cs\"; did you mean \"tls.ca\"?");
  CHECK(explain("cert_expird").error().text ==
        "there is nothing called \"cert_expird\"; did you mean \"cert_expired\"?");
  CHECK(explain("wireshark").error().text ==
        "there is nothing called \"wireshark\"; these speak of it: capture tls.keylog capture.file "
        "capture.port");
  CHECK(explain("qqqqqqqq").error().text == "there is nothing called \"qqqqqqqq\"");
  CHECK(explain("\x1b[31m").error().text.find('\x1b') == std::string::npos);
}

TEST_CASE("each kind of end, event, field, signal and exit status is explained") {
  for (int kind = 0; kind < kKindCount; ++kind) {
    const std::string name(word(static_cast<Kind>(kind)));
    CAPTURE(name);
    const auto text = explain(name);
    REQUIRE(text.has_value());
    CHECK(text->find(name + ": why a connection ended, `kind` in the log\n\n") !=
          std::string::npos);
  }
  CHECK(explain("idle_timeout").value() ==
        "idle_timeout: why a connection ended, `kind` in the log\n"
        "\n"
        "No byte moved for timeouts.idle.\n");
  CHECK(explain("stopped").value() ==
        "stopped: why a connection ended, `kind` in the log\n"
        "\n"
        "The process was told to stop, and reset what was left.\n"
        "\n"
        "stopped: an event of the log\n"
        "\n"
        "The process ends; `failed` of its `connections` did not end in order.\n");
  CHECK(explain("sigusr1").value() ==
        "SIGUSR1: a signal\n\nOpens the log file again, after it was rotated.\n");
  CHECK(explain("2").value().starts_with("2: an exit status\n\nThe command line or "));
}

TEST_CASE("words of one sort are listed together") {
  CHECK(explain("signals").value().starts_with(
      "Signals:\n\nSIGTERM\n  Stops: no new clients, and connections may finish within "));
  for (const char* list : {"kinds", "events", "fields", "signals", "upgrade", "exit"}) {
    CAPTURE(list);
    CHECK(explain(list).has_value());
    CHECK(explain_all().find(list) != std::string::npos);
  }
}

TEST_CASE("a name that is a key of the file and of a service is explained as both") {
  const auto text = explain("capture");
  REQUIRE(text);
  CHECK(text->find("capture: \"allowed\" or \"never\"\n") == 0);
  CHECK(text->find("\ncapture: a table\n") != std::string::npos);
}

TEST_CASE("the list has every key once, on one line that fits a terminal") {
  const std::string text = explain_all();
  for (const config::Named& named : config::all_options()) {
    CAPTURE(named.name);
    const std::string start = "\n  " + named.name + " ";
    const std::size_t found = text.find(start);
    REQUIRE(found != std::string::npos);
    const bool is_twice = named.name == "capture";
    CHECK((text.find(start, found + 1) != std::string::npos) == is_twice);
    CHECK(text.find('\n', found + 1) - found <= 120);
  }
}

}  // namespace tunnel::cli
