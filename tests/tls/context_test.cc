// SPDX-License-Identifier: MIT
#include "tls/context.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "fixture.h"
#include "tls/context_impl.h"
#include "tls/suites.h"

namespace tunnel::tls::context_test {

using namespace tunnel::test;
using namespace tunnel::tls::test;
using namespace tunnel::x509;

namespace {

struct Loading {
  TempFolder folder;
  Context::Shared shared;
  config::Tls tls;
  Identity ca{{.common_name = "Example CA", .is_ca = true}};

  Loading() { tls.ca = {folder.write("good.pem", ca.pem())}; }
  Context::Loaded load() { return Context::load(tls, shared); }
  // The only problem there must be.
  Problem problem() {
    const auto loaded = load();
    CHECK(loaded.context == nullptr);
    REQUIRE(loaded.problems.size() == 1);
    return loaded.problems.front();
  }
};

}  // namespace

TEST_CASE("a good configuration loads without a word") {
  Loading l;
  const auto loaded = l.load();
  CHECK(loaded.context != nullptr);
  CHECK(loaded.problems.empty());
  CHECK(loaded.warnings.empty());
}

TEST_CASE("every problem of a table is reported at once") {
  Loading l;
  l.tls.ca = {l.folder.path() + "/missing.pem", l.folder.write("empty.pem", "")};
  l.tls.crl = {l.folder.path() + "/missing.crl"};
  l.tls.ciphers = {"TLS_AES_128_GCM_SHA256", "AES128"};
  l.tls.groups = {"x25519", "P-256"};
  l.tls.pin = {"sha256:abc"};
  l.tls.keylog = l.folder.path() + "/no/such/folder/keys";
  const auto loaded = l.load();
  CHECK(loaded.context == nullptr);
  std::string seen;
  for (const auto& problem : loaded.problems) {
    seen += problem.key + "[" + std::to_string(problem.index) + "] ";
  }
  CHECK(seen == "ciphers[1] groups[1] ca[0] ca[1] crl[0] pin[0] keylog[-1] ");
}

TEST_CASE("problems of files say which and why") {
  Loading l;
  SUBCASE("missing") {
    l.tls.ca.push_back("/nonexistent/ca.pem");
    const auto problem = l.problem();
    CHECK(problem.key == "ca");
    CHECK(problem.index == 1);
    CHECK(problem.text == "/nonexistent/ca.pem: cannot be read: No such file or directory");
  }
  SUBCASE("empty") {
    l.tls.ca = {l.folder.write("empty.pem", "")};
    const auto problem = l.problem();
    CHECK(problem.text == l.tls.ca[0] + ": holds no certificate");
    CHECK(problem.hint == "the file is empty");
  }
  SUBCASE("neither PEM nor DER") {
    l.tls.ca = {l.folder.write("noise", "some text")};
    CHECK(l.problem().hint == "it is neither PEM nor DER");
  }
  SUBCASE("a private key") {
    l.tls.ca = {l.folder.write("key.pem", l.ca.key_pem())};
    CHECK(l.problem().hint == "this is a private key; tls.ca wants certificates");
  }
  SUBCASE("a broken certificate after a good one, with its line") {
    const auto good = l.ca.pem();
    auto broken = good;
    broken[60] = '!';
    l.tls.ca = {l.folder.write("two.pem", good + broken)};
    const auto lines = std::count(good.begin(), good.end(), '\n');
    CHECK(l.problem().text == Contains("two.pem, line " + std::to_string(lines + 1) +
                                       ": the certificate that begins here cannot be read: "));
  }
  SUBCASE("good base64 of something else") {
    l.tls.ca = {l.folder.write(
        "odd.pem", "-----BEGIN CERTIFICATE-----\naGVsbG8gd29ybGQ=\n-----END CERTIFICATE-----\n")};
    CHECK(l.problem().text == Contains("odd.pem, line 1: the certificate that begins here"));
  }
  SUBCASE("cut off") {
    l.tls.ca = {l.folder.write("cut.pem", l.ca.pem().substr(0, 200))};
    CHECK(l.problem().text == Contains("has no END line"));
  }
  SUBCASE("an empty folder") {
    std::filesystem::create_directory(l.folder.path() + "/cas");
    l.tls.ca = {l.folder.path() + "/cas"};
    CHECK(l.problem().text == l.folder.path() + "/cas: the folder holds no certificate");
  }
  SUBCASE("a folder with a broken certificate") {
    l.folder.write("broken.pem", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n");
    l.tls.ca = {l.folder.path()};
    CHECK(l.problem().text == Contains("broken.pem, line 1"));
  }
  SUBCASE("a device") {
    l.tls.ca = {"/dev/null"};
    CHECK(l.problem().text == "/dev/null: is neither a file nor a folder");
  }
  SUBCASE("a certificate in the place of a CRL") {
    l.tls.crl = {l.tls.ca[0]};
    CHECK(l.problem().text == l.tls.ca[0] + ": holds no CRL");
  }
}

TEST_CASE("unreadable files are a problem for those who may not read them") {
  if (::geteuid() == 0) return;  // root may read everything
  Loading l;
  REQUIRE(::chmod(l.tls.ca[0].c_str(), 0) == 0);
  CHECK(l.problem().text == Contains("Permission denied"));
}

TEST_CASE("certificates are read from PEM, DER and folders, each once") {
  Fixture f;
  const Identity other({.common_name = "Other CA", .is_ca = true});
  SUBCASE("DER") { f.tls.ca = {f.folder.write("ca.der", f.ca.der())}; }
  SUBCASE("several in one file, with text between") {
    f.tls.ca = {f.folder.write("all.pem", "# ours\n" + other.pem() + "\n# theirs\n" + f.ca.pem())};
  }
  SUBCASE("several files") {
    f.tls.ca = {f.folder.write("a.pem", other.pem()), f.folder.write("b.pem", f.ca.pem())};
  }
  SUBCASE("a folder with other things and hash links in it") {
    const auto folder = f.folder.path() + "/cas";
    std::filesystem::create_directories(folder + "/deeper");
    f.folder.write("cas/ca.pem", f.ca.pem());
    f.folder.write("cas/README", "certificates go here");
    f.folder.write("cas/key.pem", other.key_pem());
    f.folder.write("cas/.hidden", "-----BEGIN CERTIFICATE-----\n!!");
    std::filesystem::create_symlink("ca.pem", folder + "/0a1b2c3d.0");
    std::filesystem::create_symlink("gone.pem", folder + "/dangling.0");
    f.tls.ca = {folder};
  }
  SUBCASE("a file and a folder that links to it") {
    const auto folder = f.folder.path() + "/cas";
    std::filesystem::create_directory(folder);
    std::filesystem::create_symlink(f.tls.ca[0], folder + "/0a1b2c3d.0");
    f.tls.ca.push_back(folder);
  }
  f.connect();
  CHECK_MESSAGE(f.client().is_established(), f.failure().text);
}

TEST_CASE("trust anchors are loaded once and shared") {
  Loading l;
  const auto first = l.load();
  const auto second = l.load();
  REQUIRE(second.context != nullptr);
  CHECK(first.context->impl().policy.anchors == second.context->impl().policy.anchors);
  SUBCASE("until the file changes") {
    const Identity other({.common_name = "Other CA", .is_ca = true});
    l.folder.write("good.pem", other.pem() + l.ca.pem());
    const auto third = l.load();
    CHECK(first.context->impl().policy.anchors != third.context->impl().policy.anchors);
  }
  SUBCASE("and not with other files") {
    l.tls.ca = {l.folder.write("copy.pem", l.ca.pem())};
    const auto third = l.load();
    CHECK(first.context->impl().policy.anchors != third.context->impl().policy.anchors);
  }
}

TEST_CASE("without tls.ca the system's trust store decides") {
  Fixture f;
  f.tls.ca = {};
  Context::Shared shared;
  const auto loaded = Context::load(f.tls, shared);
  if (loaded.context == nullptr) {  // a system without ca-certificates
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems[0].hint == Contains("install ca-certificates"));
    return;
  }
  f.connect();
  REQUIRE(f.client().has_failed());
  CHECK(f.failure().kind == Kind::cert_untrusted);
  CHECK(f.failure().text == Contains("which is not in the system's trust store"));
}

TEST_CASE("names of suites and groups get suggestions and examples") {
  Loading l;
  SUBCASE("a typing error") {
    l.tls.ciphers = {"TLS_AES_128_GCM_SHA265"};
    const auto problem = l.problem();
    CHECK(problem.text == Contains("\"TLS_AES_128_GCM_SHA265\" is not the IANA name of a cipher "
                                   "suite"));
    CHECK(problem.hint == Contains("did you mean \"TLS_AES_128_GCM_SHA256\"?"));
    CHECK(problem.hint == Contains("known are TLS_AES_128_GCM_SHA256, "));
  }
  SUBCASE("an alias of a group") {
    l.tls.groups = {"prime256v1"};
    CHECK(l.problem().hint == Contains("did you mean \"secp256r1\"?"));
  }
  SUBCASE("what nobody should use") {
    l.tls.ciphers = {"TLS_RSA_WITH_RC4_128_SHA"};
    CHECK(l.problem().key == "ciphers");
  }
}

TEST_CASE("versions and suites that do not go together are a problem") {
  Loading l;
  SUBCASE("1.3 only with suites of 1.2") {
    l.tls.min_version = config::TlsVersion::tls1_3;
    l.tls.ciphers = {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};
    CHECK(l.problem().text == "none of tls.ciphers can be used with TLS 1.3");
  }
  SUBCASE("1.0 to 1.1 with suites of 1.2") {
    l.tls.min_version = config::TlsVersion::tls1_0;
    l.tls.max_version = config::TlsVersion::tls1_1;
    l.tls.ciphers = {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};
    CHECK(l.problem().text == "none of tls.ciphers can be used with TLS 1.0 to 1.1");
  }
  SUBCASE("min above max") {
    l.tls.min_version = config::TlsVersion::tls1_3;
    l.tls.max_version = config::TlsVersion::tls1_2;
    CHECK(l.problem().key == "max_version");
  }
}

TEST_CASE("min_strength leaves out weaker suites and groups, and says when none is left") {
  Loading l;
  SUBCASE("every strength leaves something of the defaults") {
    for (const auto strength : {config::MinStrength::bits128, config::MinStrength::bits192,
                                config::MinStrength::bits256}) {
      l.tls.min_strength = strength;
      CHECK(Context::load(l.tls, l.shared).context != nullptr);
    }
  }
  SUBCASE("no suite") {
    l.tls.min_strength = config::MinStrength::bits192;
    l.tls.ciphers = {"TLS_AES_128_GCM_SHA256"};
    CHECK(l.problem().text ==
          "none of tls.ciphers has the 192 bits of strength that tls.min_strength asks for");
  }
  SUBCASE("no group") {
    l.tls.min_strength = config::MinStrength::bits256;
    l.tls.groups = {"x25519", "secp384r1"};
    CHECK(l.problem().key == "groups");
  }
}

TEST_CASE("a priority string that GnuTLS does not like is told with the place") {
  Loading l;
  l.tls.priority = "NORMAL:+NONSENSE:%PROFILE_MEDIUM";
  const auto problem = l.problem();
  CHECK(problem.key == "priority");
  CHECK(problem.text == Contains("character 8 on: \"+NONSENSE:%PROFILE_MEDIUM\""));
}

TEST_CASE("keys that need a chain are refused without one") {
  Loading l;
  l.tls.verify = config::Verify::pin;
  l.tls.pin = {"sha256:" + std::string(64, 'a')};
  SUBCASE("crl") {
    l.tls.crl = {l.folder.write("ca.crl", make_crl(l.ca, {}))};
    CHECK(l.problem().text == Contains("tls.crl needs tls.verify"));
  }
  SUBCASE("ocsp") {
    l.tls.ocsp = config::OcspMode::require;
    CHECK(l.problem().key == "ocsp");
  }
  SUBCASE("pin without a pin") {
    l.tls.pin = {};
    CHECK(l.problem().text == "tls.verify = \"pin\" needs tls.pin or tls.peer_certs");
  }
}

TEST_CASE("pins are read in hexadecimal and base64, and nothing else") {
  Loading l;
  const std::string base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  SUBCASE("good") {
    l.tls.pin = {"sha256:" + base64, "sha256:" + std::string(64, '0'),
                 "sha256:" + std::string(64, 'F')};
    CHECK(l.load().problems.empty());
  }
  SUBCASE("bad") {
    l.tls.pin = {"",
                 "sha1:" + base64,
                 base64,
                 "sha256:",
                 "sha256:" + std::string(63, '0'),
                 "sha256:" + std::string(64, 'g'),
                 "sha256:AAAA"};
    CHECK(l.load().problems.size() == l.tls.pin.size());
  }
}

TEST_CASE("dangerous settings are warned of") {
  Loading l;
  SUBCASE("no verification") {
    l.tls.verify = config::Verify::none;
    CHECK(l.load().warnings.at(0) == Contains("tls.verify = \"none\""));
  }
  SUBCASE("old versions") {
    l.tls.min_version = config::TlsVersion::tls1_0;
    CHECK(l.load().warnings.at(0) == Contains("tls.min_version"));
  }
  SUBCASE("a key log") {
    l.tls.keylog = l.folder.path() + "/keys";
    CHECK(l.load().warnings.at(0) == Contains("tls.keylog"));
  }
  SUBCASE("an outdated CRL") {
    l.tls.crl = {l.folder.write("old.crl",
                                make_crl(l.ca, {.this_update = -9 * kDay, .next_update = -kDay}))};
    CHECK(l.load().warnings.at(0) == Contains("old.crl, line 1 is out of date since"));
  }
}

TEST_CASE("a key log is made for its owner only, and not by a check") {
  Loading l;
  l.tls.keylog = l.folder.path() + "/keys";
  CHECK(Context::load(l.tls, l.shared, Context::Purpose::check).problems.empty());
  CHECK_FALSE(std::filesystem::exists(l.tls.keylog));
  CHECK(l.load().problems.empty());
  struct stat info {};
  REQUIRE(::stat(l.tls.keylog.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("every suite that can be configured is one that GnuTLS names the same way") {
  // The names are derived from GnuTLS's own; what was negotiated is compared with them.
  for (const auto& suite : known_suites()) {
    if (suite.is_tls13() || suite.kx != GNUTLS_KX_ECDHE_ECDSA) continue;
    CAPTURE(suite.name);
    Fixture f;
    f.tls.ciphers = {suite.name};
    f.options.priority += ":-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:-MAC-ALL:+3DES-CBC:+" +
                          std::string(gnutls_cipher_get_name(suite.cipher)) + ":+" +
                          gnutls_mac_get_name(suite.mac);
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
    CHECK(f.client().session().negotiated().cipher == suite.name);
  }
}

}  // namespace tunnel::tls::context_test
