// SPDX-License-Identifier: MIT
// What a server that nobody trusts can make a worker compute.
#include <doctest/doctest.h>

#include <deque>

#include "fixture.h"
#include "signature_checks.h"

namespace tunnel::tls::chain_cost_test {

using namespace tunnel::test;
using namespace tunnel::tls::test;

namespace {

// Certificates that name one another as issuers in turn, "A" and "B", each level with its own key:
// a search for the issuer by signatures has to try all decoys, which come first.
class Maze {
 public:
  Maze(const Subject& kind, int levels, int decoys) {
    const auto named = [&kind](bool is_a) {
      Subject subject = kind;
      subject.common_name = is_a ? "A" : "B";
      subject.is_ca = true;
      return subject;
    };
    const auto& stranger = made_.emplace_back(named(levels % 2 == 0));
    std::vector<const Identity*> way;
    const Identity* above = &stranger;
    for (int level = levels; level > 0; --level) {
      above = &made_.emplace_back(named(level % 2 == 1), above);
      way.insert(way.begin(), above);
    }
    chain_.push_back(&made_.emplace_back(Subject{.dns = {"dc1.example.com"}}, above));
    const auto& other = made_.emplace_back(named(levels % 2 == 1));
    for (int i = 0; i < decoys; ++i) {
      const bool is_a = i % 2 == 0;
      const bool stranger_is_a = levels % 2 == 0;
      chain_.push_back(
          &made_.emplace_back(named(is_a), is_a == stranger_is_a ? &other : &stranger, stranger));
    }
    chain_.insert(chain_.end(), way.begin(), way.end());
  }
  [[nodiscard]] const std::vector<const Identity*>& chain() const { return chain_; }

 private:
  std::deque<Identity> made_;
  std::vector<const Identity*> chain_;
};

void expect_refused(Fixture& f, Kind kind) {
  signature_checks = {};
  f.connect();
  INFO(f.failure().text);
  CHECK(word(f.failure().kind) == word(kind));
  CHECK_FALSE(f.server().is_established());
}

// Nothing was computed with any of the keys.
void expect_no_work() {
  CHECK(signature_checks.of_certificates == 0);
  CHECK(signature_checks.of_chains == 0);
}

void set_version(Fixture& f, const char* version) {
  f.options.priority += std::string(":-VERS-ALL:+VERS-TLS") + version;
}

}  // namespace

TEST_CASE("more than 16 certificates are refused at sight, in every TLS version") {
  for (const char* version : {"1.2", "1.3"}) {
    CAPTURE(version);
    Fixture f;
    const Maze maze({}, 16, 250);
    f.options.raw_chain = maze.chain();
    set_version(f, version);
    expect_refused(f, Kind::cert_untrusted);
    CHECK(f.failure().text == Contains("showed 267 certificates, and at most 16 are accepted"));
    CHECK(f.server().alert_received() == GNUTLS_A_BAD_CERTIFICATE);
    expect_no_work();
  }
}

TEST_CASE("17 certificates are refused even when nothing else is asked") {
  Fixture f;
  const Maze maze({}, 16, 0);
  f.options.raw_chain = maze.chain();
  f.tls.verify = config::Verify::none;
  f.tls.ca = {};
  expect_refused(f, Kind::cert_untrusted);
  CHECK(f.failure().text == Contains("showed 17 certificates"));
}

TEST_CASE("16 certificates in line are trusted") {
  Fixture f;
  std::deque<Identity> made;
  const Identity* above = &f.ca;
  for (int i = 0; i < 15; ++i) {
    above =
        &made.emplace_back(Subject{.common_name = "CA " + std::to_string(i), .is_ca = true}, above);
  }
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}}, above);
  f.options.raw_chain = {&leaf};
  for (auto it = made.rbegin(); it != made.rend(); ++it) f.options.raw_chain.push_back(&*it);
  f.connect();
  CHECK_MESSAGE(f.client().is_established(), f.failure().text);
}

TEST_CASE("what an untrusted chain is called costs no signature check") {
  Fixture f;
  const Maze maze({}, 5, 10);
  f.options.raw_chain = maze.chain();
  f.tls.crl = {f.folder.write("ca.crl", make_crl(f.ca, {}))};
  f.remembers = true;
  expect_refused(f, Kind::cert_untrusted);
  CHECK(f.failure().text == Contains("which is not in tls.ca"));
  CHECK(signature_checks.of_chains == 1);
  CHECK(signature_checks.of_certificates == 0);
  CHECK(signature_checks.of_lists == 0);
}

TEST_CASE("a chain that is trusted is verified once, by GnuTLS") {
  Fixture f;
  const Identity middle({.common_name = "Middle CA", .is_ca = true}, &f.ca);
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}}, &middle);
  f.options.chain = {&leaf, &middle};
  f.tls.crl = {f.folder.write("ca.crl", make_crl(f.ca, {}) + make_crl(middle, {}))};
  f.remembers = true;
  signature_checks = {};
  f.connect();
  CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  CHECK(signature_checks.of_chains == 1);
  CHECK(signature_checks.of_certificates == 0);
  CHECK(signature_checks.of_lists == 2);
}

TEST_CASE("RSA keys that would stop a worker are refused before they are used") {
  struct Case {
    unsigned modulus, exponent;
    const char* what;
  };
  for (const Case& each : {Case{16385, 17, "has a 16385-bit RSA key"},
                           Case{8192, 65, "has an RSA key with an exponent of 65 bits"},
                           Case{2048, 2047, "has an RSA key with an exponent of 2047 bits"}}) {
    for (const char* version : {"1.2", "1.3"}) {
      CAPTURE(each.what);
      CAPTURE(version);
      Fixture f;
      const Identity rsa({.key = GNUTLS_PK_RSA});
      const Identity leaf(
          {.dns = {"dc1.example.com"}, .modulus = each.modulus, .exponent = each.exponent}, &f.ca);
      f.options.raw_chain = {&leaf};
      f.options.key_of = &rsa;
      set_version(f, version);
      SUBCASE("verified") {}
      SUBCASE("unverified") {
        f.tls.verify = config::Verify::none;
        f.tls.ca = {};
      }
      expect_refused(f, Kind::cert_weak);
      CHECK(f.failure().text ==
            Contains(std::string("certificate of dc1.example.com:636 ") + each.what));
      CHECK(f.failure().text == Contains("at most 16384 bits with an exponent of at most 64 bits"));
      expect_no_work();
    }
  }
}

TEST_CASE("a key that would stop a worker is refused wherever it is shown") {
  Fixture f;
  const Identity decoy(
      {.common_name = "Example CA", .is_ca = true, .modulus = 8192, .exponent = 8191}, &f.ca);
  f.options.raw_chain = {&f.leaf, &decoy};
  expect_refused(f, Kind::cert_weak);
  CHECK(f.failure().text == Contains("certificate number 2 that dc1.example.com:636 showed has an "
                                     "RSA key with an exponent of 8191 bits"));
  expect_no_work();
}

TEST_CASE("the largest keys that are accepted") {
  Fixture f;
  const Identity decoy({.is_ca = true, .modulus = 16384, .exponent = 64}, &f.ca);
  f.options.raw_chain = {&f.leaf, &decoy};
  f.connect();
  CHECK_MESSAGE(f.client().is_established(), f.failure().text);
}

}  // namespace tunnel::tls::chain_cost_test
