// SPDX-License-Identifier: MIT
// STARTTLS of the protocols whose replies begin with three digits: SMTP (RFC 3207), LMTP (the same
// with LHLO, RFC 2033), NNTP (RFC 4642) and FTP (RFC 4217). They differ in a few words only.
#include <utility>

#include "base/text.h"
#include "preamble/reply.h"
#include "preamble/starttls.h"

namespace tunnel::preamble {
namespace {

struct Dialect {
  std::string_view protocol;  // for sentences
  Reply::Form form;
  int greeting[2];         // codes of a greeting that welcomes us
  int preliminary;         // a reply before the greeting that only asks for patience, or 0
  std::string_view hello;  // asked for a list of keywords first, or ""
  std::string_view command;
  int agreed;
};

// NNTP and FTP are not asked for a list first: the answer to the command says as well whether the
// server has TLS. 200 and 201 differ in whether posting is allowed (RFC 3977 section 5.1); 120
// means "ready in nnn minutes" (RFC 959).
constexpr Dialect kSmtp = {"SMTP", Reply::Form::coded, {220, 220}, 0, "EHLO", "STARTTLS", 220};
constexpr Dialect kLmtp = {"LMTP", Reply::Form::coded, {220, 220}, 0, "LHLO", "STARTTLS", 220};
constexpr Dialect kNntp = {"NNTP", Reply::Form::single, {200, 201}, 0, "", "STARTTLS", 382};
constexpr Dialect kFtp = {"FTP", Reply::Form::framed, {220, 220}, 120, "", "AUTH TLS", 234};

// Greeting, then (SMTP, LMTP) the question for extensions and its answer, then the command and its
// answer. The greeting is kept until TLS is up and only then goes to the application; the list of
// extensions does not, for after TLS the application asks for its own (RFC 3207 section 4.2).
class CodedStarttls final : public LineConversation {
 public:
  CodedStarttls(Topic topic, const Dialect& dialect, std::string helo)
      : LineConversation(std::move(topic)),
        dialect_(dialect),
        helo_(std::move(helo)),
        reply_(dialect.form) {}

  Step on_start() override { return {}; }

  [[nodiscard]] std::string waiting_for() const override {
    switch (state_) {
      case State::greeting:
        return "its " + std::string(dialect_.protocol) +
               " greeting (a port that speaks TLS from the start is silent here: then remove "
               "starttls)";
      case State::hello:
        return "its answer to " + std::string(dialect_.hello);
      case State::command:
        break;
    }
    return "its answer to " + std::string(dialect_.command);
  }

 private:
  enum class State { greeting, hello, command };

  Step on_line(const Lines::Line& line) override {
    switch (reply_.add(line)) {
      case Reply::Took::more:
        return {};
      case Reply::Took::malformed:
        return malformed(line.text);
      case Reply::Took::complete:
        break;
    }
    Step step = on_reply();
    reply_.clear();
    return step;
  }

  [[nodiscard]] Step malformed(std::string_view text) const {
    const std::string said = "said \"" + printable(text) + "\"";
    if (!reply_.is_begun()) {
      return fail(said + looks_like(text) + ", where we were waiting for " + waiting_for());
    }
    return fail(said + " inside a reply that began with " + std::to_string(reply_.code()) +
                "; it may have been inserted on the way, so it is refused");
  }

  Step on_reply() {
    switch (state_) {
      case State::greeting:
        return on_greeting();
      case State::hello:
        // Without a fallback to HELO, whose answer lists no extensions and so cannot offer
        // STARTTLS.
        if (reply_.code() != 250) {
          return fail("refused " + std::string(dialect_.hello) + ": " + reply_.words());
        }
        if (!reply_.has_keyword("STARTTLS")) return fail("does not offer STARTTLS");
        return command();
      case State::command:
        break;
    }
    if (reply_.code() != dialect_.agreed) {
      return fail("refused " + std::string(dialect_.command) + ": " + reply_.words());
    }
    return agree(std::move(greeting_));
  }

  Step on_greeting() {
    const int code = reply_.code();
    const bool is_preliminary = code == dialect_.preliminary;
    if (!is_preliminary && code != dialect_.greeting[0] && code != dialect_.greeting[1]) {
      return fail("greeted us with a refusal: " + reply_.words());
    }
    // Not shown: we waited in the application's place, and to many an application that reply would
    // be the greeting, and the real one the answer to its first command.
    if (is_preliminary) return {};
    greeting_ = reply_.lines();
    if (dialect_.hello.empty()) return command();
    state_ = State::hello;
    return send(std::string(dialect_.hello) + " " + helo_ + "\r\n");
  }

  Step command() {
    state_ = State::command;
    return send(std::string(dialect_.command) + "\r\n");
  }

  const Dialect& dialect_;
  const std::string helo_;
  State state_ = State::greeting;
  Reply reply_;
  std::string greeting_;
};

}  // namespace

std::unique_ptr<Conversation> smtp_starttls(Topic topic, std::string helo) {
  return std::make_unique<CodedStarttls>(std::move(topic), kSmtp, std::move(helo));
}

std::unique_ptr<Conversation> lmtp_starttls(Topic topic, std::string helo) {
  return std::make_unique<CodedStarttls>(std::move(topic), kLmtp, std::move(helo));
}

std::unique_ptr<Conversation> nntp_starttls(Topic topic) {
  return std::make_unique<CodedStarttls>(std::move(topic), kNntp, "");
}

std::unique_ptr<Conversation> ftp_starttls(Topic topic) {
  return std::make_unique<CodedStarttls>(std::move(topic), kFtp, "");
}

}  // namespace tunnel::preamble
