// SPDX-License-Identifier: MIT
// The checks of protocols in lines. All have one shape: a greeting (unless STARTTLS had it), maybe
// a question, a goodbye.
#include <utility>

#include "base/text.h"
#include "preamble/checks.h"
#include "preamble/reply.h"

namespace tunnel::preamble {
namespace {

enum class State { greeting, question, goodbye };

class LineCheck : public LineConversation {
 public:
  [[nodiscard]] std::string waiting_for() const final {
    switch (state_) {
      case State::greeting:
        return "its greeting";
      case State::question:
        return "its answer to " + asked_;
      case State::goodbye:
        break;
    }
    return "its answer to our goodbye";
  }

  // Once it has answered something it may hang up on our goodbye as it likes. After STARTTLS, POP3
  // and IMAP are asked nothing but the goodbye: a server that hangs up on that has said nothing
  // inside TLS, and is not well.
  Step on_server_end(End end) override {
    if (state_ == State::goodbye && has_answered_) return done();
    return LineConversation::on_server_end(end);
  }

 protected:
  LineCheck(Topic topic, State state) : LineConversation(std::move(topic)), state_(state) {}

  [[nodiscard]] State state() const { return state_; }
  Step ask(std::string asked, std::string bytes) {
    asked_ = std::move(asked);
    state_ = State::question;
    return send(std::move(bytes));
  }
  Step say_goodbye(std::string bytes) {
    state_ = State::goodbye;
    return send(std::move(bytes));
  }
  void has_answered() { has_answered_ = true; }
  [[nodiscard]] Step unwell(std::string_view line, std::string goodbye = {}) const {
    Step step = fail("said \"" + printable(line) + "\"" + looks_like(line) +
                     " where the check was waiting for " + waiting_for());
    step.to_server = std::move(goodbye);
    return step;
  }

 private:
  State state_;
  std::string asked_;
  bool has_answered_ = false;
};

constexpr std::string_view kQuit = "QUIT\r\n";

class SmtpCheck final : public LineCheck {
 public:
  SmtpCheck(Topic topic, Channel channel, std::string hello, std::string helo)
      : LineCheck(std::move(topic), State::greeting),
        channel_(channel),
        hello_(std::move(hello)),
        helo_(std::move(helo)) {}

  Step on_start() override { return channel_ == Channel::fresh ? Step{} : say_hello(); }

 private:
  // Also after STARTTLS, where the session begins anew and without a greeting (RFC 3207 section
  // 4.2).
  Step say_hello() { return ask(hello_, hello_ + " " + helo_ + "\r\n"); }

  Step on_line(const Lines::Line& line) override {
    switch (reply_.add(line)) {
      case Reply::Took::more:
        return {};
      case Reply::Took::malformed:
        return unwell(line.text);
      case Reply::Took::complete:
        break;
    }
    const Reply reply = std::exchange(reply_, Reply(Reply::Form::coded));
    // Any reply to QUIT will do: the questions that count have been answered.
    if (state() == State::goodbye) return finish();
    if (reply.code() / 100 != 2) return unwell(reply.words(), std::string(kQuit));
    has_answered();
    return state() == State::greeting ? say_hello() : say_goodbye(std::string(kQuit));
  }

  const Channel channel_;
  const std::string hello_;
  const std::string helo_;
  Reply reply_{Reply::Form::coded};
};

class Pop3Check final : public LineCheck {
 public:
  Pop3Check(Topic topic, Channel channel)
      : LineCheck(std::move(topic), State::greeting), channel_(channel) {}

  Step on_start() override {
    return channel_ == Channel::fresh ? Step{} : say_goodbye(std::string(kQuit));
  }

 private:
  Step on_line(const Lines::Line& line) override {
    if (!starts_ignoring_case(line.text, "+OK")) return unwell(line.text);
    if (state() == State::goodbye) return finish();
    has_answered();
    return say_goodbye(std::string(kQuit));
  }

  const Channel channel_;
};

class ImapCheck final : public LineCheck {
 public:
  ImapCheck(Topic topic, Channel channel)
      : LineCheck(std::move(topic), State::greeting), channel_(channel) {}

  Step on_start() override {
    return channel_ == Channel::fresh ? Step{} : say_goodbye(std::string(kLogout));
  }

 private:
  static constexpr std::string_view kLogout = "tunnel1 LOGOUT\r\n";

  Step on_line(const Lines::Line& line) override {
    if (state() == State::goodbye) {
      // BYE alone is not an answer after STARTTLS: a server that has no room for us says it as
      // well.
      if (line.text.starts_with("* ")) return {};
      return starts_ignoring_case(line.text, "tunnel1 OK") ? finish() : unwell(line.text);
    }
    if (!starts_ignoring_case(line.text, "* OK") && !starts_ignoring_case(line.text, "* PREAUTH")) {
      return unwell(line.text);
    }
    has_answered();
    return say_goodbye(std::string(kLogout));
  }

  const Channel channel_;
};

class RedisCheck final : public LineCheck {
 public:
  explicit RedisCheck(Topic topic) : LineCheck(std::move(topic), State::question) {}

  Step on_start() override { return ask("PING", "*1\r\n$4\r\nPING\r\n"); }

 private:
  static constexpr std::string_view kQuitCommand = "*1\r\n$4\r\nQUIT\r\n";

  Step on_line(const Lines::Line& line) override {
    if (state() == State::goodbye) return finish();
    // "Who are you?" is the answer of a server at work; LOADING, MASTERDOWN and the like are not.
    // The last of the four is how old servers said NOAUTH.
    const bool is_well = line.text == "+PONG" || line.text.starts_with("-NOAUTH ") ||
                         line.text.starts_with("-NOPERM ") ||
                         line.text.starts_with("-ERR operation not permitted");
    if (!is_well) return unwell(line.text, std::string(kQuitCommand));
    has_answered();
    return say_goodbye(std::string(kQuitCommand));
  }
};

}  // namespace

std::unique_ptr<Conversation> smtp_check(Topic topic, Channel channel, std::string hello,
                                         std::string helo) {
  return std::make_unique<SmtpCheck>(std::move(topic), channel, std::move(hello), std::move(helo));
}

std::unique_ptr<Conversation> imap_check(Topic topic, Channel channel) {
  return std::make_unique<ImapCheck>(std::move(topic), channel);
}

std::unique_ptr<Conversation> pop3_check(Topic topic, Channel channel) {
  return std::make_unique<Pop3Check>(std::move(topic), channel);
}

std::unique_ptr<Conversation> redis_check(Topic topic) {
  return std::make_unique<RedisCheck>(std::move(topic));
}

}  // namespace tunnel::preamble
