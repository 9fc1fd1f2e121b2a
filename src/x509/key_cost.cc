// SPDX-License-Identifier: MIT
#include "x509/key_cost.h"

#include <bit>
#include <cstdint>
#include <optional>

#include "x509/handles.h"

namespace tunnel::x509 {
namespace {

constexpr unsigned char kInteger = 0x02, kBitString = 0x03, kOid = 0x06, kSequence = 0x30;
constexpr unsigned char kVersion = 0xa0;

// The arc of RSA, whatever the padding, and DSA.
constexpr std::string_view kPkcs1 = "\x2a\x86\x48\x86\xf7\x0d\x01\x01";
constexpr std::string_view kDsa = "\x2a\x86\x48\xce\x38\x04\x01";

// Walks through DER, element by element. Keeps to its strictest form: what is odd is for GnuTLS's
// own decoder to judge.
class Der {
 public:
  explicit Der(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool is_next(unsigned char tag) const {
    return !rest_.empty() && static_cast<unsigned char>(rest_.front()) == tag;
  }
  // The content of the next element; from a wrong one on everything is empty and not good.
  std::string_view take(unsigned char tag) {
    const bool is_right = is_next(tag) && rest_.size() >= 2;
    const auto length = is_right ? read_length() : std::nullopt;
    if (!length || *length > rest_.size()) {
      is_good_ = false;
      rest_ = {};
      return {};
    }
    const auto content = rest_.substr(0, *length);
    rest_.remove_prefix(*length);
    return content;
  }
  [[nodiscard]] bool is_good() const { return is_good_; }

 private:
  // Takes the tag and the length off.
  std::optional<std::size_t> read_length() {
    const auto first = static_cast<unsigned char>(rest_[1]);
    rest_.remove_prefix(2);
    if (first < 0x80) return first;
    const std::size_t digits = first & 0x7fU;
    if (digits == 0 || digits > 3 || digits > rest_.size() || rest_.front() == '\0') {
      return std::nullopt;
    }
    std::size_t length = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      length = length << 8 | static_cast<unsigned char>(rest_[i]);
    }
    rest_.remove_prefix(digits);
    if (length < 0x80) return std::nullopt;
    return length;
  }

  std::string_view rest_;
  bool is_good_ = true;
};

std::size_t bits_of(std::string_view number) {
  while (!number.empty() && number.front() == '\0') number.remove_prefix(1);
  if (number.empty()) return 0;
  const auto top = static_cast<unsigned char>(number.front());
  return (number.size() - 1) * 8 + static_cast<std::size_t>(std::bit_width(top));
}

std::string judge_rsa(std::size_t modulus, std::size_t exponent) {
  if (modulus > kMaxRsaBits) return "has a " + std::to_string(modulus) + "-bit RSA key";
  if (exponent > kMaxRsaExponentBits) {
    return "has an RSA key with an exponent of " + std::to_string(exponent) + " bits";
  }
  return {};
}

std::string judge_dsa(std::size_t prime, std::size_t order) {
  if (prime > kMaxDsaBits) return "has a " + std::to_string(prime) + "-bit DSA key";
  if (order > kMaxDsaOrderBits) {
    return "has a DSA key with an exponent of " + std::to_string(order) + " bits";
  }
  return {};
}

// SubjectPublicKeyInfo (RFC 5280 section 4.1). Nothing when it is not in DER.
std::optional<std::string> judge_key(std::string_view content) {
  Der info(content);
  Der algorithm(info.take(kSequence));
  const auto oid = algorithm.take(kOid);
  if (!algorithm.is_good()) return std::nullopt;
  if (oid.starts_with(kPkcs1)) {
    auto bits = info.take(kBitString);
    if (bits.empty() || bits.front() != '\0') return std::nullopt;  // no unused bits
    bits.remove_prefix(1);
    Der key(Der(bits).take(kSequence));
    const auto modulus = bits_of(key.take(kInteger)), exponent = bits_of(key.take(kInteger));
    if (!key.is_good()) return std::nullopt;
    return judge_rsa(modulus, exponent);
  }
  // Inherited parameters are its issuer's, which has been looked at, too.
  if (oid == kDsa && algorithm.is_next(kSequence)) {
    Der parameters(algorithm.take(kSequence));
    const auto prime = bits_of(parameters.take(kInteger));
    const auto order = bits_of(parameters.take(kInteger));
    if (!parameters.is_good()) return std::nullopt;
    return judge_dsa(prime, order);
  }
  // What else GnuTLS knows are keys on curves, whose sizes are fixed.
  return std::string();
}

// TBSCertificate (RFC 5280 section 4.1), up to the key and no further.
std::optional<std::string> judge_der(std::string_view certificate) {
  Der whole(Der(certificate).take(kSequence));
  Der parts(whole.take(kSequence));
  if (parts.is_next(kVersion)) (void)parts.take(kVersion);
  (void)parts.take(kInteger);                               // serial number
  for (int i = 0; i < 4; ++i) (void)parts.take(kSequence);  // signature, issuer, dates, subject
  const auto key = parts.take(kSequence);
  if (!parts.is_good()) return std::nullopt;
  return judge_key(key);
}

// For what is not strict DER: GnuTLS's decoder takes some of that, and would compute with the key
// in it.
std::string judge_imported(std::string_view certificate) {
  gnutls_x509_crt_t raw = nullptr;
  gnutls_pubkey_t raw_key = nullptr;
  if (gnutls_x509_crt_init(&raw) < 0) return {};
  const Certificate owner(raw);
  const auto der = lend(certificate);
  if (gnutls_x509_crt_import(raw, &der, GNUTLS_X509_FMT_DER) < 0) return {};
  if (gnutls_pubkey_init(&raw_key) < 0) return {};
  const PublicKey key(raw_key);
  if (gnutls_pubkey_import_x509(raw_key, raw, 0) < 0) return {};
  Datum a, b, c, d;
  if (gnutls_pubkey_export_rsa_raw2(raw_key, a.get(), b.get(), 0) == 0) {
    return judge_rsa(bits_of(a.view()), bits_of(b.view()));
  }
  if (gnutls_pubkey_export_dsa_raw2(raw_key, a.get(), b.get(), c.get(), d.get(), 0) == 0) {
    return judge_dsa(bits_of(a.view()), bits_of(b.view()));
  }
  return {};
}

}  // namespace

// Each handshake asks this of each certificate: the walk costs nothing, an import 20 microseconds.
std::string costly_key(std::string_view certificate) {
  if (auto verdict = judge_der(certificate)) return *std::move(verdict);
  return judge_imported(certificate);
}

}  // namespace tunnel::x509
