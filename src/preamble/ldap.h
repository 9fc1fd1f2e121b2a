// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "preamble/ber.h"
#include "preamble/talk.h"

namespace tunnel::preamble {

// One question to an LDAP server and its one answer (RFC 4511), however it is cut and encoded;
// Active Directory, for one, writes every length in the four-byte form. Base of StartTLS and of the
// anonymous bind.
class LdapQuestion : public Conversation {
 public:
  Step on_start() final { return send(question_); }
  Step on_server(Bytes bytes) final;
  Step on_server_end(End end) final { return ended(topic_, end, *this); }
  [[nodiscard]] std::string waiting_for() const final { return "its answer to " + name_; }

 protected:
  // `question` is a whole LDAPMessage with ID 1, `name` what people call it, `answer` the tag of
  // the operation that answers it.
  LdapQuestion(Topic topic, std::string question, std::string name, std::uint8_t answer)
      : topic_(std::move(topic)),
        question_(std::move(question)),
        name_(std::move(name)),
        answer_(answer) {}

  virtual Step on_answer(const LdapResult& result, Bytes behind) = 0;

  const Topic topic_;

 private:
  Step on_message(Bytes message, Bytes behind);

  const std::string question_;
  const std::string name_;
  const std::uint8_t answer_;
  std::string received_;
};

}  // namespace tunnel::preamble
