// SPDX-License-Identifier: MIT
// PostgreSQL's SSLRequest ("Frontend/Backend Protocol", SSL Session Encryption), on both sides:
// asked of the server before TLS, answered to the local client in the relay.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "preamble/pgsql_message.h"
#include "preamble/starttls.h"

namespace tunnel::preamble {
namespace {

constexpr std::string_view kSslRequest{"\0\0\0\x08\x04\xd2\x16\x2f", 8};
constexpr std::string_view kGssEncRequest{"\0\0\0\x08\x04\xd2\x16\x30", 8};
static_assert(kSslRequest.size() == kGssEncRequest.size());

class PgsqlStarttls final : public Conversation {
 public:
  explicit PgsqlStarttls(Topic topic) : topic_(std::move(topic)) {}

  Step on_start() override { return send(std::string(kSslRequest)); }

  Step on_server(Bytes bytes) override {
    received_ += as_text(bytes);
    if (received_.empty()) return {};
    switch (received_.front()) {
      case 'S':
        return go_ahead(topic_, as_bytes(received_).subspan(1));  // CVE-2021-23222
      case 'N':
        return failed(topic_, "does not offer TLS (it answered N to SSLRequest)");
      case 'E':
        return on_error();
      default:
        return failed(topic_, "did not answer SSLRequest like PostgreSQL but said \"" +
                                  printable(received_, 60) + "\"" + looks_like(received_));
    }
  }

  Step on_server_end(End end) override {
    // Only an ErrorResponse is collected; the end of this one is missing.
    if (received_.empty()) return ended(topic_, end, *this);
    return failed(topic_, "refused us: " + printable(std::string_view(received_).substr(1)));
  }

  [[nodiscard]] std::string waiting_for() const override { return "its answer to SSLRequest"; }

 private:
  // Whatever it says comes from somebody unauthenticated; it is shown as a quotation.
  Step on_error() {
    const std::string_view body = std::string_view(received_).substr(1);
    if (body.size() < 4) return {};
    std::size_t length = 0;
    for (const char c : body.substr(0, 4)) length = length << 8 | static_cast<unsigned char>(c);
    // Servers before 7.4 send plain text ending in NUL: then those four bytes are text.
    const bool is_old = length < 4 || length > 30'000;
    if (is_old) {
      const std::size_t end = body.find('\0');
      if (end == std::string_view::npos && body.size() < kMaxLine) return {};
      return failed(topic_, "refused us: " + printable(body.substr(0, end)));
    }
    if (body.size() < length) return {};
    return failed(topic_, "refused us: " + parse_pgsql_error(body.substr(4, length - 4)).words());
  }

  const Topic topic_;
  std::string received_;
};

// The payload of an AuthenticationSASL message without the mechanisms that bind to a TLS channel:
// the client sees none, and libpq breaks off when it is offered them nevertheless ("server offered
// SCRAM-SHA-256-PLUS authentication over a non-SSL connection").
std::string without_channel_binding(std::string_view payload) {
  std::string kept(payload.substr(0, 4));
  payload.remove_prefix(4);
  while (!payload.empty()) {
    const std::string_view name = payload.substr(0, payload.find('\0'));
    const std::size_t size = std::min(payload.size(), name.size() + 1);
    if (!name.ends_with("-PLUS")) kept += payload.substr(0, size);
    payload.remove_prefix(size);
  }
  return kept;
}

// Makes the client see a server without TLS until its login begins. The client asks for encryption
// before it says anything else (psql's sslmode=prefer, GSSAPI first) and waits for one byte: `N`
// makes it go on in the clear, on this machine. Then the server's first authentication request is
// shown without what needs TLS, and that ends the filter.
class PgsqlFilter final : public Conversation {
 public:
  Step on_start() override { return {}; }

  Step on_server(Bytes bytes) override {
    from_server_ += as_text(bytes);
    Step step;
    while (step.status == Status::again && from_server_.size() >= kHeader) {
      const char type = from_server_.front();
      const std::size_t size = 1 + length_of(from_server_);
      // A notice or a negotiation of the version may come before the request for a login.
      const bool is_prelude = type == kNotice || type == kNegotiateVersion;
      const bool is_request = type == kAuthentication && size >= kHeader + 4;
      // An error, or nothing we know: whatever it is, the client had better see it as it is.
      if ((!is_prelude && !is_request) || size > kMaxConversation) return release(std::move(step));
      if (from_server_.size() < size) break;
      std::string message = from_server_.substr(0, size);
      from_server_.erase(0, size);
      if (is_request && message.substr(kHeader, 4) == kSasl) {
        const std::string payload =
            without_channel_binding(std::string_view(message).substr(kHeader));
        message = kAuthentication + pgsql_integer(payload.size() + 4) + payload;
      }
      step.to_client += message;
      if (is_request) return release(std::move(step));
    }
    return step;
  }

  Step on_client(Bytes bytes) override {
    from_client_ += as_text(bytes);
    Step step;
    while (is_asking_ && from_client_.size() >= kSslRequest.size()) {
      is_asking_ =
          from_client_.starts_with(kSslRequest) || from_client_.starts_with(kGssEncRequest);
      if (!is_asking_) break;
      from_client_.erase(0, kSslRequest.size());
      step.to_client += 'N';
      // Nobody asks more often than once for each kind; whoever does gets no answer machine.
      if (++answered_ == kMaxAnswers) is_asking_ = false;
    }
    // What could still become a request is held; the two differ in the last byte. Anything else is
    // the startup message, or a request to cancel, and goes on at once.
    is_asking_ = is_asking_ && (kSslRequest.starts_with(from_client_) ||
                                kGssEncRequest.starts_with(from_client_));
    if (!is_asking_) step.to_server = std::exchange(from_client_, {});
    return step;
  }

  Step on_server_end(End) override { return release({}); }
  Step on_client_end() override { return release({}); }

  [[nodiscard]] std::string waiting_for() const override {
    return is_asking_ ? "the client's startup message" : "the server's authentication request";
  }

 private:
  static constexpr int kMaxAnswers = 8;
  static constexpr std::size_t kHeader = 5;  // type and length; the length counts itself
  static constexpr char kAuthentication = 'R';
  static constexpr char kNotice = 'N';
  static constexpr char kNegotiateVersion = 'v';
  static constexpr std::string_view kSasl{"\0\0\0\x0a", 4};

  static std::size_t length_of(std::string_view message) {
    std::size_t length = 0;
    for (const char c : message.substr(1, 4)) length = length << 8 | static_cast<unsigned char>(c);
    // The length counts itself, so anything below 4 is nonsense, and must not make a message
    // shorter than its header.
    return std::max<std::size_t>(length, 4);
  }

  Step release(Step step) {
    step.status = Status::done;
    step.to_server += std::exchange(from_client_, {});
    step.to_client += std::exchange(from_server_, {});
    return step;
  }

  std::string from_client_;  // held: maybe the beginning of a request
  std::string from_server_;  // held: the beginning of a message
  bool is_asking_ = true;    // the client has not said anything but requests for encryption
  int answered_ = 0;
};

}  // namespace

std::unique_ptr<Conversation> pgsql_starttls(Topic topic) {
  return std::make_unique<PgsqlStarttls>(std::move(topic));
}

std::unique_ptr<Conversation> pgsql_filter() { return std::make_unique<PgsqlFilter>(); }

}  // namespace tunnel::preamble
