// SPDX-License-Identifier: MIT
#include "pki.h"

#include <arpa/inet.h>

#include <array>
#include <cstdlib>

namespace tunnel::test {
namespace {

// A test whose material cannot be made has nothing to say.
void must(int result) {
  if (result < 0) {
    std::fprintf(stderr, "making test material failed: %s\n", gnutls_strerror(result));
    std::abort();
  }
}

Key new_key(const Subject& subject) {
  gnutls_x509_privkey_t raw = nullptr;
  must(gnutls_x509_privkey_init(&raw));
  Key key(raw);
  unsigned bits = subject.bits;
  if (bits == 0) {
    bits = subject.key == GNUTLS_PK_RSA ? 2048 : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
  }
  must(gnutls_x509_privkey_generate(raw, subject.key, bits, 0));
  return key;
}

void set_random_serial(gnutls_x509_crt_t crt) {
  std::array<unsigned char, 16> serial{};
  must(gnutls_rnd(GNUTLS_RND_NONCE, serial.data(), serial.size()));
  serial[0] = static_cast<unsigned char>((serial[0] & 0x7f) | 1);  // positive, no leading zero
  must(gnutls_x509_crt_set_serial(crt, serial.data(), serial.size()));
}

void set_names(gnutls_x509_crt_t crt, const Subject& subject) {
  must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0,
                                     subject.common_name.data(),
                                     static_cast<unsigned>(subject.common_name.size())));
  const auto add = [crt](gnutls_x509_subject_alt_name_t type, const void* data, std::size_t size) {
    must(gnutls_x509_crt_set_subject_alt_name(crt, type, data, static_cast<unsigned>(size),
                                              GNUTLS_FSAN_APPEND));
  };
  for (const auto& name : subject.dns) add(GNUTLS_SAN_DNSNAME, name.data(), name.size());
  for (const auto& name : subject.email) add(GNUTLS_SAN_RFC822NAME, name.data(), name.size());
  for (const auto& name : subject.uri) add(GNUTLS_SAN_URI, name.data(), name.size());
  for (const auto& text : subject.ip) {
    std::array<unsigned char, 16> ip{};
    const bool v6 = text.find(':') != std::string::npos;
    if (::inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), ip.data()) != 1) std::abort();
    add(GNUTLS_SAN_IPADDRESS, ip.data(), v6 ? 16 : 4);
  }
}

// An odd number of that many bits.
std::string random_number(unsigned bits) {
  std::string number((bits + 7) / 8, '\0');
  must(gnutls_rnd(GNUTLS_RND_NONCE, number.data(), number.size()));
  const unsigned top = (bits + 7) % 8;  // the place of the highest bit
  const auto below = static_cast<unsigned char>((1U << top) - 1);
  number.front() = static_cast<char>((number.front() & below) | (1U << top));
  number.back() = static_cast<char>(number.back() | 1);
  return number;
}

void set_made_up_key(gnutls_x509_crt_t crt, const Subject& subject) {
  gnutls_pubkey_t raw = nullptr;
  must(gnutls_pubkey_init(&raw));
  const x509::PublicKey key(raw);
  const auto modulus = random_number(subject.modulus), exponent = random_number(subject.exponent);
  const auto m = x509::lend(modulus), e = x509::lend(exponent);
  must(gnutls_pubkey_import_rsa_raw(raw, &m, &e));
  must(gnutls_x509_crt_set_pubkey(crt, raw));
}

void set_key_id(gnutls_x509_crt_t crt) {
  std::array<unsigned char, 64> id{};
  std::size_t size = id.size();
  must(gnutls_x509_crt_get_key_id(crt, 0, id.data(), &size));
  must(gnutls_x509_crt_set_subject_key_id(crt, id.data(), size));
}

}  // namespace

Identity::Identity(const Subject& subject, const Identity* issuer) : key_(new_key(subject)) {
  make(subject, issuer);
}

Identity::Identity(const Subject& subject, const Identity* issuer, const Identity& key_of) {
  gnutls_x509_privkey_t key = nullptr;
  must(gnutls_x509_privkey_init(&key));
  key_.reset(key);
  must(gnutls_x509_privkey_cpy(key, key_of.key()));
  make(subject, issuer);
}

void Identity::make(const Subject& subject, const Identity* issuer) {
  gnutls_x509_crt_t crt = nullptr;
  must(gnutls_x509_crt_init(&crt));
  certificate_.reset(crt);
  const auto now = std::time(nullptr);
  must(gnutls_x509_crt_set_version(crt, 3));
  if (subject.modulus > 0) {
    set_made_up_key(crt, subject);
  } else {
    must(gnutls_x509_crt_set_key(crt, key_.get()));
  }
  must(gnutls_x509_crt_set_activation_time(crt, now + subject.valid_from));
  must(gnutls_x509_crt_set_expiration_time(crt, now + subject.valid_until));
  must(gnutls_x509_crt_set_basic_constraints(crt, subject.is_ca ? 1 : 0, -1));
  const unsigned usual = subject.is_ca ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
                                       : GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT;
  must(gnutls_x509_crt_set_key_usage(crt, subject.key_usage != 0 ? subject.key_usage : usual));
  if (!subject.is_ca && subject.purpose != nullptr) {
    must(gnutls_x509_crt_set_key_purpose_oid(crt, subject.purpose, 0));
  }
  set_random_serial(crt);
  set_names(crt, subject);
  set_key_id(crt);
  if (subject.must_staple) {
    gnutls_x509_tlsfeatures_t features = nullptr;
    must(gnutls_x509_tlsfeatures_init(&features));
    must(gnutls_x509_tlsfeatures_add(features, 5));
    must(gnutls_x509_crt_set_tlsfeatures(crt, features));
    gnutls_x509_tlsfeatures_deinit(features);
  }
  must(gnutls_x509_crt_sign2(crt, issuer != nullptr ? issuer->certificate() : crt,
                             issuer != nullptr ? issuer->key() : key_.get(), subject.digest, 0));
  // Only an imported certificate knows its names in DER, by which issuers are found.
  const auto encoded = der();
  const auto datum = x509::lend(encoded);
  must(gnutls_x509_crt_init(&crt));
  certificate_.reset(crt);
  must(gnutls_x509_crt_import(crt, &datum, GNUTLS_X509_FMT_DER));
}

std::string Identity::pem() const {
  x509::Datum out;
  must(gnutls_x509_crt_export2(certificate(), GNUTLS_X509_FMT_PEM, out.get()));
  return std::string(out.view());
}

std::string Identity::der() const {
  x509::Datum out;
  must(gnutls_x509_crt_export2(certificate(), GNUTLS_X509_FMT_DER, out.get()));
  return std::string(out.view());
}

std::string Identity::key_pem() const {
  x509::Datum out;
  must(gnutls_x509_privkey_export2_pkcs8(key(), GNUTLS_X509_FMT_PEM, nullptr, GNUTLS_PKCS_PLAIN,
                                         out.get()));
  return std::string(out.view());
}

std::string make_crl(const Identity& issuer, const CrlSpec& spec) {
  gnutls_x509_crl_t crl = nullptr;
  must(gnutls_x509_crl_init(&crl));
  const x509::CrlHandle owner(crl);
  const auto now = std::time(nullptr);
  must(gnutls_x509_crl_set_version(crl, 2));
  must(gnutls_x509_crl_set_this_update(crl, now + spec.this_update));
  must(gnutls_x509_crl_set_next_update(crl, now + spec.next_update));
  must(gnutls_x509_crl_set_number(crl, "\x01", 1));
  if (const auto& serial = spec.first_serial; !serial.empty()) {
    must(gnutls_x509_crl_set_crt_serial(crl, serial.data(), serial.size(), now - 3600));
  }
  for (const auto* identity : spec.revoked) {
    must(gnutls_x509_crl_set_crt(crl, identity->certificate(), now - 3600));
  }
  must(gnutls_x509_crl_sign2(crl, issuer.certificate(), issuer.key(), GNUTLS_DIG_SHA256, 0));
  x509::Datum out;
  must(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, out.get()));
  return std::string(out.view());
}

}  // namespace tunnel::test
