// SPDX-License-Identifier: MIT
// The checks of PostgreSQL: with the name of a user a real start-up, without one the only question
// that a server answers without a line in its log.
#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "preamble/checks.h"
#include "preamble/pgsql_message.h"

namespace tunnel::preamble {
namespace {

[[nodiscard]] Step no_pgsql(const Topic& topic, std::string_view said) {
  return failed(topic, "did not answer like PostgreSQL but said \"" + printable(said, 120) + "\"" +
                           looks_like(said));
}

// A login would leave a line in the server's log for each check, and SSLRequest one for the TLS
// that never came. GSSENCRequest is answered by every server since version 12 (and by pgbouncer),
// and hanging up behind it is not worth a line to any of them. After STARTTLS the server has
// answered SSLRequest, which says the same.
class PgsqlQuestion final : public Conversation {
 public:
  PgsqlQuestion(Topic topic, Channel channel)
      : topic_(std::move(topic)), has_answered_(channel == Channel::after_starttls) {}

  Step on_start() override {
    return has_answered_ ? done() : send(std::string{"\0\0\0\x08\x04\xd2\x16\x30", 8});
  }

  Step on_server(Bytes bytes) override {
    if (bytes.empty()) return {};
    const std::string_view said = as_text(bytes);
    if (said.front() == 'N' || said.front() == 'G') return done();
    return no_pgsql(topic_, said);
  }

  Step on_server_end(End end) override { return ended(topic_, end, *this); }
  [[nodiscard]] std::string waiting_for() const override { return "its answer to GSSENCRequest"; }

 private:
  const Topic topic_;
  const bool has_answered_;
};

// Whether the server turns everybody away. Any other error is about this user, this database or
// where we come from: the server is at work.
bool is_refusal_of_all(std::string_view code) {
  constexpr std::array<std::string_view, 5> kClasses = {
      "08",  // no connection; all that pgbouncer says when it has no room or no server
      "53",  // out of connections (53300), memory, disk
      "57",  // starting up, recovering, shutting down (57P03, 57P01, 57P02)
      "58",  // its files cannot be read
      "XX",  // broken
  };
  return std::any_of(kClasses.begin(), kClasses.end(),
                     [code](std::string_view known) { return code.starts_with(known); });
}

// A start-up up to the point where the server either serves the user, whom it then hears say
// goodbye, or asks for a password: a caller that hangs up there is not worth a line in its log
// either, for that is what psql does while it asks its user.
class PgsqlStartup final : public Conversation {
 public:
  PgsqlStartup(Topic topic, CheckLogin login)
      : topic_(std::move(topic)), login_(std::move(login)) {}

  Step on_start() override {
    // Like the requests for encryption, this message has no type in front. Its version has the
    // major number in the upper half.
    std::string message = pgsql_integer(kProtocol3);
    add(message, "user", login_.user);
    if (!login_.database.empty()) add(message, "database", login_.database);
    add(message, "application_name", "tunnel check");
    message += '\0';
    return send(pgsql_integer(message.size() + 4) + message);
  }

  Step on_server(Bytes bytes) override {
    server_.append(bytes);
    received_ += bytes.size();
    // Each message is bounded, but their number is not.
    if (received_ > kMaxConversation) return failed(topic_, "sent more than 64 KiB to a login");
    Step step;
    while (step.status == Status::again) {
      const PgsqlCollector::Next next = server_.next();
      if (next.status == PgsqlCollector::Status::more) break;
      if (next.status == PgsqlCollector::Status::bad) return no_pgsql(topic_, server_.rest());
      append(step, on_message(next.message));
    }
    return step;
  }

  Step on_server_end(End end) override {
    if (server_.rest().empty()) return ended(topic_, end, *this);
    return no_pgsql(topic_, server_.rest());
  }

  [[nodiscard]] std::string waiting_for() const override {
    return is_let_in_ ? "the end of the check's start-up" : "its answer to the check's start-up";
  }

 private:
  static constexpr std::size_t kProtocol3 = 3U << 16;
  static constexpr std::string_view kAuthenticationOk{"\0\0\0\0", 4};
  static constexpr std::string_view kTerminate{"X\0\0\0\x04", 5};

  static void add(std::string& message, std::string_view name, std::string_view value) {
    message += name;
    message += '\0';
    message += value;
    message += '\0';
  }

  // Let in, the user may still find the last places kept for others, so that is not the end.
  Step on_message(const PgsqlMessage& message) {
    switch (message.type) {
      case 'R':
        is_let_in_ = message.payload == kAuthenticationOk;
        return is_let_in_ ? Step{} : done();
      case 'Z': {
        Step step = done();
        step.to_server = kTerminate;
        return step;
      }
      case 'E':
        return on_error(parse_pgsql_error(message.payload));
      // BackendKeyData, NoticeResponse, ParameterStatus, NegotiateProtocolVersion: on the way to
      // 'Z', ReadyForQuery.
      case 'K':
      case 'N':
      case 'S':
      case 'v':
        return {};
      default:
        return no_pgsql(topic_, message.type + message.payload);
    }
  }

  [[nodiscard]] Step on_error(const PgsqlError& error) const {
    if (!is_refusal_of_all(error.code)) return done();
    return failed(topic_, "is not at work: " + error.words());
  }

  const Topic topic_;
  const CheckLogin login_;
  PgsqlCollector server_;
  std::size_t received_ = 0;
  bool is_let_in_ = false;
};

}  // namespace

std::unique_ptr<Conversation> pgsql_check(Topic topic, Channel channel, CheckLogin login) {
  if (login.user.empty()) return std::make_unique<PgsqlQuestion>(std::move(topic), channel);
  return std::make_unique<PgsqlStartup>(std::move(topic), std::move(login));
}

}  // namespace tunnel::preamble
