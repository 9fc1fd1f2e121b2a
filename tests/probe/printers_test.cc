// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "probe/fixture.h"
#include "probe/json.h"
#include "probe/text.h"

namespace tunnel::probe {
namespace {

using namespace testing;
using Json = nlohmann::json;

}  // namespace

TEST_CASE("text shows a target with its addresses, chain, pin and the sum") {
  const std::string text = to_text(
      report({target("dc1.example.com", {usable("10.1.1.1:636", 69),
                                         failed("[2001:db8::1]:636", Kind::connect_timeout)})}));
  CHECK(text ==
        "ldap  group 1  dc1.example.com:636                        OK at 1 of 2 addresses\n"
        "  10.1.1.1:636       tcp 0.8  tls 6.4  total 7.2 ms  ok\n"
        "                     TLS1.3  TLS_AES_128_GCM_SHA256  X25519  ALPN -  resumable yes  OCSP "
        "none\n"
        "  [2001:db8::1]:636  tcp 5000.0  total 5000.0 ms  connect_timeout\n"
        "    tcp: connect_timeout: a sentence | with a pipe\n"
        "    fix: what to do\n"
        "  chain  0  dc1.example.com  RSA 2048  2027-03-25  69 d    DNS:dc1.example.com\n"
        "         1  Root             RSA 2048  2037-12-28  4000 d  trusted: tls.ca (/etc/ca.pem)\n"
        "  pin    sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=   (for tls.pin)\n"
        "2 addresses: 1 ok, 1 failed.  Earliest end of a certificate in use: 69 d "
        "(dc1.example.com)\n");
}

TEST_CASE("text marks what is wrong with a chain") {
  AddressReport address = usable("10.1.1.1:636", 69);
  x509::Examination& examined = *address.certificates;
  examined.shown.push_back(certificate("CN=Other", 10));
  examined.is_used.push_back(false);
  examined.is_out_of_order = true;
  examined.is_trusted = false;
  examined.missing_issuer = "CN=Root";
  const std::string text = to_text("ldap", target("dc1.example.com", {address}), kNow);
  CHECK(text.find("sent and not needed: CN=Other\n") != std::string::npos);
  CHECK(text.find("sent in the wrong order\n") != std::string::npos);
  CHECK(text.find("missing: CN=Root\n") != std::string::npos);
  CHECK(text.find("trusted: ") == std::string::npos);
}

TEST_CASE("text shows each chain of a name's servers once") {
  AddressReport other = usable("10.1.1.3:636", 5);
  other.certificates->shown.front().der = "another";
  const std::string text = to_text(
      "ldap",
      target("dc1.example.com", {usable("10.1.1.1:636", 69), usable("10.1.1.2:636", 69), other}),
      kNow);
  CHECK(text.find("of 10.1.1.2:636") == std::string::npos);
  CHECK(text.find("of 10.1.1.3:636:\n") != std::string::npos);
}

TEST_CASE("repeated visits show their smallest, mean and largest times") {
  AddressReport address = usable("10.1.1.1:636", 69);
  Round second = address.rounds.front();
  second.is_resumed = true;
  second.times[Step::tls] = Seconds(0.0024);
  address.rounds.push_back(second);
  const std::string text = to_text("ldap", target("dc1.example.com", {address}), kNow);
  CHECK(text.find("2 of 2 rounds ok, min/mean/max ms:") != std::string::npos);
  CHECK(text.find("tls 2.4/4.4/6.4") != std::string::npos);
  CHECK(text.find("second resumed yes") != std::string::npos);
  const Json json = Json::parse(to_json(report({target("dc1.example.com", {address})})));
  const Json& repeat = json["services"][0]["targets"][0]["addresses"][0]["repeat"];
  CHECK(repeat["times"]["tls"]["mean"] == doctest::Approx(0.0044));
  CHECK(repeat["times"]["check"].is_null());
  CHECK(repeat["second_resumed"] == true);
}

TEST_CASE("JSON has seconds, RFC 3339 and the kinds of the log") {
  const Json json = Json::parse(to_json(
      report({target("dc1.example.com", {usable("10.1.1.1:636", 69),
                                         failed("10.1.1.2:636", Kind::connect_timeout)})})));
  CHECK(json["schema"] == 1);
  CHECK(json["time"] == "2027-01-15T08:00:00Z");
  CHECK(json["ok"] == true);
  CHECK(json["earliest_end"]["days_left"] == 69);
  const Json& addresses = json["services"][0]["targets"][0]["addresses"];
  CHECK(addresses[0]["times"]["tls"] == doctest::Approx(0.0064));
  CHECK(addresses[0]["times"]["dns"].is_null());
  CHECK(addresses[0]["certificate"]["chain"][1]["subject"] == "CN=Root");
  CHECK(addresses[1]["problems"][0]["kind"] == "connect_timeout");
  CHECK(addresses[1]["tls"].is_null());
}

TEST_CASE("days are whole, and negative once it is over") {
  CHECK(days_left(kNow + kDay - 1, kNow) == 0);
  CHECK(days_left(kNow + kDay, kNow) == 1);
  CHECK(days_left(kNow - 1, kNow) == -1);
}

TEST_CASE("a certificate is called by its common name, wherever it stands") {
  CHECK(short_name(certificate("CN=a,O=b", 1)) == "a");
  CHECK(short_name(certificate("O=b,CN=a\\,c", 1)) == "a\\,c");
  CHECK(short_name(certificate("O=b", 1)) == "O=b");
  CHECK(short_name(certificate("", 1)) == "DNS:dc1.example.com");
}

TEST_CASE("a target is usable at one address, and a report when all its targets are") {
  const TargetReport half = target("a", {usable("1", 9), failed("2", Kind::not_tls)});
  const TargetReport none = target("b", {failed("2", Kind::not_tls)});
  CHECK(report({half}).is_usable());
  CHECK_FALSE(report({half, none}).is_usable());
}

}  // namespace tunnel::probe
