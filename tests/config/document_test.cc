// SPDX-License-Identifier: MIT
#include "config/document.h"

#include <doctest/doctest.h>

namespace tunnel::config {

TEST_CASE("the smallest file is a service with every default") {
  const Document document = parse(
      "foreground = true\n"
      "\n"
      "[ldap]\n"
      "accept  = \"127.0.0.1:389\"\n"
      "connect = \"ldap.example.com:636\"\n",
      "/etc/tunnel.toml");
  CHECK(document.render() == "");
  REQUIRE(document.config.services.size() == 1);
  const Service& service = document.config.services[0];
  CHECK(document.config.global.foreground);
  CHECK(service.name == "ldap");
  REQUIRE(service.accept.size() == 1);
  CHECK(service.accept[0].address.to_string() == "127.0.0.1:389");
  REQUIRE(service.connect.size() == 1);
  REQUIRE(service.connect[0].size() == 1);
  CHECK(service.connect[0][0].form == Target::Form::name);
  CHECK(service.connect[0][0].host == "ldap.example.com");
  CHECK(service.connect[0][0].port == 636);
  REQUIRE(service.tls.has_value());
  CHECK(*service.tls == Tls{});
  CHECK(service.timeouts == Timeouts{});
}

}  // namespace tunnel::config
