// SPDX-License-Identifier: MIT
// The checks of LDAP and MySQL.
#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "preamble/checks.h"
#include "preamble/ldap.h"
#include "preamble/mysql.h"

namespace tunnel::preamble {
namespace {

// LDAPMessage 1: BindRequest, version 3, no name, simple authentication with no password (RFC 4513
// section 5.1.1). Message 2: UnbindRequest, which has no answer (RFC 4511 section 4.3).
constexpr std::string_view kAnonymousBind{
    "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00", 14};
constexpr std::string_view kUnbind{"\x30\x05\x02\x01\x02\x42\x00", 7};

class LdapCheck final : public LdapQuestion {
 public:
  explicit LdapCheck(Topic topic)
      : LdapQuestion(std::move(topic), std::string(kAnonymousBind), "an anonymous bind", 0x61) {}

 private:
  // A directory that lets nobody in without a name, or not in this way, is at work; one that is
  // busy (51) or unavailable (52) is not.
  static bool is_well(std::uint32_t code) {
    // Their names are in ber.cc.
    constexpr std::array<std::uint32_t, 7> kWell = {0, 7, 8, 13, 48, 49, 50};
    return std::find(kWell.begin(), kWell.end(), code) != kWell.end();
  }

  Step on_answer(const LdapResult& result, Bytes) override {
    Step step = is_well(result.code)
                    ? done()
                    : failed(topic_, "answered an anonymous bind with " + result.words());
    step.to_server = kUnbind;
    return step;
  }
};

// The server greets, the check logs in without a password, and any answer that concerns this user
// alone is a good one. After STARTTLS the greeting came before TLS and has been read: packets 0 and
// 1 were the greeting and our SSLRequest, so the login is packet 2.
class MysqlCheck final : public Conversation {
 public:
  MysqlCheck(Topic topic, Channel channel, CheckLogin login)
      : topic_(std::move(topic)),
        is_upgraded_(channel == Channel::after_starttls),
        login_(std::move(login)) {}

  Step on_start() override { return is_upgraded_ ? log_in(2) : Step{}; }

  Step on_server(Bytes bytes) override {
    server_.append(bytes);
    Step step;
    while (step.status == Status::again) {
      if (server_.is_too_long()) {
        append(step, no_mysql(server_.rest()));
        break;
      }
      const std::optional<MysqlPacket> packet = server_.next();
      if (!packet) break;
      append(step, is_logging_in_ ? on_answer(*packet) : on_greeting(*packet));
    }
    return step;
  }

  Step on_server_end(End end) override { return ended(topic_, end, *this); }

  [[nodiscard]] std::string waiting_for() const override {
    return is_logging_in_ ? "its answer to the check's login" : "its MySQL greeting";
  }

 private:
  // A server may ask for one method after another for as long as it likes; no honest one needs so
  // many.
  static constexpr int kMaxRounds = 4;

  Step log_in(std::uint8_t sequence) {
    is_logging_in_ = true;
    return send(mysql_check_login(sequence, is_upgraded_, login_));
  }

  Step on_greeting(const MysqlPacket& packet) {
    if (packet.payload.starts_with('\xff')) {
      return failed(topic_, "greeted us with a refusal: " + mysql_error_text(packet.payload));
    }
    if (!mysql_capabilities_offset(packet.payload)) return no_mysql(packet.payload);
    return log_in(static_cast<std::uint8_t>(packet.sequence + 1));
  }

  Step on_answer(const MysqlPacket& packet) {
    // 0x7f stands for no byte at all: it is none of those that mean something here.
    const char first = packet.payload.empty() ? '\x7f' : packet.payload.front();
    if (first == '\xff') {
      if (is_refusal_of_one(mysql_error_code(packet.payload))) return done();
      return failed(topic_, "is not at work: " + mysql_error_text(packet.payload));
    }
    if (first == '\x00') {  // logged in: say COM_QUIT
      Step step = done();
      step.to_server = mysql_packet(0, "\x01");
      return step;
    }
    const bool wants_more = first == '\xfe' || first == '\x01';
    if (!wants_more || ++rounds_ > kMaxRounds) return no_mysql(packet.payload);
    // Another method, or more of this one: still no password.
    return send(mysql_packet(static_cast<std::uint8_t>(packet.sequence + 1), ""));
  }

  // About the user, its database or its own limits, not about everybody: ER_DBACCESS_DENIED,
  // ER_ACCESS_DENIED, ER_BAD_DB, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED,
  // ER_NOT_SUPPORTED_AUTH_MODE, ER_ACCESS_DENIED_NO_PASSWORD, ER_MUST_CHANGE_PASSWORD_LOGIN,
  // ER_ACCOUNT_HAS_BEEN_LOCKED, ER_SECURE_TRANSPORT_REQUIRED.
  static bool is_refusal_of_one(std::uint32_t code) {
    constexpr std::array<std::uint32_t, 10> kRefusals = {1044, 1045, 1049, 1203, 1226,
                                                         1251, 1698, 1862, 3118, 3159};
    return std::find(kRefusals.begin(), kRefusals.end(), code) != kRefusals.end();
  }

  [[nodiscard]] Step no_mysql(std::string_view said) const {
    return failed(topic_, "did not answer like MySQL but said \"" + printable(said, 60) + "\"" +
                              looks_like(said));
  }

  const Topic topic_;
  const bool is_upgraded_;
  const CheckLogin login_;
  MysqlCollector server_{4096};
  bool is_logging_in_ = false;
  int rounds_ = 0;
};

}  // namespace

std::unique_ptr<Conversation> ldap_check(Topic topic) {
  return std::make_unique<LdapCheck>(std::move(topic));
}

std::unique_ptr<Conversation> mysql_check(Topic topic, Channel channel, CheckLogin login) {
  return std::make_unique<MysqlCheck>(std::move(topic), channel, std::move(login));
}

}  // namespace tunnel::preamble
