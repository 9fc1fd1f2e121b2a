// SPDX-License-Identifier: MIT
#include "keys/client_certificate.h"

#include <doctest/doctest.h>
#include <gnutls/pkcs12.h>
#include <sys/stat.h>

#include "keys/token.h"
#include "support/contains.h"
#include "support/pki.h"
#include "support/temp_folder.h"
#include "x509/x509_text.h"

using namespace tunnel;
using namespace tunnel::keys;
using namespace tunnel::test;
using namespace tunnel::x509;

namespace {

constexpr const char* kPassword = "geheim";

// A client's certificate below an intermediate, and everything as files.
struct Robot {
  TempFolder folder;
  Identity ca{{.common_name = "Client CA", .is_ca = true}};
  Identity intermediate{{.common_name = "Client Intermediate", .is_ca = true}, &ca};
  Identity leaf{{.common_name = "robot", .purpose = GNUTLS_KP_TLS_WWW_CLIENT}, &intermediate};
  Identity other{{.common_name = "other"}};
  config::Tls tls;
  Problems problems;

  Robot() {
    tls.cert = secret("cert.pem", leaf.pem());
    tls.key = secret("key.pem", leaf.key_pem());
  }
  [[nodiscard]] std::string secret(const char* name, const std::string& content) const {
    const auto path = folder.write(name, content);
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    return path;
  }
  [[nodiscard]] std::string encrypted_key(unsigned flags, gnutls_x509_crt_fmt_t format) const {
    Datum out;
    REQUIRE(gnutls_x509_privkey_export2_pkcs8(leaf.key(), format, kPassword, flags, out.get()) >=
            0);
    return std::string(out.view());
  }
  [[nodiscard]] std::string pkcs12(const char* password) const;
  void with_password(const std::string& content) {
    tls.key_password_file = secret("password", content);
  }
  std::unique_ptr<const ClientCertificate> load() {
    problems.clear();
    WrongPins wrong_pins;
    return ClientCertificate::load(tls, wrong_pins, problems);
  }
  // Loads without a word.
  std::unique_ptr<const ClientCertificate> loaded() {
    auto certificate = load();
    for (const auto& problem : problems.errors()) FAIL_CHECK(problem.text);
    for (const auto& warning : problems.warnings()) FAIL_CHECK(warning.text);
    REQUIRE(certificate != nullptr);
    return certificate;
  }
  // The only problem there must be.
  Problem problem() {
    CHECK(load() == nullptr);
    REQUIRE(problems.errors().size() == 1);
    return problems.errors().front();
  }
};

std::string Robot::pkcs12(const char* password) const {
  gnutls_pkcs12_t file = nullptr;
  gnutls_pkcs12_bag_t certificates = nullptr, keys = nullptr;
  REQUIRE(gnutls_pkcs12_init(&file) >= 0);
  REQUIRE(gnutls_pkcs12_bag_init(&certificates) >= 0);
  REQUIRE(gnutls_pkcs12_bag_init(&keys) >= 0);
  for (const auto* identity : {&intermediate, &leaf}) {
    REQUIRE(gnutls_pkcs12_bag_set_crt(certificates, identity->certificate()) >= 0);
  }
  const unsigned flags = GNUTLS_PKCS_PBES2_AES_256;
  REQUIRE(gnutls_pkcs12_bag_set_privkey(keys, leaf.key(), password, flags) >= 0);
  REQUIRE(gnutls_pkcs12_bag_encrypt(certificates, password, flags) >= 0);
  REQUIRE(gnutls_pkcs12_set_bag(file, certificates) >= 0);
  REQUIRE(gnutls_pkcs12_set_bag(file, keys) >= 0);
  REQUIRE(gnutls_pkcs12_generate_mac(file, password) >= 0);
  Datum out;
  REQUIRE(gnutls_pkcs12_export2(file, GNUTLS_X509_FMT_DER, out.get()) >= 0);
  gnutls_pkcs12_bag_deinit(certificates);
  gnutls_pkcs12_bag_deinit(keys);
  gnutls_pkcs12_deinit(file);
  return std::string(out.view());
}

std::string subjects(const ClientCertificate& certificate) {
  std::string list;
  for (const auto& entry : certificate.chain()) {
    auto copy = entry;
    gnutls_x509_crt_t raw = nullptr;
    REQUIRE(gnutls_pcert_export_x509(&copy, &raw) >= 0);
    const Certificate owner(raw);
    list += (list.empty() ? "" : " < ") + subject_of(raw);
  }
  return list;
}

// OpenSSL's own encryption of PEM (`openssl ec -aes256`), which nothing writes but OpenSSL.
constexpr const char* kLegacyKey = R"(-----BEGIN EC PARAMETERS-----
BggqhkjOPQMBBw==
-----END EC PARAMETERS-----
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-256-CBC,183B0DDB51292534E32AD79BD3E7A4BD

IXlvr0+ulp8ydnNKUcFYqTCZwqHGCnUE+3H9ELEUkyTio0e6i2gLWGE6mvGbsWV3
AxUYXVF6BRn9/OgT1OkMNlNMDMyfLF2nUJUByn6xsugyrQTcpBR+Tf9mA32hBjEh
cTTN8miw/QHAGbkMvaLDe55nCOr7UH47S/KUDjdE4wk=
-----END EC PRIVATE KEY-----
)";

// A PKCS#12 file (self-signed CN=robot) whose MAC was made without a password, which is not the
// same as an empty one. GnuTLS 3.8.9 reads such files, and crashes when it is to write one.
constexpr std::string_view kWithoutPassword = R"(
MIICrgIBAzCCAmUGCSqGSIb3DQEHAaCCAlYEggJSMIICTjCCAZYGCSqGSIb3DQEHAaCCAYcEggGDMIIBfzCCAXsGCyqGSIb3DQ
EMCgEDoIIBajCCAWYGCiqGSIb3DQEJFgGgggFWBIIBUjCCAU4wgfagAwIBAgIBATAKBggqhkjOPQQDAjAQMQ4wDAYDVQQDEwVy
b2JvdDAgFw0yMDAxMDEwMDAwMDBaGA85OTk5MTIzMTIzNTk1OVowEDEOMAwGA1UEAxMFcm9ib3QwWTATBgcqhkjOPQIBBggqhk
jOPQMBBwNCAASpJcdEj5fRK2skcz6zyPgHu7xlninesSvaktdf3K5GskulLctQh72kUusvUKzgv9/7lrblLlSanHnDPD5b+3Dj
oz8wPTAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDAdBgNVHQ4EFgQUzC2PT9yah/W420yyORobCFqQwnUwCgYIKoZIzj
0EAwIDRwAwRAIgGzdAccabDgd3Vw3BG4z724+V7YqN0FCZ9KF+6QzBqNgCIDrJoX+qWeSldUV4AvWJFdV0n25UzkXl5ZIE5UIA
uIS0MIGxBgkqhkiG9w0BBwGggaMEgaAwgZ0wgZoGCyqGSIb3DQEMCgEBoIGKMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG
0wawIBAQQgsaGZCY+cUPTMJW7gTl8xsaxKt2D/iHlMSQQQo6HyjuahRANCAASpJcdEj5fRK2skcz6zyPgHu7xlninesSvaktdf
3K5GskulLctQh72kUusvUKzgv9/7lrblLlSanHnDPD5b+3DjMEAwLzALBglghkgBZQMEAgEEIPHZ4zYOotJmI78jP5nKqcWWgY
Zywr5Gy8JCLYupLbBJBAh5NXhHWW1jnAIDCSfA
)";

std::string from_base64(std::string_view text) {
  std::string joined(text);
  std::erase(joined, '\n');
  const gnutls_datum_t in{reinterpret_cast<unsigned char*>(joined.data()),
                          static_cast<unsigned>(joined.size())};
  Datum out;
  REQUIRE(gnutls_base64_decode2(&in, out.get()) >= 0);
  return std::string(out.view());
}

}  // namespace

TEST_CASE("without a certificate there is nothing to load") {
  Robot r;
  r.tls.cert = r.tls.key = "";
  CHECK(r.load() == nullptr);
  CHECK_FALSE(r.problems.has_errors());
}

TEST_CASE("certificate and key are read from two files or one, in any order") {
  Robot r;
  SUBCASE("two files") {}
  SUBCASE("one file, certificate first") {
    r.tls.cert = r.secret("both.pem", r.leaf.pem() + r.leaf.key_pem());
    r.tls.key = "";
  }
  SUBCASE("one file, key first") {
    r.tls.cert = r.secret("both.pem", r.leaf.key_pem() + r.leaf.pem());
    r.tls.key = "";
  }
  SUBCASE("DER") {
    r.tls.cert = r.secret("cert.der", r.leaf.der());
    Datum out;
    REQUIRE(gnutls_x509_privkey_export2(r.leaf.key(), GNUTLS_X509_FMT_DER, out.get()) >= 0);
    r.tls.key = r.secret("key.der", std::string(out.view()));
  }
  const auto certificate = r.loaded();
  CHECK(subjects(*certificate) == "CN=robot");
  CHECK(certificate->key() != nullptr);
  CHECK(certificate->description() == "CN=robot (" + r.tls.cert + ")");
}

TEST_CASE("a chain is sent from the leaf upwards, however the file has it") {
  Robot r;
  r.tls.cert =
      r.secret("chain.pem", r.ca.pem() + r.other.pem() + r.intermediate.pem() + r.leaf.pem());
  CHECK(subjects(*r.loaded()) == "CN=robot < CN=Client Intermediate < CN=Client CA < CN=other");
}

TEST_CASE("an encrypted key opens with its password") {
  Robot r;
  r.with_password(std::string(kPassword) + "\n");
  SUBCASE("PKCS#8") {
    r.tls.key =
        r.secret("key.pem", r.encrypted_key(GNUTLS_PKCS_PBES2_AES_256, GNUTLS_X509_FMT_PEM));
  }
  SUBCASE("PKCS#8 as of old") {
    r.tls.key = r.secret("key.pem", r.encrypted_key(GNUTLS_PKCS_PKCS12_3DES, GNUTLS_X509_FMT_PEM));
  }
  SUBCASE("PKCS#8 as DER") {
    r.tls.key =
        r.secret("key.der", r.encrypted_key(GNUTLS_PKCS_PBES2_AES_128, GNUTLS_X509_FMT_DER));
  }
  SUBCASE("in the file of the certificate") {
    r.tls.cert = r.secret(
        "both.pem", r.leaf.pem() + r.encrypted_key(GNUTLS_PKCS_PBES2_AES_256, GNUTLS_X509_FMT_PEM));
    r.tls.key = "";
  }
  SUBCASE("a password ends where its line does, also on Windows") {
    r.tls.key =
        r.secret("key.pem", r.encrypted_key(GNUTLS_PKCS_PBES2_AES_256, GNUTLS_X509_FMT_PEM));
    r.with_password(std::string(kPassword) + "\r\nand more\r\n");
  }
  (void)r.loaded();
}

TEST_CASE("OpenSSL's own encryption of PEM is understood") {
  Robot r;
  r.tls.key = r.secret("key.pem", kLegacyKey);
  r.with_password(kPassword);
  // It is nobody's key here: that it was opened shows in what is wrong with it.
  CHECK(r.problem().text == Contains("does not belong to the certificate CN=robot"));
  r.with_password("falsch");
  CHECK(r.problem().text == Contains("does not open the private key"));
  r.tls.key_password_file = "";
  CHECK(r.problem().text == Contains("key.pem, line 4: the private key is encrypted"));
}

TEST_CASE("PKCS#12 holds all of it") {
  Robot r;
  r.tls.key = "";
  SUBCASE("encrypted") {
    r.tls.cert = r.secret("robot.p12", r.pkcs12(kPassword));
    r.with_password(kPassword);
  }
  SUBCASE("with an empty password") { r.tls.cert = r.secret("robot.p12", r.pkcs12("")); }
  SUBCASE("with a key elsewhere") {
    r.tls.cert = r.secret("robot.p12", r.pkcs12(kPassword));
    r.tls.key = r.secret("key.pem", r.leaf.key_pem());
    r.with_password(kPassword);
  }
  CHECK(subjects(*r.loaded()) == "CN=robot < CN=Client Intermediate");
}

TEST_CASE("PKCS#12 without a password is read without one") {
  Robot r;
  r.tls.key = "";
  r.tls.cert = r.secret("robot.p12", from_base64(kWithoutPassword));
  CHECK(subjects(*r.loaded()) == "CN=robot");
}

TEST_CASE("what is wrong with passwords is said of the key that must change") {
  Robot r;
  const auto path = r.encrypted_key(GNUTLS_PKCS_PBES2_AES_256, GNUTLS_X509_FMT_PEM);
  SUBCASE("wrong") {
    r.tls.key = r.secret("key.pem", path);
    r.with_password("falsch\n");
    const auto problem = r.problem();
    CHECK(problem.key == "key_password_file");
    CHECK(problem.text == "the password in " + r.tls.key_password_file +
                              " does not open the private key in " + r.tls.key);
    CHECK(problem.text.find("falsch") == std::string::npos);
  }
  SUBCASE("wrong, as DER") {
    r.tls.key =
        r.secret("key.der", r.encrypted_key(GNUTLS_PKCS_PBES2_AES_256, GNUTLS_X509_FMT_DER));
    r.with_password("falsch\n");
    CHECK(r.problem().key == "key_password_file");
  }
  SUBCASE("missing") {
    r.tls.key = r.secret("key.pem", path);
    const auto problem = r.problem();
    CHECK(problem.key == "key");
    CHECK(problem.text == r.tls.key +
                              ", line 1: the private key is encrypted, and "
                              "tls.key_password_file is not set");
    CHECK(problem.hint == Contains("put its password into a file"));
  }
  SUBCASE("missing, for a key in the file of the certificate") {
    r.tls.cert = r.secret("both.pem", r.leaf.pem() + path);
    r.tls.key = "";
    CHECK(r.problem().key == "cert");
  }
  SUBCASE("empty") {
    r.tls.key = r.secret("key.pem", path);
    r.with_password("\n");
    CHECK(r.problem().text == r.tls.key_password_file + ": holds no password");
  }
  SUBCASE("unreadable") {
    r.tls.key = r.secret("key.pem", path);
    r.tls.key_password_file = "/nonexistent/password";
    const auto problem = r.problem();
    CHECK(problem.key == "key_password_file");
    CHECK(problem.text == "/nonexistent/password: cannot be read: No such file or directory");
  }
  SUBCASE("wrong, for PKCS#12") {
    r.tls.cert = r.secret("robot.p12", r.pkcs12(kPassword));
    r.tls.key = "";
    r.with_password("falsch");
    const auto problem = r.problem();
    CHECK(problem.key == "key_password_file");
    CHECK(problem.text == Contains(" does not open " + r.tls.cert));
  }
  SUBCASE("missing, for PKCS#12") {
    r.tls.cert = r.secret("robot.p12", r.pkcs12(kPassword));
    r.tls.key = "";
    const auto problem = r.problem();
    CHECK(problem.key == "cert");
    CHECK(problem.text == Contains("is encrypted, and tls.key_password_file is not set"));
  }
}

TEST_CASE("PKCS#12 that no password would open is not called encrypted") {
  Robot r;
  r.tls.key = "";
  std::string damaged = r.pkcs12(kPassword);
  SUBCASE("without a password") {}
  SUBCASE("with the right one") { r.with_password(kPassword); }
  SUBCASE("with a wrong one") { r.with_password("falsch"); }
  // The type of what the file holds (RFC 7292 section 4), which becomes one that is not known.
  const std::size_t type = damaged.find("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
  REQUIRE(type != std::string::npos);
  damaged[type + 8] = '\x09';
  r.tls.cert = r.secret("robot.p12", damaged);
  const auto problem = r.problem();
  CHECK(problem.key == "cert");
  CHECK(problem.text == Contains("robot.p12: the PKCS#12 file cannot be read: "));
  CHECK(problem.hint == Contains("it is damaged, or"));
}

TEST_CASE("what is wrong with keys and certificates") {
  Robot r;
  SUBCASE("they do not belong together") {
    r.tls.key = r.secret("key.pem", r.other.key_pem());
    const auto problem = r.problem();
    CHECK(problem.key == "key");
    CHECK(problem.text == "the private key in " + r.tls.key +
                              " does not belong to the certificate CN=robot in " + r.tls.cert);
  }
  SUBCASE("they do not belong together, in one file") {
    r.tls.cert = r.secret("both.pem", r.leaf.pem() + r.other.key_pem());
    r.tls.key = "";
    CHECK(r.problem().key == "cert");
  }
  SUBCASE("the key is missing") {
    r.tls.key = "";
    const auto problem = r.problem();
    CHECK(problem.key == "cert");
    CHECK(problem.text == r.tls.cert + ": holds no private key");
    CHECK(problem.hint == "set tls.key, or put the key into the same file");
  }
  SUBCASE("the certificate is missing") {
    r.tls.cert = r.tls.key;
    CHECK(r.problem().hint == "this is a private key; tls.cert wants certificates");
  }
  SUBCASE("the file of the key holds a certificate") {
    r.tls.key = r.tls.cert;
    const auto problem = r.problem();
    CHECK(problem.key == "key");
    CHECK(problem.text == r.tls.key + ": holds no private key");
  }
  SUBCASE("a certificate is broken") {
    auto broken = r.leaf.pem();
    broken[60] = '!';
    r.tls.cert = r.secret("broken.pem", broken);
    CHECK(r.problem().text == Contains("broken.pem, line 1: the certificate that begins here"));
  }
  SUBCASE("a key is cut off") {
    r.tls.key = r.secret("cut.pem", r.leaf.key_pem().substr(0, 120));
    CHECK(r.problem().text == Contains("cut.pem, line 1: the private key that begins here has no"));
  }
  SUBCASE("a key is noise") {
    r.tls.key = r.secret("noise", "some noise");
    CHECK(r.problem().text == Contains("noise: the private key cannot be read"));
  }
  SUBCASE("a key is OpenSSH's") {
    r.tls.key = r.secret("id_rsa",
                         "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
                         "-----END OPENSSH PRIVATE KEY-----\n");
    CHECK(r.problem().text == Contains("OpenSSH's own form"));
  }
  SUBCASE("a key alone") {
    r.tls.cert = "";
    CHECK(r.problem().text == "tls.key needs tls.cert");
  }
  SUBCASE("a file is gone") {
    r.tls.cert = "/nonexistent/cert.pem";
    CHECK(r.problem().text == "/nonexistent/cert.pem: cannot be read: No such file or directory");
  }
}

TEST_CASE("what is worth a warning") {
  Robot r;
  const auto warning = [&r] {
    CHECK(r.load() != nullptr);
    CHECK_FALSE(r.problems.has_errors());
    REQUIRE(r.problems.warnings().size() == 1);
    return r.problems.warnings().front().text;
  };
  SUBCASE("an expired certificate") {
    const Identity expired(
        {.common_name = "old", .valid_from = -9 * kDay, .valid_until = -2 * kDay});
    r.tls.cert = r.secret("old.pem", expired.pem());
    r.tls.key = r.secret("old.key", expired.key_pem());
    CHECK(warning() == Contains("tls.cert: the client certificate CN=old (" + r.tls.cert +
                                ") expired 2 days ago, on "));
  }
  SUBCASE("one that is not valid yet") {
    const Identity early({.common_name = "early", .valid_from = 2 * kDay});
    r.tls.cert = r.secret("early.pem", early.pem());
    r.tls.key = r.secret("early.key", early.key_pem());
    CHECK(warning() == Contains("becomes valid only on "));
  }
  SUBCASE("a key that everybody can read") {
    REQUIRE(::chmod(r.tls.key.c_str(), 0644) == 0);
    CHECK(warning() == "tls.key: everybody on this machine can read the private key in " +
                           r.tls.key + "; chmod o-rwx " + r.tls.key);
  }
  SUBCASE("a password that everybody can read") {
    r.tls.key =
        r.secret("key.pem", r.encrypted_key(GNUTLS_PKCS_PBES2_AES_256, GNUTLS_X509_FMT_PEM));
    r.with_password(kPassword);
    REQUIRE(::chmod(r.tls.key_password_file.c_str(), 0644) == 0);
    CHECK(warning() == Contains("tls.key_password_file: everybody on this machine can read "));
  }
  SUBCASE("a password that is not needed") {
    r.with_password(kPassword);
    CHECK(warning() == Contains(" is not encrypted, so the password is not used"));
  }
}

TEST_CASE("the URIs of tokens") {
  CHECK(uri_for_people("pkcs11:token=a;object=b?pin-value=1234&module-path=/x.so") ==
        "pkcs11:token=a;object=b");
  CHECK(uri_for_people("pkcs11:token=a;pin-value=1234;object=b") == "pkcs11:token=a;object=b");
  CHECK(holds_pin("pkcs11:token=a?pin-value=1234"));
  CHECK_FALSE(holds_pin("pkcs11:token=a?pin-source=/x"));
  CHECK(key_uri_of("pkcs11:token=a;type=cert;object=b?pin-source=/x") ==
        "pkcs11:token=a;object=b?pin-source=/x");
  CHECK(pin_source_of("pkcs11:token=a?pin-source=file:/etc/pin") == "/etc/pin");
  CHECK(pin_source_of("pkcs11:token=a?module-path=/x&pin-source=file:///etc/my%20pin") ==
        "/etc/my pin");
  CHECK(pin_source_of("pkcs11:token=a;pin-source=/etc/pin") == "/etc/pin");
  CHECK(pin_source_of("pkcs11:token=a") == "");
}

TEST_CASE("a token's PIN is given once and never when it does not fit") {
  TempFolder folder;
  KeyPassword password;
  Problems problems;
  char pin[8] = "";
  CHECK(KeyPassword::give_pin(&password, 0, "", "", 0, pin, sizeof pin) != 0);
  password.load("key_password_file", folder.write("pin", "123456\n"), problems);
  CHECK(KeyPassword::give_pin(&password, 0, "", "", 0, pin, sizeof pin) == 0);
  CHECK(std::string(pin) == "123456");
  CHECK(KeyPassword::give_pin(&password, 1, "", "", 0, pin, sizeof pin) != 0);
  CHECK(KeyPassword::give_pin(&password, 0, "", "", GNUTLS_PIN_WRONG, pin, sizeof pin) != 0);
  CHECK(KeyPassword::give_pin(&password, 0, "", "", 0, pin, 6) != 0);
}
