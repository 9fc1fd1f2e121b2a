// SPDX-License-Identifier: MIT
// PostgreSQL's SSLRequest ("Frontend/Backend Protocol", SSL Session Encryption), on both sides:
// asked of the server before TLS, answered to the local client in the relay.
#include <utility>

#include "base/text.h"
#include "preamble/starttls.h"

namespace tunnel::preamble {
namespace {

constexpr std::string_view kSslRequest{"\0\0\0\x08\x04\xd2\x16\x2f", 8};
constexpr std::string_view kGssEncRequest{"\0\0\0\x08\x04\xd2\x16\x30", 8};
static_assert(kSslRequest.size() == kGssEncRequest.size());

// The text of an ErrorResponse: "FATAL: 53300: sorry, too many clients already". Servers before 7.4
// send plain text ending in NUL instead.
std::string error_text(std::string_view fields) {
  std::string severity;
  std::string code;
  std::string message;
  while (!fields.empty() && fields.front() != '\0') {
    const char type = fields.front();
    const std::size_t end = fields.find('\0', 1);
    if (end == std::string_view::npos) break;
    const std::string_view value = fields.substr(1, end - 1);
    if (type == 'S') severity = value;
    if (type == 'C') code = value;
    if (type == 'M') message = value;
    fields.remove_prefix(end + 1);
  }
  return printable(severity + ": " + code + ": " + message);
}

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
    const bool is_old = length < 4 || length > 30'000;  // then those four bytes are text
    if (is_old) {
      const std::size_t end = body.find('\0');
      if (end == std::string_view::npos && body.size() < kMaxLine) return {};
      return failed(topic_, "refused us: " + printable(body.substr(0, end)));
    }
    if (body.size() < length) return {};
    return failed(topic_, "refused us: " + error_text(body.substr(4, length - 4)));
  }

  const Topic topic_;
  std::string received_;
};

// A client asks for encryption before it says anything else (psql's sslmode=prefer, GSSAPI first)
// and waits for one byte. `N` makes it go on in the clear, on this machine. Its StartupMessage ends
// the filter.
class PgsqlFilter final : public Conversation {
 public:
  Step on_start() override { return {}; }

  Step on_server(Bytes bytes) override {
    Step step;
    step.to_client = std::string(as_text(bytes));
    return step;
  }

  Step on_client(Bytes bytes) override {
    held_ += as_text(bytes);
    Step step;
    while (held_.size() >= kSslRequest.size()) {
      if (!held_.starts_with(kSslRequest) && !held_.starts_with(kGssEncRequest)) break;
      held_.erase(0, kSslRequest.size());
      step.to_client += 'N';
      // Nobody asks more often than once for each kind; whoever does gets no answer machine.
      if (++answered_ == kMaxAnswers) return release(std::move(step));
    }
    const bool may_become_a_request =
        kSslRequest.starts_with(held_) || kGssEncRequest.starts_with(held_);
    return may_become_a_request ? step : release(std::move(step));
  }

  Step on_server_end(End) override { return release({}); }
  Step on_client_end() override { return release({}); }

  [[nodiscard]] std::string waiting_for() const override { return "the client's startup message"; }

 private:
  static constexpr int kMaxAnswers = 8;

  Step release(Step step) {
    step.status = Status::done;
    step.to_server += std::exchange(held_, {});
    return step;
  }

  std::string held_;
  int answered_ = 0;
};

}  // namespace

std::unique_ptr<Conversation> pgsql_starttls(Topic topic) {
  return std::make_unique<PgsqlStarttls>(std::move(topic));
}

std::unique_ptr<Conversation> pgsql_filter() { return std::make_unique<PgsqlFilter>(); }

}  // namespace tunnel::preamble
