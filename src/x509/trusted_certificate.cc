// SPDX-License-Identifier: MIT
#include "x509/trusted_certificate.h"

#include <cstddef>

namespace tunnel::x509 {
namespace {

constexpr unsigned char kSequence = 0x30;
constexpr unsigned char kRejected = 0xA0;  // [0] IMPLICIT
constexpr unsigned char kObjectId = 0x06;

constexpr std::string_view kServerAuth("\x2B\x06\x01\x05\x05\x07\x03\x01", 8);  // 1.3.6.1.5.5.7.3.1
constexpr std::string_view kAnyUsage("\x55\x1D\x25\x00", 4);                    // 2.5.29.37.0

// Reads DER from the front.
class DerReader {
 public:
  explicit DerReader(std::string_view rest) : rest_(rest) {}

  struct Element {
    unsigned char tag;
    std::string_view content;
    std::string_view whole;
  };
  // Nothing at the end, and where the rest is no DER.
  std::optional<Element> next() {
    if (rest_.size() < 2) return std::nullopt;
    std::size_t length = byte(1);
    std::size_t head = 2;
    if (length > 0x80) {
      const std::size_t digits = length - 0x80;
      if (digits > 4 || rest_.size() < 2 + digits) return std::nullopt;
      length = 0;
      for (; head < 2 + digits; ++head) length = length << 8 | byte(head);
    } else if (length == 0x80) {
      return std::nullopt;
    }
    if (length > rest_.size() - head) return std::nullopt;
    const Element element{static_cast<unsigned char>(rest_[0]), rest_.substr(head, length),
                          rest_.substr(0, head + length)};
    rest_.remove_prefix(head + length);
    return element;
  }
  [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

 private:
  [[nodiscard]] std::size_t byte(std::size_t at) const {
    return static_cast<unsigned char>(rest_[at]);
  }

  std::string_view rest_;
};

bool has_server_usage(std::string_view list) {
  DerReader reader(list);
  while (const auto usage = reader.next()) {
    if (usage->tag == kObjectId && (usage->content == kServerAuth || usage->content == kAnyUsage)) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<TrustedCertificate> split_trusted(std::string_view content) {
  DerReader reader(content);
  const auto certificate = reader.next();
  if (!certificate || certificate->tag != kSequence) return std::nullopt;
  TrustedCertificate result{.der = certificate->whole};
  if (reader.is_at_end()) return result;
  const auto settings = reader.next();
  if (!settings || settings->tag != kSequence || !reader.is_at_end()) return std::nullopt;
  // OpenSSL's X509_CERT_AUX: trust, reject [0], alias, key id, other [1], each of them optional. As
  // there, a list of what it is trusted for leaves out the rest, and a rejection goes before.
  bool is_rejected = false;
  DerReader parts(settings->content);
  while (const auto part = parts.next()) {
    if (part->tag == kSequence) result.is_for_servers = has_server_usage(part->content);
    if (part->tag == kRejected) is_rejected = has_server_usage(part->content);
  }
  result.is_for_servers = result.is_for_servers && !is_rejected;
  return result;
}

}  // namespace tunnel::x509
