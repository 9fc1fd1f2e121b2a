// SPDX-License-Identifier: MIT
#include "config/print.h"
#include "fixture.h"

namespace tunnel::config {
namespace {

Document stunnel(const std::string& text) {
  return parse(text, "/etc/stunnel/s.conf", System::leave_alone);
}

std::string problems_of(const std::string& text) { return stunnel(text).render(); }

// The services of a text that has warnings at most.
std::vector<Service> services(const std::string& text) {
  const Document document = stunnel(text);
  CAPTURE(document.render());
  REQUIRE_FALSE(document.has_errors());
  return document.config.services;
}

// Checks what the section says, and nothing that a warning would be due for.
const std::string kSafe =
    "[ldap]\n"
    "client = yes\n"
    "accept = 127.0.0.1:389\n"
    "connect = ldap.example.com:636\n"
    "CAfile = /etc/ssl/ca.pem\n"
    "verifyChain = yes\n"
    "checkHost = ldap.example.com\n";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a section is a service with stunnel's own timeouts and end of connections") {
  CHECK(problems_of(kSafe) == "");
  const Service service = services(kSafe).at(0);
  CHECK(service.name == "ldap");
  CHECK(service.accept.at(0).text == "127.0.0.1:389");
  CHECK(service.connect.at(0).at(0).text == "ldap.example.com:636");
  CHECK(service.timeouts.connect == seconds(10));
  CHECK(service.timeouts.handshake == seconds(300));
  CHECK(service.timeouts.idle == seconds(43200));
  CHECK(service.timeouts.half_close == seconds(60));
  CHECK_FALSE(service.timeouts.dial);
  CHECK(service.on_truncation == OnTruncation::eof);
  CHECK(service.tls->verify == Verify::full);
  CHECK(service.tls->ca == std::vector<std::string>{"/etc/ssl/ca.pem"});
  CHECK(service.tls->name == std::vector<std::string>{"ldap.example.com"});
}

TEST_CASE("a problem of a stunnel.conf is shown with its line, a caret and a hint") {
  CHECK(problems_of(kSafe + "sokcet = l:TCP_NODELAY=1\n") ==
        "/etc/stunnel/s.conf:8:1: error: stunnel has no option \"sokcet\"\n"
        "sokcet = l:TCP_NODELAY=1\n"
        "^\n"
        "hint: did you mean \"socket\"?\n");
}

TEST_CASE("the same section twice is two services") {
  const auto all = services(kSafe +
                            "[ldap]\nclient = yes\naccept = 127.0.0.1:390\nconnect = b:1\n"
                            "[ldap]\nclient = yes\naccept = 127.0.0.1:391\nconnect = c:1\n");
  REQUIRE(all.size() == 3);
  CHECK(all[0].name == "ldap");
  CHECK(all[1].name == "ldap-2");
  CHECK(all[2].name == "ldap-3");
}

TEST_CASE("server sections are refused, in a mixed file, too") {
  const std::string text = problems_of(kSafe + "[pop]\naccept = 995\nconnect = 110\n");
  CHECK(has(text, "s.conf:8:1: error: section \"pop\" has no \"client = yes\", so it is the server "
                  "side of TLS; this is a client tunnel\n[pop]\n^\n"));
}

}  // namespace tunnel::config
