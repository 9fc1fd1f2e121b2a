// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tunnel::preamble {

// One element of BER (X.690) with definite length, short or long form; all that LDAP uses.
struct Ber {
  std::uint8_t tag = 0;
  Bytes value;
  std::size_t size = 0;  // of the whole element
};

enum class BerStatus : std::uint8_t { ok, more, bad };

struct BerRead {
  BerStatus status = BerStatus::more;
  Ber element;           // with ok
  std::size_t size = 0;  // with more: of the whole element, as far as known
};

// The element at the beginning of `bytes`. `bad`: an indefinite length, one of more than four
// bytes, or a tag number above 30.
[[nodiscard]] BerRead read_ber(Bytes bytes);

// What an LDAP server answered: an ExtendedResponse or a BindResponse (RFC 4511 section 4.1.9).
struct LdapResult {
  std::uint8_t operation = 0;  // 0x78 extended, 0x61 bind
  std::uint32_t message_id = 0;
  std::uint32_t code = 0;
  std::string diagnostic;  // printable
  // "52 unavailable (the server is shutting down)"
  [[nodiscard]] std::string words() const;
};

// The content of an LDAPMessage; nullopt when it is none, or none of these two operations.
[[nodiscard]] std::optional<LdapResult> parse_ldap_result(Bytes message);

// "busy", "unavailable" ..., or "" for a code without a name.
[[nodiscard]] std::string_view ldap_code_name(std::uint32_t code);

}  // namespace tunnel::preamble
