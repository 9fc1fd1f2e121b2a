// SPDX-License-Identifier: MIT
// What the tests of the configuration share: texts in, problems and hints out.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "config/load.h"
#include "support/temp_folder.h"

namespace tunnel::config {

// Everything that is reported about a text that is called "t.toml".
inline std::string problems(const std::string& text, System system = System::leave_alone) {
  return parse(text, "t.toml", system).render();
}

// The hint of the first problem in a report; "" where it has none.
inline std::string hint_of(const std::string& report) {
  const std::size_t hint = report.find("hint: ");
  return hint == std::string::npos ? ""
                                   : report.substr(hint + 6, report.find('\n', hint) - hint - 6);
}

// A service that is right, for tests that add a line of their own: it becomes line 4.
inline const std::string kService =
    "[ldap]\n"
    "accept = \"127.0.0.1:389\"\n"
    "connect = \"ldap.example.com:636\"\n";

// Another, in which a table begins at line 4.
inline const std::string kWeb =
    "[web]\n"
    "accept = \"127.0.0.1:8081\"\n"
    "connect = \"www.example.com:443\"\n";

// The only service of a text without problems.
inline Service service_of(const std::string& text, System system = System::leave_alone) {
  Document document = parse(text, "/etc/tunnel/t.toml", system);
  REQUIRE(document.render() == "");
  REQUIRE(document.config.services.size() == 1);
  return document.config.services[0];
}

}  // namespace tunnel::config
