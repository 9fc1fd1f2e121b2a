// SPDX-License-Identifier: MIT
// Lists of cipher suites that GnuTLS cannot offer in one handshake without others.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "fixture.h"
#include "tls/accepted_offers.h"
#include "tls/context_impl.h"
#include "tls/products.h"

namespace tunnel::tls::offers_test {

using namespace tunnel::test;
using namespace tunnel::tls::test;
using namespace tunnel::x509;

namespace {

using Names = std::vector<std::string>;

constexpr const char* kTls12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
constexpr const char* kTls13 = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

// With it go out, unasked for, ECDHE-RSA with AES-128-CBC and RSA with AES-256-GCM.
const Names kCrossed = {
    "TLS_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
};

std::vector<Suite> suites_of(const Names& names) {
  std::vector<Suite> suites;
  const auto known = known_suites();
  for (const auto& name : names) suites.push_back(*std::ranges::find(known, name, &Suite::name));
  return suites;
}

std::vector<Names> parts_of(const Names& names, std::size_t most = 8) {
  std::vector<Names> parts;
  const VersionRange versions{.newest_older = GNUTLS_TLS1_2};
  for (const auto& part : exact_parts(suites_of(names), known_suites(), versions, most)) {
    parts.emplace_back();
    for (const auto& suite : part) parts.back().push_back(suite.name);
  }
  return parts;
}

// A server with an RSA certificate, and clients that connect again as they are told to.
struct Crossed : Fixture {
  explicit Crossed(const std::string& priority)
      : leaf_rsa({.common_name = "dc1", .dns = {"dc1.example.com"}, .key = GNUTLS_PK_RSA}, &ca) {
    options.chain = {&leaf_rsa};
    options.priority = priority;
    tls.ciphers = kCrossed;
  }

  // How many connections it takes, up to the end.
  int connections() {
    peer.attempt.reset();
    int count = 1;
    for (connect_again(); client().has_failed(); connect_again(), ++count) {
      REQUIRE(count < 20);
      const auto next = client().session().next_attempt(failure().kind);
      if (!next) return count;
      peer.attempt = next;
    }
    return count;
  }

  [[nodiscard]] std::string_view cipher() { return client().session().negotiated().cipher; }

  Identity leaf_rsa;
};

}  // namespace

TEST_CASE("a list is divided into parts that bring nothing else along") {
  CHECK(parts_of({"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"})
            .size() == 1);
  CHECK(parts_of({"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                  "TLS_RSA_WITH_AES_256_CBC_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256"}) ==
        std::vector<Names>{
            {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
            {"TLS_RSA_WITH_AES_256_CBC_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256"}});
}

TEST_CASE("every suite of a list is in a part, and no part goes beyond the list") {
  const auto known = known_suites();
  std::vector<Suite> list;
  for (std::size_t i = 0; i < known.size(); i += 3) {
    if (!known[i].is_tls13()) list.push_back(known[i]);
  }
  const VersionRange versions{.newest_older = GNUTLS_TLS1_2};
  const auto is_listed = [&list](const Suite& suite) {
    return std::ranges::find(list, suite.name, &Suite::name) != list.end();
  };
  std::size_t covered = 0;
  const auto parts = exact_parts(list, known, versions, 1000);
  for (const auto& suite : list) {
    covered += std::ranges::any_of(parts, [&](const auto& part) {
      return std::ranges::find(part, suite.name, &Suite::name) != part.end();
    });
  }
  CHECK(covered == list.size());
  for (const auto& part : parts) {
    Product product(versions);
    for (const auto& suite : part) product.add(suite);
    for (const auto& suite : known) {
      if (product.offers(suite)) CHECK_MESSAGE(is_listed(suite), suite.name);
    }
  }
  CHECK(exact_parts(list, known, versions, 2).size() == 2);
}

TEST_CASE("a list that is a product is offered in one way only") {
  Fixture f;
  f.load();
  CHECK(f.context().impl().offer.attempts.size() == 1);
}

TEST_CASE("a server that chooses what was not listed is offered less, and takes it") {
  Crossed f(std::string(kTls12) +
            ":-KX-ALL:+RSA:-CIPHER-ALL:+AES-256-GCM:+AES-128-CBC:+SHA256:%SERVER_PRECEDENCE");
  f.load();
  CHECK(f.connections() == 3);
  REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
  CHECK(f.cipher() == "TLS_RSA_WITH_AES_128_CBC_SHA256");
}

TEST_CASE("a server that chooses a listed suite is offered all of them once") {
  Crossed f(std::string(kTls12) + ":-KX-ALL:+ECDHE-RSA:-CIPHER-ALL:+AES-256-GCM");
  f.load();
  CHECK(f.connections() == 1);
  CHECK(f.cipher() == "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
}

TEST_CASE("suites of TLS 1.3 and of TLS 1.2 do not narrow one another") {
  SUBCASE("the encryption of the older suite is not one of TLS 1.3's") {
    Crossed f(std::string(kTls13) + ":-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:%SERVER_PRECEDENCE");
    f.tls.ciphers = {"TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"};
    f.load();
    CHECK(f.connections() == 2);
    REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
    CHECK(f.cipher() == "TLS_AES_128_GCM_SHA256");
  }
  SUBCASE("nor the other way round") {
    Crossed f(std::string(kTls12) + ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:%SERVER_PRECEDENCE");
    f.tls.ciphers = {"TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"};
    f.load();
    CHECK(f.connections() == 2);
    REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
    CHECK(f.cipher() == "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
  }
}

TEST_CASE("a server that has none of the listed suites has failed after a few offers") {
  Crossed f(std::string(kTls12) + ":-KX-ALL:+RSA:-CIPHER-ALL:+AES-256-GCM");
  f.load();
  CHECK(f.connections() == 3);
  CHECK(f.client().has_failed());
  CHECK(f.failure().kind == Kind::tls_alert);
}

TEST_CASE("a server that refuses everything is not asked for a part of it") {
  Crossed f(std::string(kTls12) + ":-CIPHER-ALL:+CAMELLIA-256-GCM");
  f.load();
  CHECK(f.connections() == 1);
  CHECK(f.client().has_failed());
}

TEST_CASE("what a server has accepted is offered to it first, for a while") {
  Crossed f(std::string(kTls12) +
            ":-KX-ALL:+RSA:-CIPHER-ALL:+AES-256-GCM:+AES-128-CBC:+SHA256:%SERVER_PRECEDENCE");
  f.remembers = true;
  f.load();
  CHECK(f.connections() == 3);
  CHECK(f.connections() == 1);
  SUBCASE("a server that has changed is offered all of it again") {
    f.options.priority = std::string(kTls12) + ":-KX-ALL:+ECDHE-RSA:-CIPHER-ALL:+AES-256-GCM";
    CHECK(f.connections() == 2);
    REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
    CHECK(f.cipher() == "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
    CHECK(f.connections() == 1);
  }
}

TEST_CASE("which offer a server accepts is forgotten after a while, and when the table is full") {
  AcceptedOffers offers;
  const auto key = [](int i) {
    Fingerprint print{};
    std::memcpy(print.data(), &i, sizeof i);
    return print;
  };
  CHECK(offers.find(key(1), 100) == 0);
  offers.accepted(key(1), 2, 100);
  CHECK(offers.find(key(1), 100) == 2);
  offers.accepted(key(1), 2, 3000);  // steady use does not prolong it
  CHECK(offers.find(key(1), 100 + AcceptedOffers::kLife - 1) == 2);
  CHECK(offers.find(key(1), 100 + AcceptedOffers::kLife) == 0);
  CHECK(offers.find(key(1), 99) == 0);
  offers.accepted(key(1), 3, 9000);
  CHECK(offers.find(key(1), 9001) == 3);
  for (int i = 2; i <= static_cast<int>(AcceptedOffers::kInAll) + 1; ++i) {
    offers.accepted(key(i), 1, 9000);
  }
  CHECK(offers.find(key(1), 9001) == 0);
}

TEST_CASE("a pre-shared key is never used without fresh keys in TLS 1.3") {
  Fixture f;
  f.tls.psk_file = f.folder.write("psk", "robot:0123456789abcdef0123456789abcdef\n");
  REQUIRE(::chmod(f.tls.psk_file.c_str(), 0600) == 0);
  f.tls.ca.clear();
  f.tls.ciphers = {"TLS_AES_128_GCM_SHA256", "TLS_PSK_WITH_AES_128_GCM_SHA256"};
  f.options.chain = {};
  f.options.psk_identity = "robot";
  f.options.psk_key =
      std::string("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 16);
  f.options.priority = std::string(kTls13) + ":-KX-ALL:+PSK";
  f.load();
  f.connect_again();
  REQUIRE(f.client().has_failed());
  CHECK(f.failure().text == Contains("without fresh keys"));
  // What is left to offer leaves the server no choice.
  f.peer.attempt = f.client().session().next_attempt(f.failure().kind);
  REQUIRE(f.peer.attempt);
  f.options.priority = std::string(kTls13) + ":-KX-ALL:+ECDHE-PSK:+PSK";
  f.connect_again();
  CHECK_MESSAGE(f.client().is_established(), f.failure().text);
}

}  // namespace tunnel::tls::offers_test
