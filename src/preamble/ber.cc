// SPDX-License-Identifier: MIT
#include "preamble/ber.h"

#include <array>

#include "base/text.h"

namespace tunnel::preamble {
namespace {

std::uint8_t byte_at(Bytes bytes, std::size_t index) {
  return std::to_integer<std::uint8_t>(bytes[index]);
}

// Tags: the universal ones, and [APPLICATION 1] and [APPLICATION 24], both constructed, of RFC 4511
// sections 4.2.2 and 4.12.
constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kOctets = 0x04;
constexpr std::uint8_t kEnumerated = 0x0a;
constexpr std::uint8_t kBindResponse = 0x61;
constexpr std::uint8_t kExtendedResponse = 0x78;

// Takes elements off the front of a constructed value.
class Reader {
 public:
  explicit Reader(Bytes bytes) : rest_(bytes) {}

  std::optional<Ber> take(std::uint8_t tag) {
    const BerRead read = read_ber(rest_);
    if (read.status != BerStatus::ok || read.element.tag != tag) return std::nullopt;
    rest_ = rest_.subspan(read.element.size);
    return read.element;
  }

  std::optional<std::uint32_t> take_number(std::uint8_t tag) {
    const std::optional<Ber> element = take(tag);
    // Four octets hold all that is allowed; a fifth may be a leading zero of a careless encoder.
    // The bound keeps the sum below within 64 bits.
    if (!element || element->value.empty() || element->value.size() > 5) return std::nullopt;
    std::uint64_t number = 0;
    for (const std::byte byte : element->value) {
      number = number << 8 | std::to_integer<std::uint8_t>(byte);
    }
    if (number > 0x7fffffff) return std::nullopt;  // RFC 4511: 0 .. 2^31 - 1
    return static_cast<std::uint32_t>(number);
  }

  [[nodiscard]] Bytes rest() const { return rest_; }

 private:
  Bytes rest_;
};

struct CodeName {
  std::uint32_t code;
  std::string_view name;
};

// RFC 4511 section 4.1.9: those that a server may give to StartTLS or to an anonymous bind.
constexpr std::array<CodeName, 19> kCodes = {{
    {0, "success"},
    {1, "operationsError"},
    {2, "protocolError"},
    {3, "timeLimitExceeded"},
    {7, "authMethodNotSupported"},
    {8, "strongerAuthRequired"},
    {10, "referral"},
    {11, "adminLimitExceeded"},
    {12, "unavailableCriticalExtension"},
    {13, "confidentialityRequired"},
    {14, "saslBindInProgress"},
    {32, "noSuchObject"},
    {48, "inappropriateAuthentication"},
    {49, "invalidCredentials"},
    {50, "insufficientAccessRights"},
    {51, "busy"},
    {52, "unavailable"},
    {53, "unwillingToPerform"},
    {80, "other"},
}};

}  // namespace

BerRead read_ber(Bytes bytes) {
  // Decides as early as the bytes allow: what is not BER is refused at its first octet instead of
  // by a timeout, and `size` is known from the header on, so that the caller need not collect an
  // element before it finds it too long.
  BerRead read;
  if (bytes.empty()) return read;
  read.element.tag = byte_at(bytes, 0);
  if ((read.element.tag & 0x1f) == 0x1f) return {.status = BerStatus::bad, .element = {}};
  if (bytes.size() < 2) return read;
  std::size_t length = byte_at(bytes, 1);
  std::size_t header = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7f;
    if (count == 0 || count > 4) return {.status = BerStatus::bad, .element = {}};
    header += count;
    if (bytes.size() < header) return read;
    length = 0;
    for (std::size_t i = 2; i < header; ++i) length = length << 8 | byte_at(bytes, i);
  }
  read.size = header + length;
  if (bytes.size() < read.size) return read;
  read.status = BerStatus::ok;
  read.element.value = bytes.subspan(header, length);
  read.element.size = read.size;
  return read;
}

std::optional<LdapResult> parse_ldap_result(Bytes message) {
  LdapResult result;
  Reader outer(message);
  const auto id = outer.take_number(kInteger);
  if (!id || outer.rest().empty()) return std::nullopt;
  result.message_id = *id;
  result.operation = byte_at(outer.rest(), 0);
  if (result.operation != kBindResponse && result.operation != kExtendedResponse) {
    return std::nullopt;
  }
  const std::optional<Ber> operation = outer.take(result.operation);
  if (!operation) return std::nullopt;
  Reader inner(operation->value);
  const auto code = inner.take_number(kEnumerated);
  if (!code) return std::nullopt;
  result.code = *code;
  // matchedDN, which says nothing here, then diagnosticMessage. Some servers leave out the two
  // strings; the code is what counts.
  if (inner.take(kOctets)) {
    if (const auto text = inner.take(kOctets)) result.diagnostic = printable(as_text(text->value));
  }
  return result;
}

std::string_view ldap_code_name(std::uint32_t code) {
  for (const CodeName& known : kCodes) {
    if (known.code == code) return known.name;
  }
  return {};
}

std::string LdapResult::words() const {
  std::string text = std::to_string(code);
  if (const std::string_view name = ldap_code_name(code); !name.empty()) {
    text += " " + std::string(name);
  }
  if (!diagnostic.empty()) text += " (" + diagnostic + ")";
  return text;
}

}  // namespace tunnel::preamble
