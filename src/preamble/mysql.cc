// SPDX-License-Identifier: MIT
// TLS of MySQL and MariaDB ("Connection Phase" of their protocol). The server speaks first; TLS is
// asked for by a packet that must carry the very capability flags of the client's answer to the
// greeting, and to which the server says nothing. So the client has to see the greeting first.
#include "preamble/mysql.h"

#include <utility>

#include "base/text.h"
#include "preamble/starttls.h"

namespace tunnel::preamble {
namespace {

// A greeting is a version, the name of a plugin and some fifty bytes more.
constexpr std::size_t kGreetingLimit = 4096;
// User, password, database, and up to 64 KiB of connection attributes.
constexpr std::size_t kResponseLimit = 256UL * 1024;
// An SSLRequest is the beginning of a login: flags, packet size, and since protocol 4.1 a character
// set and 23 reserved bytes.
constexpr std::size_t kSslRequestSize41 = 32;
constexpr std::size_t kSslRequestSize320 = 5;

// For a client: the greeting arrives and is shown to it, without the SSL flag, so that it does not
// ask for TLS itself; its login arrives and is turned into an SSLRequest, sent now, and a login,
// sent by the filter inside TLS. From the moment the client sees the greeting there is no way back:
// another server's has another scramble. For a check: the greeting arrives, the SSLRequest is sent,
// and the login is the check's own affair.
class MysqlStarttls final : public Conversation {
 public:
  MysqlStarttls(Topic topic, Purpose purpose, CheckLogin login)
      : topic_(std::move(topic)), purpose_(purpose), login_(std::move(login)) {}

  Step on_start() override { return {}; }

  Step on_server(Bytes bytes) override {
    server_.append(bytes);
    // The server has to wait for the client's answer. Bytes that come before it were not asked for,
    // and were not protected by TLS.
    if (is_greeted_) {
      return failed(topic_, "sent " + std::to_string(server_.rest().size()) +
                                " bytes more before it was answered");
    }
    if (server_.is_too_long()) return no_mysql(server_.rest());
    std::optional<MysqlPacket> packet = server_.next();
    return packet ? on_greeting(std::move(packet->payload)) : Step{};
  }

  Step on_client(Bytes bytes) override {
    client_.append(bytes);
    if (client_.is_too_long()) return bad_client("sent too long an answer to the greeting");
    const std::optional<MysqlPacket> packet = client_.next();
    if (!packet) return {};
    std::optional<MysqlUpgrade> upgrade = upgrade_mysql_response(packet->payload);
    if (!upgrade || packet->sequence != 1) {
      return bad_client(
          "answered the greeting with something that is not a login, or asked for TLS "
          "although the greeting offers none");
    }
    filter_ = mysql_filter(std::move(upgrade->response), std::string(client_.rest()));
    has_upgraded_ = true;
    Step step = done();
    step.to_server = std::move(upgrade->ssl_request);
    return step;
  }

  Step on_server_end(End end) override { return ended(topic_, end, *this); }

  [[nodiscard]] std::string waiting_for() const override {
    return is_greeted_
               ? "the client's answer to the greeting"
               : "its MySQL greeting (a port that speaks TLS from the start is silent here: "
                 "then remove starttls)";
  }
  [[nodiscard]] bool wants_client() const override { return is_greeted_ && !has_upgraded_; }
  [[nodiscard]] bool is_client_committed() const override {
    return is_greeted_ && purpose_ == Purpose::client;
  }
  [[nodiscard]] std::unique_ptr<Conversation> take_filter() override { return std::move(filter_); }

 private:
  Step on_greeting(std::string payload) {
    if (payload.starts_with('\xff')) {
      return failed(topic_, "greeted us with a refusal: " + mysql_error_text(payload));
    }
    const std::optional<std::size_t> offset = mysql_capabilities_offset(payload);
    if (!offset) return no_mysql(payload);
    if ((mysql_integer(payload, *offset, 2) & kClientSsl) == 0) {
      return failed(topic_, "does not offer TLS in its greeting");
    }
    if (!server_.rest().empty()) {
      return go_ahead(topic_,
                      as_bytes(server_.rest()));  // refused: nobody speaks behind a greeting
    }
    if (purpose_ == Purpose::check) {
      Step step = done();
      step.to_server = mysql_check_ssl_request(login_);
      return step;
    }
    is_greeted_ = true;
    // The flag is in the second of the two bytes: integers are little-endian.
    payload[*offset + 1] =
        static_cast<char>(static_cast<unsigned char>(payload[*offset + 1]) & ~(kClientSsl >> 8));
    Step step;
    step.to_client = mysql_packet(0, payload);
    return step;
  }

  [[nodiscard]] Step no_mysql(std::string_view said) const {
    return failed(topic_, "did not greet us like MySQL but said \"" + printable(said, 60) + "\"" +
                              looks_like(said));
  }

  [[nodiscard]] Step bad_client(std::string_view what) const {
    return failed({.who = "the client of " + topic_.who, .kind = topic_.kind, .is_local = true},
                  what);
  }

  const Topic topic_;
  const Purpose purpose_;
  const CheckLogin login_;  // for a check
  MysqlCollector server_{kGreetingLimit};
  MysqlCollector client_{kResponseLimit};
  bool is_greeted_ = false;    // and the client has seen it
  bool has_upgraded_ = false;  // the client has answered
  std::unique_ptr<Conversation> filter_;
};

// The beginning of a check's login, the same in SSLRequest and HandshakeResponse41.
std::string check_prefix(std::uint32_t flags, const CheckLogin& login) {
  constexpr std::uint32_t kMaxPacket = 1U << 24;
  // The number of the collation utf8mb4_general_ci.
  constexpr char kUtf8mb4 = 45;
  if (!login.database.empty()) flags |= kClientConnectWithDb;
  flags |= kClientProtocol41 | kClientSecureConnection | kClientPluginAuth;
  std::string prefix;
  for (const std::uint32_t number : {flags, kMaxPacket}) {
    for (int i = 0; i < 4; ++i) prefix += static_cast<char>(number >> (8 * i) & 0xff);
  }
  prefix += kUtf8mb4;
  prefix.append(23, '\0');
  return prefix;
}

}  // namespace

std::optional<MysqlUpgrade> upgrade_mysql_response(std::string_view payload) {
  if (payload.size() < kSslRequestSize320) return std::nullopt;
  const std::uint32_t flags = mysql_integer(payload, 0, 2);
  const bool is_41 = (flags & kClientProtocol41) != 0;
  const std::size_t size = is_41 ? kSslRequestSize41 : kSslRequestSize320;
  // A login is longer than its beginning; what is not would be an SSLRequest.
  if ((flags & kClientSsl) != 0 || payload.size() <= size) return std::nullopt;
  std::string response(payload);
  response[1] = static_cast<char>(static_cast<unsigned char>(response[1]) | kClientSsl >> 8);
  return MysqlUpgrade{.ssl_request = mysql_packet(1, std::string_view(response).substr(0, size)),
                      .response = mysql_packet(2, response)};
}

std::string mysql_check_ssl_request(const CheckLogin& login) {
  return mysql_packet(1, check_prefix(kClientSsl, login));
}

std::string mysql_check_login(std::uint8_t sequence, bool has_tls, const CheckLogin& login) {
  std::string payload = check_prefix(has_tls ? kClientSsl : 0, login);
  payload += login.user;
  payload += '\0';
  payload += '\0';  // length of the authentication data
  if (!login.database.empty()) {
    payload += login.database;
    payload += '\0';
  }
  payload += "mysql_native_password";
  payload += '\0';
  return mysql_packet(sequence, payload);
}

std::unique_ptr<Conversation> mysql_starttls(Topic topic, Purpose purpose, CheckLogin login) {
  return std::make_unique<MysqlStarttls>(std::move(topic), purpose, std::move(login));
}

}  // namespace tunnel::preamble
