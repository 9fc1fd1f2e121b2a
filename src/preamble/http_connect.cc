// SPDX-License-Identifier: MIT
#include <utility>

#include "base/encoding.h"
#include "base/text.h"
#include "preamble/lines.h"
#include "preamble/proxies.h"

namespace tunnel::preamble {
namespace {

constexpr int kLoginWanted = 407;
constexpr int kUnauthorized = 401;  // meant for servers, but tinyproxy says it to a wrong password

class HttpConnect final : public LineConversation {
 public:
  HttpConnect(Topic topic, std::string destination, std::string request, bool has_login)
      : LineConversation(std::move(topic)),
        destination_(std::move(destination)),
        request_(std::move(request)),
        has_login_(has_login) {}

  Step on_start() override { return send(request_); }

  [[nodiscard]] std::string waiting_for() const override {
    return (code_ == 0 ? "its answer to CONNECT " : "the end of its answer to CONNECT ") +
           destination_;
  }

 private:
  Step on_line(const Lines::Line& line) override {
    if (code_ == 0) return on_status(line.text);
    // RFC 9110 section 9.3.6: a 2xx answer to CONNECT has no body, whatever its fields say. Of a
    // refusal the body is not read either: the connection is given up.
    if (!line.text.empty()) {
      return {};
    }  // a header field: none of them matters, Content-Length least
    if (code_ >= 200 && code_ < 300) return finish();
    // 101 is final: after it the connection would speak another protocol.
    if (code_ < 200 && code_ != 101) {  // an interim answer: the real one follows
      code_ = 0;
      return {};
    }
    return refused();
  }

  // "HTTP/1.1 200 Connection established"; the reason may be missing.
  Step on_status(std::string_view text) {
    const std::size_t blank = text.find(' ');
    if (text.starts_with("HTTP/1.") && blank != std::string_view::npos) {
      const std::string_view rest = trimmed(text.substr(blank));
      const bool is_code = rest.size() >= 3 && is_digit(rest[0]) && is_digit(rest[1]) &&
                           is_digit(rest[2]) && (rest.size() == 3 || rest[3] == ' ');
      if (is_code && rest[0] != '0') {
        code_ = (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0');
        status_ = printable(rest);
        return {};
      }
    }
    Step step = fail("did not answer CONNECT like an HTTP proxy but said \"" + printable(text, 60) +
                     "\"" + looks_like(text));
    // What listens there is not the proxy that the configuration names; the target has no part in
    // it.
    step.failure.is_local = true;
    return step;
  }

  [[nodiscard]] Step refused() const {
    std::string text = "refused to connect to " + destination_ + ": " + status_;
    if (code_ == kLoginWanted || code_ == kUnauthorized) {
      text += has_login_ ? " (it does not accept the user and password in `proxy`, or not by Basic "
                           "authentication)"
                         : " (it wants a user and password in `proxy`)";
    }
    Step step = fail(text);
    // 5xx: it tried, and the target is to blame. Anything else is the proxy's own view of us.
    step.failure.is_local = code_ < 500;
    return step;
  }

  const std::string destination_;
  const std::string request_;
  const bool has_login_;
  int code_ = 0;
  std::string status_;
};

}  // namespace

std::string authority(std::string_view host, std::uint16_t port) {
  std::string text(host);
  if (text.find(':') != std::string::npos) text = "[" + text + "]";
  return text + ":" + std::to_string(port);
}

std::unique_ptr<Conversation> http_connect(const config::Proxy& proxy, std::string host,
                                           std::uint16_t port) {
  const std::string destination = authority(host, port);
  std::string request = "CONNECT " + destination + " HTTP/1.1\r\nHost: " + destination + "\r\n";
  if (!proxy.user.empty()) {
    // Sent unasked: a 407 is taken for a refusal, not for a question.
    request += "Proxy-Authorization: Basic " + base64(proxy.user + ":" + proxy.password) + "\r\n";
  }
  for (const std::string& header : proxy.headers) request += header + "\r\n";
  request += "\r\n";
  return std::make_unique<HttpConnect>(
      Topic{.who = "proxy " + authority(proxy.host, proxy.port), .kind = Kind::proxy_refused},
      destination, std::move(request), !proxy.user.empty());
}

}  // namespace tunnel::preamble
