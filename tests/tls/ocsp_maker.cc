// SPDX-License-Identifier: MIT
#include "ocsp_maker.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace tunnel::tls::test {
namespace {

void must(int result) {
  if (result < 0) {
    std::fprintf(stderr, "making an OCSP response failed: %s\n", gnutls_strerror(result));
    std::abort();
  }
}

// One DER element: tag, length, content.
std::string der(int tag, std::string_view content) {
  std::string out(1, static_cast<char>(tag));
  const auto size = content.size();
  if (size < 128) {
    out += static_cast<char>(size);
  } else if (size < 256) {
    out += '\x81';
    out += static_cast<char>(size);
  } else {
    out += '\x82';
    out += static_cast<char>(size >> 8);
    out += static_cast<char>(size & 255);
  }
  return out.append(content);
}

constexpr int kInteger = 0x02, kBitString = 0x03, kOctetString = 0x04, kOid = 0x06,
              kEnumerated = 0x0a, kGeneralizedTime = 0x18, kSequence = 0x30, kExplicit0 = 0xa0,
              kExplicit1 = 0xa1;

constexpr std::string_view kSha1("\x2b\x0e\x03\x02\x1a", 5);
constexpr std::string_view kEcdsaWithSha256("\x2a\x86\x48\xce\x3d\x04\x03\x02", 8);
constexpr std::string_view kBasicResponse("\x2b\x06\x01\x05\x05\x07\x30\x01\x01", 9);

std::string time(std::time_t relative) {
  const std::time_t when = std::time(nullptr) + relative;
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  std::array<char, 32> text{};
  const auto size = std::strftime(text.data(), text.size(), "%Y%m%d%H%M%SZ", &parts);
  return der(kGeneralizedTime, {text.data(), size});
}

std::string sha1(std::string_view data) {
  std::string digest(20, '\0');
  must(gnutls_hash_fast(GNUTLS_DIG_SHA1, data.data(), data.size(), digest.data()));
  return digest;
}

std::string raw_dn(const Identity& identity) {
  x509::Datum dn;
  must(gnutls_x509_crt_get_raw_dn(identity.certificate(), dn.get()));
  return std::string(dn.view());
}

// The point of a P-256 key: what SubjectPublicKeyInfo ends with.
std::string public_point(const Identity& identity) {
  gnutls_pubkey_t key = nullptr;
  must(gnutls_pubkey_init(&key));
  must(gnutls_pubkey_import_x509(key, identity.certificate(), 0));
  x509::Datum spki;
  must(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, spki.get()));
  gnutls_pubkey_deinit(key);
  return std::string(spki.view().substr(spki.view().size() - 65));
}

std::string serial(const Identity& identity) {
  std::array<char, 64> number{};
  std::size_t size = number.size();
  must(gnutls_x509_crt_get_serial(identity.certificate(), number.data(), &size));
  return {number.data(), size};
}

std::string sign(const Identity& signer, const std::string& data) {
  gnutls_privkey_t key = nullptr;
  must(gnutls_privkey_init(&key));
  must(gnutls_privkey_import_x509(key, signer.key(), 0));
  const auto input = x509::lend(data);
  x509::Datum signature;
  must(gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &input, signature.get()));
  gnutls_privkey_deinit(key);
  return std::string(signature.view());
}

std::string status(const OcspAnswer& answer) {
  switch (answer.status) {
    case OcspAnswer::Status::good:
      return der(0x80, "");
    case OcspAnswer::Status::revoked:
      return der(kExplicit1, time(-7200));
    case OcspAnswer::Status::unknown:
      break;
  }
  return der(0x82, "");
}

std::string response(char response_status, const std::string& bytes) {
  return der(kSequence, der(kEnumerated, std::string(1, response_status)) + bytes);
}

}  // namespace

std::string make_ocsp_response(const Identity& leaf, const Identity& issuer, const Identity& signer,
                               const OcspAnswer& answer) {
  const auto certificate_id = der(
      kSequence, der(kSequence, der(kOid, kSha1) + std::string("\x05\x00", 2)) +
                     der(kOctetString, sha1(raw_dn(issuer))) +
                     der(kOctetString, sha1(public_point(issuer))) + der(kInteger, serial(leaf)));
  auto single = certificate_id + status(answer) + time(answer.this_update);
  if (answer.next_update != 0) single += der(kExplicit0, time(answer.next_update));
  const auto data = der(kSequence, der(kExplicit1, raw_dn(signer)) + time(answer.this_update) +
                                       der(kSequence, der(kSequence, single)));
  const auto basic = der(kSequence, data + der(kSequence, der(kOid, kEcdsaWithSha256)) +
                                        der(kBitString, '\0' + sign(signer, data)));
  return response(
      0, der(kExplicit0, der(kSequence, der(kOid, kBasicResponse) + der(kOctetString, basic))));
}

std::string make_ocsp_try_later() { return response(3, {}); }

}  // namespace tunnel::tls::test
