// SPDX-License-Identifier: MIT
// SMTP AUTH (RFC 4954) on the client's behalf, for applications that cannot: PLAIN (RFC 4616) and
// LOGIN. Runs inside TLS, in the relay, after the client was greeted; what the client says
// meanwhile waits here.
#include <utility>

#include "base/encoding.h"
#include "base/text.h"
#include "preamble/reply.h"
#include "preamble/starttls.h"

namespace tunnel::preamble {
namespace {

using Method = config::SmtpLogin::Method;

// Our EHLO, AUTH and its verdict; then the client is let through and says its own EHLO, which is
// allowed at any time (RFC 5321 section 4.1.4).
class SmtpLoginFilter final : public LineConversation {
 public:
  SmtpLoginFilter(Topic topic, std::string helo, config::SmtpLogin login)
      : LineConversation(std::move(topic)), helo_(std::move(helo)), login_(std::move(login)) {}

  Step on_start() override { return send("EHLO " + helo_ + "\r\n"); }

  Step on_client(Bytes bytes) override {
    held_ += as_text(bytes);
    // The greeting has been shown, so the client may be talking already.
    if (held_.size() <= kMaxConversation) return {};
    Step step = fail("is still busy with our login, and the client has sent more than 64 KiB");
    step.failure.is_local = true;
    return step;
  }

  [[nodiscard]] std::string waiting_for() const override { return "its answer to our SMTP login"; }

 private:
  enum class State { hello, user, password, verdict };

  Step on_line(const Lines::Line& line) override {
    switch (reply_.add(line)) {
      case Reply::Took::more:
        return {};
      case Reply::Took::malformed:
        return fail("said \"" + printable(line.text) + "\" where we were waiting for " +
                    waiting_for());
      case Reply::Took::complete:
        break;
    }
    return on_reply(std::exchange(reply_, Reply(Reply::Form::coded)));
  }

  Step on_reply(const Reply& reply) {
    switch (state_) {
      case State::hello:
        return begin();  // whatever it says to EHLO: the login tells whether it works
      case State::user:
        // The prompts are base64 of "Username:" and "Password:", or what the server likes; the
        // order is always this one.
        if (reply.code() != 334) return refused(reply);
        state_ = State::password;
        return send(base64(login_.user) + "\r\n");
      case State::password:
        if (reply.code() != 334) return refused(reply);
        state_ = State::verdict;
        return send(base64(login_.password) + "\r\n");
      case State::verdict:
        break;
    }
    if (reply.code() != 235) return refused(reply);
    Step step = finish(std::exchange(held_, {}));
    // The relay goes on from here and knows of no surplus: what the server said behind its verdict
    // is the client's.
    step.to_client = std::exchange(step.surplus, {});
    return step;
  }

  Step begin() {
    if (login_.method == Method::login) {
      state_ = State::user;
      return send("AUTH LOGIN\r\n");
    }
    state_ = State::verdict;
    std::string secret;
    secret += '\0';
    secret += login_.user;
    secret += '\0';
    secret += login_.password;
    return send("AUTH PLAIN " + base64(secret) + "\r\n");
  }

  [[nodiscard]] Step refused(const Reply& reply) const {
    Step step = fail("refused our SMTP login: " + reply.words());
    step.failure.is_local = true;
    return step;
  }

  const std::string helo_;
  const config::SmtpLogin login_;
  State state_ = State::hello;
  Reply reply_{Reply::Form::coded};
  std::string held_;  // the client's
};

}  // namespace

std::unique_ptr<Conversation> smtp_login(Topic topic, std::string helo, config::SmtpLogin login) {
  return std::make_unique<SmtpLoginFilter>(std::move(topic), std::move(helo), std::move(login));
}

}  // namespace tunnel::preamble
