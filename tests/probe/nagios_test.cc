// SPDX-License-Identifier: MIT
#include "probe/nagios.h"

#include <doctest/doctest.h>

#include "probe/fixture.h"

namespace tunnel::probe {
namespace {

using namespace testing;

std::string first_line(const PluginResult& result) {
  return result.text.substr(0, result.text.find('\n'));
}

}  // namespace

TEST_CASE("a plugin's line has its data behind one pipe, with ranges for what must not fall") {
  const PluginResult result =
      to_nagios(report({target("dc1.example.com", {usable("10.1.1.1:636", 69)})}),
                {.warning = 30, .critical = 7});
  CHECK(result.status == 0);
  CHECK(result.text ==
        "TUNNEL OK - ldap: 1/1 targets, 69 days|'ldap_days'=69;30:;7:;0; "
        "'dc1_tls'=0.0064s;;;0\n");
}

TEST_CASE("a plugin warns and cries below its limits, not at them") {
  const auto status = [](long days) {
    return to_nagios(report({target("dc1.example.com", {usable("10.1.1.1:636", days)})}), {})
        .status;
  };
  CHECK(status(30) == 0);
  CHECK(status(29) == 1);
  CHECK(status(7) == 1);
  CHECK(status(6) == 2);
  CHECK(status(-1) == 2);
}

TEST_CASE("a plugin warns when one of several targets is down, and cries when all are") {
  const TargetReport up = target("dc1.example.com", {usable("10.1.1.1:636", 69)});
  const TargetReport down =
      target("dc2.example.com", {failed("10.1.1.2:636", Kind::connect_refused)});
  CHECK(to_nagios(report({up, down}), {}).status == 1);
  CHECK(first_line(to_nagios(report({up, down}), {})).starts_with("TUNNEL WARNING - ldap: 1/2 "));
  CHECK(to_nagios(report({down, down}), {}).status == 2);
}

TEST_CASE("a plugin warns of one address of a target, unless the reason is on this side") {
  const auto status = [](Cause cause) {
    return to_nagios(report({target("dc1.example.com",
                                    {usable("10.1.1.1:636", 69),
                                     failed("[2001:db8::1]:636", Kind::unreachable, cause)})}),
                     {})
        .status;
  };
  CHECK(status(Cause::theirs) == 1);
  CHECK(status(Cause::ours) == 0);
}

TEST_CASE("the worst service is a plugin's status") {
  Report two = report({target("dc1.example.com", {usable("10.1.1.1:636", 69)})});
  two.services.push_back(
      {.name = "mail",
       .targets = {target("mx.example.com", {failed("10.1.1.9:25", Kind::not_tls)})}});
  CHECK(to_nagios(two, {}).status == 2);
}

TEST_CASE("what a plugin says of problems has no pipe of its own") {
  const PluginResult result =
      to_nagios(report({target("dc2.example.com", {failed("10.1.1.2:636", Kind::not_tls)})}), {});
  CHECK(result.text ==
        "TUNNEL CRITICAL - ldap: 0/1 targets\nldap: not_tls: a sentence _ with a pipe\n");
  CHECK(nagios_unknown("a|b").text == "TUNNEL UNKNOWN - a_b\n");
  CHECK(nagios_unknown("").status == 3);
}

TEST_CASE("a plugin's labels are as short as tells targets apart, and unique") {
  const PluginResult result =
      to_nagios(report({target("dc1.example.com", {usable("10.1.1.1:636", 69)}),
                        target("dc1.example.org", {usable("10.1.1.2:636", 69)}),
                        target("10.1.1.3", {usable("10.1.1.3:636", 69)}),
                        target("dc3.example.com", {usable("10.1.1.4:636", 69)}),
                        target("dc3.example.com", {usable("10.1.1.4:636", 69)})}),
                {});
  for (const char* label : {"'dc1.example.com_tls'", "'dc1.example.org_tls'", "'10.1.1.3_tls'",
                            "'ldap_dc3.example.com:636_tls'", "'ldap_dc3.example.com:636_2_tls'"}) {
    CHECK_MESSAGE(result.text.find(label) != std::string::npos, label);
  }
}

}  // namespace tunnel::probe
