// SPDX-License-Identifier: MIT
// What x509 makes of a server's certificates, seen through whole handshakes.
#include <doctest/doctest.h>

#include "fixture.h"
#include "ocsp_maker.h"
#include "x509/x509_text.h"

namespace tunnel::tls::revocation_test {

using namespace tunnel::test;
using namespace tunnel::tls::test;
using namespace tunnel::x509;

namespace {

void expect_kind(Fixture& f, Kind kind) {
  f.connect();
  INFO(f.failure().text);
  CHECK(word(f.failure().kind) == word(kind));
  CHECK(f.client().is_established() == (kind == Kind::ok));
}

}  // namespace

TEST_CASE("a CRL that covers the certificate and does not list it lets it pass") {
  Fixture f;
  const Identity other({.common_name = "other"}, &f.ca);
  f.tls.crl = {f.folder.write("ca.crl", make_crl(f.ca, {.revoked = {&other}}))};
  expect_kind(f, Kind::ok);
}

TEST_CASE("a revoked certificate is told with the date and the list") {
  Fixture f;
  f.tls.crl = {f.folder.write("ca.crl", make_crl(f.ca, {.revoked = {&f.leaf}}))};
  expect_kind(f, Kind::cert_revoked);
  CHECK(f.failure().text == Contains("certificate of dc1.example.com:636 was revoked on 20"));
  CHECK(f.failure().text == Contains("ca.crl, line 1"));
  CHECK(f.server().alert_received() == GNUTLS_A_CERTIFICATE_REVOKED);
}

TEST_CASE("a CRL with a number that is too long to be read covers nobody") {
  Fixture f;
  f.tls.crl = {f.folder.write(
      "ca.crl", make_crl(f.ca, {.first_serial = std::string(200, 'n'), .revoked = {&f.leaf}}))};
  expect_kind(f, Kind::crl_unusable);
  CHECK(f.failure().text == Contains("an entry that cannot be read"));
}

TEST_CASE("one revoked certificate among many is found") {
  Fixture f;
  std::vector<Identity> others;
  CrlSpec spec;
  for (int i = 0; i < 30; ++i) others.emplace_back(Subject{.common_name = "other"}, &f.ca);
  for (const auto& other : others) spec.revoked.push_back(&other);
  SUBCASE("listed") {
    spec.revoked.insert(spec.revoked.begin() + 17, &f.leaf);
    f.tls.crl = {f.folder.write("ca.crl", make_crl(f.ca, spec))};
    expect_kind(f, Kind::cert_revoked);
  }
  SUBCASE("not listed") {
    f.tls.crl = {f.folder.write("ca.crl", make_crl(f.ca, spec))};
    expect_kind(f, Kind::ok);
  }
}

TEST_CASE("a CRL of another CA covers nothing: fails closed") {
  Fixture f;
  const Identity other_ca({.common_name = "Other CA", .is_ca = true});
  f.tls.crl = {f.folder.write("other.crl", make_crl(other_ca, {}))};
  expect_kind(f, Kind::crl_unusable);
  CHECK(f.failure().text == Contains("tls.crl holds no CRL of \"CN=Example CA\""));
}

TEST_CASE("an outdated CRL fails closed") {
  Fixture f;
  f.tls.crl = {f.folder.write(
      "ca.crl", make_crl(f.ca, {.this_update = -9 * kDay, .next_update = -2 * kDay}))};
  expect_kind(f, Kind::crl_unusable);
  CHECK(f.failure().text == Contains("is out of date since 20"));
}

TEST_CASE("a CRL from the future fails closed") {
  Fixture f;
  f.tls.crl = {
      f.folder.write("ca.crl", make_crl(f.ca, {.this_update = kDay, .next_update = 2 * kDay}))};
  expect_kind(f, Kind::crl_unusable);
}

TEST_CASE("a CRL that somebody else signed fails closed") {
  Fixture f;
  const Identity impostor({.common_name = "Example CA", .is_ca = true});
  f.tls.crl = {f.folder.write("ca.crl", make_crl(impostor, {}))};
  expect_kind(f, Kind::crl_unusable);
  CHECK(f.failure().text == Contains("is not signed by that CA"));
}

TEST_CASE("of an old and a new CRL of the same CA the new one decides") {
  Fixture f;
  const auto old_list = make_crl(f.ca, {.this_update = -9 * kDay, .next_update = -2 * kDay});
  SUBCASE("good") {
    f.tls.crl = {f.folder.write("a.crl", old_list), f.folder.write("b.crl", make_crl(f.ca, {}))};
    expect_kind(f, Kind::ok);
  }
  SUBCASE("revoked") {
    f.tls.crl = {f.folder.write("a.crl", old_list),
                 f.folder.write("b.crl", make_crl(f.ca, {.revoked = {&f.leaf}}))};
    expect_kind(f, Kind::cert_revoked);
  }
}

TEST_CASE("CRLs and intermediates") {
  Fixture f;
  const Identity middle({.common_name = "Middle CA", .is_ca = true}, &f.ca);
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}}, &middle);
  f.options.chain = {&leaf, &middle};
  const auto leaf_list = f.folder.write("leaf.crl", make_crl(middle, {}));
  SUBCASE("the CRL of the intermediate covers the server") {
    f.tls.crl = {leaf_list};
    expect_kind(f, Kind::ok);
  }
  SUBCASE("the root's alone does not cover the server") {
    f.tls.crl = {f.folder.write("root.crl", make_crl(f.ca, {}))};
    expect_kind(f, Kind::crl_unusable);
  }
  SUBCASE("a revoked intermediate is found") {
    f.tls.crl = {leaf_list, f.folder.write("root.crl", make_crl(f.ca, {.revoked = {&middle}}))};
    expect_kind(f, Kind::cert_revoked);
    CHECK(f.failure().text == Contains("CA certificate \"CN=Middle CA\""));
  }
}

TEST_CASE("a revoked CA is found whatever is shown beside it") {
  Fixture f;
  const Identity upper({.common_name = "Upper CA", .is_ca = true}, &f.ca);
  const Identity lower({.common_name = "Lower CA", .is_ca = true}, &upper);
  const Identity low_leaf({.dns = {"dc1.example.com"}}, &lower);
  const Identity leaf({.dns = {"dc1.example.com"}}, &upper);
  // The same name and key, signed by itself: as good as the CA to those who look for a signer.
  const Identity stand_in({.common_name = "Upper CA", .is_ca = true}, nullptr, upper);
  const auto lists = make_crl(upper, {}) + make_crl(lower, {});
  const auto good = f.folder.write("good.crl", lists + make_crl(f.ca, {}));
  const auto bad = f.folder.write("bad.crl", lists + make_crl(f.ca, {.revoked = {&upper}}));
  SUBCASE("a self-signed one of its name and key before it") {
    f.options.raw_chain = {&leaf, &stand_in, &upper};
  }
  SUBCASE("a self-signed one of its name and key behind it") {
    f.options.raw_chain = {&leaf, &upper, &stand_in};
  }
  SUBCASE("the same, two levels up") {
    f.options.raw_chain = {&low_leaf, &lower, &stand_in, &upper};
  }
  SUBCASE("two levels up without it") { f.options.raw_chain = {&low_leaf, &lower, &upper}; }
  SUBCASE("one of its name and key is itself trusted") {
    f.tls.ca.push_back(f.folder.write("stand_in.pem", stand_in.pem()));
    f.options.raw_chain = {&leaf, &upper};
  }
  SUBCASE("it is itself trusted, and shown") {
    f.tls.ca.push_back(f.folder.write("upper.pem", upper.pem()));
    f.options.raw_chain = {&leaf, &upper};
  }
  SUBCASE("it is itself trusted, and not shown") {
    f.tls.ca.push_back(f.folder.write("upper.pem", upper.pem()));
    f.options.raw_chain = {&leaf};
  }
  SUBCASE("it has nothing to do with the server's certificate") {
    f.options.raw_chain = {&f.leaf, &upper};
  }
  f.tls.crl = {good};
  expect_kind(f, Kind::ok);
  f.tls.crl = {bad};
  expect_kind(f, Kind::cert_revoked);
  CHECK(f.failure().text == Contains("CA certificate \"CN=Upper CA\""));
}

TEST_CASE("a CA that was renewed under its own name hides no revoked one") {
  Fixture f;
  const Identity old_ca({.common_name = "Middle CA", .is_ca = true}, &f.ca);
  const Identity new_ca({.common_name = "Middle CA", .is_ca = true}, &old_ca);
  const Identity leaf({.dns = {"dc1.example.com"}}, &new_ca);
  f.options.raw_chain = {&leaf, &new_ca, &old_ca};
  const auto lists = make_crl(new_ca, {}) + make_crl(old_ca, {});
  f.tls.crl = {f.folder.write("good.crl", lists + make_crl(f.ca, {}))};
  expect_kind(f, Kind::ok);
  f.tls.crl = {f.folder.write("bad.crl", lists + make_crl(f.ca, {.revoked = {&old_ca}}))};
  expect_kind(f, Kind::cert_revoked);
}

TEST_CASE("only a list that is signed and current revokes what was shown in passing") {
  Fixture f;
  const Identity upper({.common_name = "Upper CA", .is_ca = true}, &f.ca);
  f.options.raw_chain = {&f.leaf, &upper};
  const Identity impostor({.common_name = "Example CA", .is_ca = true});
  const auto own = make_crl(f.ca, {});
  SUBCASE("another's signature") {
    f.tls.crl = {f.folder.write("a.crl", own + make_crl(impostor, {.revoked = {&upper}}))};
    expect_kind(f, Kind::ok);
  }
  SUBCASE("another's signature, with its certificate shown along") {
    f.options.raw_chain.push_back(&impostor);
    f.tls.crl = {f.folder.write("a.crl", own + make_crl(impostor, {.revoked = {&upper}}))};
    expect_kind(f, Kind::ok);
  }
  SUBCASE("out of date") {
    f.tls.crl = {f.folder.write("a.crl", own + make_crl(f.ca, {.revoked = {&upper},
                                                               .this_update = -9 * kDay,
                                                               .next_update = -kDay}))};
    expect_kind(f, Kind::ok);
  }
}

TEST_CASE("a server that staples nothing") {
  Fixture f;
  SUBCASE("passes when stapling is soft") { expect_kind(f, Kind::ok); }
  SUBCASE("fails when stapling is required") {
    f.tls.ocsp = config::OcspMode::require;
    expect_kind(f, Kind::ocsp_failed);
    CHECK(f.failure().text == Contains("stapled no OCSP response"));
  }
  SUBCASE("fails when its certificate demands stapling") {
    const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}, .must_staple = true},
                        &f.ca);
    f.options.chain = {&leaf};
    expect_kind(f, Kind::ocsp_failed);
    CHECK(f.failure().text == Contains("must-staple"));
  }
  SUBCASE("passes with such a certificate when stapling is off") {
    const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}, .must_staple = true},
                        &f.ca);
    f.options.chain = {&leaf};
    f.tls.ocsp = config::OcspMode::off;
    expect_kind(f, Kind::ok);
  }
}

TEST_CASE("a stapled answer that is no OCSP response fails unless ignored") {
  Fixture f;
  f.options.ocsp_response = "certainly not DER";
  SUBCASE("soft") { expect_kind(f, Kind::ocsp_failed); }
  SUBCASE("require") {
    f.tls.ocsp = config::OcspMode::require;
    expect_kind(f, Kind::ocsp_failed);
  }
  SUBCASE("off") {
    f.tls.ocsp = config::OcspMode::off;
    expect_kind(f, Kind::ok);
  }
}

TEST_CASE("a stapled answer decides, in every TLS version") {
  using Status = OcspAnswer::Status;
  for (const char* version : {"1.2", "1.3"}) {
    CAPTURE(version);
    Fixture f;
    f.options.priority += std::string(":-VERS-ALL:+VERS-TLS") + version;
    const auto staple = [&f](const OcspAnswer& answer) {
      f.options.ocsp_response = make_ocsp_response(f.leaf, f.ca, f.ca, answer);
    };
    f.tls.ocsp = config::OcspMode::require;
    staple({});
    expect_kind(f, Kind::ok);
    staple({.status = Status::revoked});
    expect_kind(f, Kind::cert_revoked);
    CHECK(f.failure().text == Contains("says the OCSP response stapled to it"));
    staple({.status = Status::unknown});
    expect_kind(f, Kind::ocsp_failed);
    CHECK(f.failure().text == Contains("does not know its certificate"));
    staple({.this_update = -9 * kDay, .next_update = -kDay});
    expect_kind(f, Kind::ocsp_failed);
    CHECK(f.failure().text == Contains("out of date"));
    staple({.this_update = -9 * kDay, .next_update = 0});
    expect_kind(f, Kind::ocsp_failed);
    staple({.this_update = kDay, .next_update = 2 * kDay});
    expect_kind(f, Kind::ocsp_failed);
    CHECK(f.failure().text == Contains("from the future"));
  }
}

TEST_CASE("a stapled answer is checked even when stapling is soft, and ignored when it is off") {
  Fixture f;
  f.options.ocsp_response =
      make_ocsp_response(f.leaf, f.ca, f.ca, {.status = OcspAnswer::Status::revoked});
  SUBCASE("soft") { expect_kind(f, Kind::cert_revoked); }
  SUBCASE("off") {
    f.tls.ocsp = config::OcspMode::off;
    expect_kind(f, Kind::ok);
  }
}

TEST_CASE("a stapled answer must be signed by the CA and be about this certificate") {
  Fixture f;
  SUBCASE("signed by a CA of the same name") {
    const Identity impostor({.common_name = "Example CA", .is_ca = true});
    f.options.ocsp_response = make_ocsp_response(f.leaf, f.ca, impostor, {});
    expect_kind(f, Kind::ocsp_failed);
    CHECK(f.failure().text == Contains("that its CA did not sign"));
  }
  SUBCASE("signed by an impostor that the server sends along as a CA") {
    const Identity impostor({.common_name = "Example CA", .is_ca = true});
    f.options.ocsp_response = make_ocsp_response(f.leaf, f.ca, impostor, {});
    f.options.chain = {&f.leaf, &impostor};
    expect_kind(f, Kind::ocsp_failed);
  }
  SUBCASE("signed by the server itself") {
    f.options.ocsp_response = make_ocsp_response(f.leaf, f.ca, f.leaf, {});
    expect_kind(f, Kind::ocsp_failed);
  }
  SUBCASE("about another certificate") {
    const Identity other({.common_name = "other"}, &f.ca);
    f.options.ocsp_response = make_ocsp_response(other, f.ca, f.ca, {});
    expect_kind(f, Kind::ocsp_failed);
    CHECK(f.failure().text == Contains("about another certificate"));
  }
}

TEST_CASE("a responder that declines is no answer") {
  Fixture f;
  f.options.ocsp_response = make_ocsp_try_later();
  SUBCASE("which soft accepts") { expect_kind(f, Kind::ok); }
  SUBCASE("which require does not") {
    f.tls.ocsp = config::OcspMode::require;
    expect_kind(f, Kind::ocsp_failed);
    CHECK(f.failure().text == Contains("gives no answer"));
  }
}

TEST_CASE("a session knows until when the stapled answer is good") {
  Fixture f;
  f.remembers = true;
  const auto said = [&f] { return ocsp_text(f.client().session().negotiated()); };
  SUBCASE("no answer") {
    expect_kind(f, Kind::ok);
    CHECK(said() == "none");
  }
  SUBCASE("an answer, in each handshake that it is shown in") {
    f.options.ocsp_response = make_ocsp_response(f.leaf, f.ca, f.ca, {});
    f.options.sends_tickets = true;
    f.options.ticket_key = std::string(64, 'k');
    expect_kind(f, Kind::ok);
    const auto until = f.client().session().negotiated().ocsp_until;
    const auto now = std::time(nullptr);
    CHECK(until > now + kDay / 2);
    CHECK(until < now + 30 * kDay);
    CHECK(said() == "good until " + timestamp(until));
    CHECK(said().size() == std::string("good until 2026-01-31T13:05:00Z").size());
    for (const bool is_resumed : {true, false}) {
      if (!is_resumed) f.options.ticket_key = std::string(64, 'o');
      f.connect_again();
      CHECK(f.client().session().negotiated().resumed == is_resumed);
      CHECK(f.client().session().negotiated().ocsp_until == until);
    }
  }
  SUBCASE("an answer that is not asked for") {
    f.options.ocsp_response = make_ocsp_response(f.leaf, f.ca, f.ca, {});
    f.tls.ocsp = config::OcspMode::off;
    expect_kind(f, Kind::ok);
    CHECK(said() == "none");
  }
}

}  // namespace tunnel::tls::revocation_test
