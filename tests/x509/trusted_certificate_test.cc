// SPDX-License-Identifier: MIT
#include "x509/trusted_certificate.h"

#include <doctest/doctest.h>

#include "support/pki.h"
#include "support/temp_folder.h"
#include "x509/handles.h"
#include "x509/peer_certificates.h"
#include "x509/trust_store.h"

using namespace tunnel;
using namespace tunnel::test;
using namespace tunnel::x509;

namespace {

std::string element(char tag, const std::string& content) {
  return std::string{tag, static_cast<char>(content.size())} + content;
}

const std::string kServerAuth = element('\x06', "\x2B\x06\x01\x05\x05\x07\x03\x01");
const std::string kClientAuth = element('\x06', "\x2B\x06\x01\x05\x05\x07\x03\x02");
const std::string kAny = element('\x06', std::string("\x55\x1D\x25\x00", 4));

std::string settings(const std::string& trusted, const std::string& rejected = {}) {
  std::string content;
  if (!trusted.empty()) content += element('\x30', trusted);
  if (!rejected.empty()) content += element('\xA0', rejected);
  return element('\x30', content + element('\x0C', "an alias"));
}

std::string as_pem(const std::string& der) {
  Datum pem;
  const auto datum = lend(der);
  REQUIRE(gnutls_pem_base64_encode2("TRUSTED CERTIFICATE", &datum, pem.get()) == 0);
  return std::string(pem.view());
}

}  // namespace

TEST_CASE("a trusted certificate is divided into itself and what it is trusted for") {
  const Identity ca({.common_name = "CA", .is_ca = true});
  const std::string der = ca.der();
  const auto is_for_servers = [&der](const std::string& behind) {
    const std::string content = der + behind;
    const auto split = split_trusted(content);
    REQUIRE(split.has_value());
    CHECK(split->der == der);
    return split->is_for_servers;
  };
  CHECK(is_for_servers(""));
  CHECK(is_for_servers(settings("")));
  CHECK(is_for_servers(settings(kClientAuth + kServerAuth)));
  CHECK(is_for_servers(settings(kAny)));
  CHECK(is_for_servers(settings("", kClientAuth)));
  CHECK_FALSE(is_for_servers(settings(kClientAuth)));
  CHECK_FALSE(is_for_servers(settings("", kServerAuth)));
  CHECK_FALSE(is_for_servers(settings(kServerAuth, kAny)));
}

TEST_CASE("what is cut off anywhere is no trusted certificate, or one without settings") {
  const Identity ca({.common_name = "CA", .is_ca = true});
  const std::string content = ca.der() + settings(kServerAuth, kClientAuth);
  for (std::size_t size = 0; size < content.size(); ++size) {
    CAPTURE(size);
    CHECK(split_trusted(content.substr(0, size)).has_value() == (size == ca.der().size()));
  }
  CHECK_FALSE(split_trusted(content + "x").has_value());
  CHECK_FALSE(split_trusted("\x30\x80\x00\x00").has_value());
  CHECK_FALSE(split_trusted("\x30\x85\x01\x01\x01\x01\x01").has_value());
}

TEST_CASE("an authority may be a TRUSTED CERTIFICATE, unless it is not trusted for servers") {
  const TempFolder folder;
  const Identity ca({.common_name = "CA", .is_ca = true});
  TrustStore store;
  Problems problems;
  SUBCASE("trusted") {
    const auto path = folder.write("ca.pem", as_pem(ca.der() + settings(kServerAuth)));
    CHECK(store.anchors({path}, problems) != nullptr);
    CHECK_FALSE(problems.has_errors());
  }
  SUBCASE("not trusted") {
    const auto path = folder.write("ca.pem", as_pem(ca.der() + settings(kClientAuth)));
    CHECK(store.anchors({path}, problems) == nullptr);
    REQUIRE(problems.errors().size() == 1);
    CHECK(problems.errors()[0].text ==
          path + ", line 1: this TRUSTED CERTIFICATE is not trusted for servers");
  }
}

TEST_CASE("of the server's own certificate it does not matter what it may be trusted for") {
  const TempFolder folder;
  const Identity leaf({.common_name = "dc1.example.com"});
  const auto path = folder.write("leaf.pem", as_pem(leaf.der() + settings(kClientAuth)));
  Problems problems;
  CHECK(PeerCertificates::load({path}, problems).accept(leaf.certificate()));
  CHECK_FALSE(problems.has_errors());
}
