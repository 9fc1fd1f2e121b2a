// SPDX-License-Identifier: MIT
#include "preamble/ldap.h"

#include "base/text.h"
#include "preamble/starttls.h"

namespace tunnel::preamble {
namespace {

// LDAPMessage 1: ExtendedRequest with the name of StartTLS and no value (RFC 4511 section 4.14.1).
constexpr std::string_view kStartTls =
    "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
    "1.3.6.1.4.1.1466.20037";

// RFC 4511 section 4.14.
class LdapStarttls final : public LdapQuestion {
 public:
  explicit LdapStarttls(Topic topic)
      : LdapQuestion(std::move(topic), std::string(kStartTls), "StartTLS", 0x78) {}

 private:
  Step on_answer(const LdapResult& result, Bytes behind) override {
    if (result.code != 0) return failed(topic_, "refused StartTLS: " + result.words());
    return go_ahead(topic_, behind);
  }
};

}  // namespace

Step LdapQuestion::on_server(Bytes bytes) {
  received_ += as_text(bytes);
  const BerRead read = read_ber(as_bytes(received_));
  const std::string_view text = received_;
  if (read.status == BerStatus::bad || (!text.empty() && text.front() != '\x30')) {
    return failed(topic_, "did not answer " + name_ + " in LDAP but said \"" + printable(text, 60) +
                              "\"" + looks_like(text));
  }
  // Before waiting for the rest: the length may be anything up to 4 GiB.
  if (read.size > kMaxConversation) {
    return failed(topic_, "answered " + name_ + " with a message of " + std::to_string(read.size) +
                              " bytes; no answer to it is longer than 64 KiB");
  }
  if (read.status == BerStatus::more) return {};
  return on_message(read.element.value, as_bytes(text).subspan(read.element.size));
}

Step LdapQuestion::on_message(Bytes message, Bytes behind) {
  const std::optional<LdapResult> result = parse_ldap_result(message);
  if (!result) {
    return failed(topic_,
                  "answered " + name_ + " with something else: " + printable(as_text(message), 60));
  }
  // Message ID 0 is nobody's answer: the server says that it hangs up (section 4.4.1).
  if (result->message_id == 0) {
    return failed(topic_, "hung up instead of answering " + name_ + ": " + result->words());
  }
  // There has been one question, so anything else is an error of the server's, or was put in
  // between.
  if (result->operation != answer_ || result->message_id != 1) {
    return failed(topic_, "answered another question than " + name_ + ": " + result->words());
  }
  return on_answer(*result, behind);
}

std::unique_ptr<Conversation> ldap_starttls(Topic topic) {
  return std::make_unique<LdapStarttls>(std::move(topic));
}

}  // namespace tunnel::preamble
