// SPDX-License-Identifier: MIT
#include <array>
#include <utility>

#include "base/text.h"
#include "preamble/proxies.h"

namespace tunnel::preamble {
namespace {

constexpr char kVersion = 5;
constexpr char kNoLogin = 0;
constexpr char kPassword = 2;
constexpr char kLoginVersion = 1;
constexpr std::size_t kFieldLimit = 255;  // of a name, a user or a password: their length is a byte

// RFC 1928 section 6. The rule set is the proxy's own view; the others blame the target.
constexpr std::array<std::string_view, 9> kReplies = {
    "succeeded",
    "general SOCKS server failure",
    "connection not allowed by ruleset",
    "network unreachable",
    "host unreachable",
    "connection refused",
    "TTL expired",
    "command not supported",
    "address type not supported",
};
constexpr unsigned kByRuleset = 2;
constexpr unsigned kNoSuchCommand = 7;

// The offer of login methods and the proxy's choice; user and password and the verdict, if it has
// chosen that; the request and its reply. Each answer has its length in itself or a fixed one, and
// what stands behind the last is the target's.
class Socks5Connect final : public Conversation {
 public:
  Socks5Connect(Topic topic, const config::Proxy& proxy, std::string host, std::uint16_t port)
      : topic_(std::move(topic)),
        user_(proxy.user),
        password_(proxy.password),
        host_(std::move(host)),
        port_(port) {}

  Step on_start() override {
    if (host_.size() > kFieldLimit || user_.size() > kFieldLimit ||
        password_.size() > kFieldLimit) {
      return local("cannot be told a name, user or password of more than 255 bytes");
    }
    // Going without a login is always offered: a proxy that wants none may not know the other
    // method.
    std::string offer = {kVersion, 1, kNoLogin};
    if (!user_.empty()) offer = {kVersion, 2, kNoLogin, kPassword};
    return send(std::move(offer));
  }

  Step on_server(Bytes bytes) override {
    received_ += as_text(bytes);
    Step step;
    while (step.status == Status::again) {
      const State before = state_;
      append(step, on_received());
      // A proxy may send several replies in one segment.
      if (state_ == before) break;  // the reply is not complete
    }
    return step;
  }

  Step on_server_end(End end) override { return ended(topic_, end, *this); }

  [[nodiscard]] std::string waiting_for() const override {
    switch (state_) {
      case State::method:
        return "its choice of a SOCKS5 login method";
      case State::login:
        return "its answer to our user and password";
      case State::connect:
        break;
    }
    return "its answer to our request for " + authority(host_, port_);
  }

 private:
  enum class State { method, login, connect };

  Step on_received() {
    switch (state_) {
      case State::method:
        return on_method();
      case State::login:
        return on_login();
      case State::connect:
        break;
    }
    return on_reply();
  }

  Step on_method() {
    if (!received_.empty() && received_[0] != kVersion) return no_socks();
    if (received_.size() < 2) return {};
    const char method = received_[1];
    received_.erase(0, 2);
    if (method == kNoLogin) return request();
    if (method != kPassword || user_.empty()) {
      return local(user_.empty() ? "wants a login: put user and password into `proxy`"
                                 : "accepts neither user and password nor no login at all");
    }
    state_ = State::login;
    std::string login = {kLoginVersion, static_cast<char>(user_.size())};
    login += user_;
    login += static_cast<char>(password_.size());
    login += password_;
    return send(std::move(login));
  }

  Step on_login() {
    if (!received_.empty() && received_[0] != kLoginVersion) return no_socks();
    if (received_.size() < 2) return {};
    if (received_[1] != 0) return local("does not accept the user and password in `proxy`");
    received_.erase(0, 2);
    return request();
  }

  Step request() {
    state_ = State::connect;
    std::string bytes = {kVersion, 1, 0};
    const auto ip = SocketAddress::parse_ip(host_, 0);
    if (ip && ip->family() == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(ip->get());
      bytes += '\x01';
      bytes.append(reinterpret_cast<const char*>(&v4->sin_addr), sizeof v4->sin_addr);
    } else if (ip) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(ip->get());
      bytes += '\x04';
      bytes.append(reinterpret_cast<const char*>(&v6->sin6_addr), sizeof v6->sin6_addr);
    } else {
      // A name goes to the proxy as it is: it may be known there and not here.
      bytes += '\x03';
      bytes += static_cast<char>(host_.size());
      bytes += host_;
    }
    bytes += static_cast<char>(port_ >> 8);
    bytes += static_cast<char>(port_ & 0xff);
    return send(std::move(bytes));
  }

  Step on_reply() {
    if (!received_.empty() && received_[0] != kVersion) return no_socks();
    if (received_.size() < 2) return {};
    // A refusal is told at once: some proxies hang up without the address that has no meaning.
    const auto code = static_cast<unsigned char>(received_[1]);
    if (code != 0) return refused(code);
    // The fifth byte is the length where the address is a name. What the proxy bound is of no use,
    // but its length says where the target's own bytes begin.
    if (received_.size() < 5) return {};
    std::size_t size = 0;
    switch (received_[3]) {
      case 1:
        size = 4 + 4 + 2;
        break;
      case 3:
        size = 4 + 1 + static_cast<unsigned char>(received_[4]) + 2;
        break;
      case 4:
        size = 4 + 16 + 2;
        break;
      default:
        return no_socks();
    }
    if (received_.size() < size) return {};
    Step step = done();
    step.surplus = received_.substr(size);
    return step;
  }

  [[nodiscard]] Step refused(unsigned code) const {
    const std::string_view words = code < kReplies.size() ? kReplies[code] : "unknown reply code";
    Step step = failed(topic_, "refused to connect to " + authority(host_, port_) + ": " +
                                   std::string(words) + " (" + std::to_string(code) + ")");
    // From "command not supported" on, unknown codes included, the proxy has not tried.
    step.failure.is_local = code == kByRuleset || code >= kNoSuchCommand;
    return step;
  }

  [[nodiscard]] Step no_socks() const {
    return local("did not answer in SOCKS5 but said \"" + printable(received_, 60) + "\"" +
                 looks_like(received_));
  }

  [[nodiscard]] Step local(std::string_view what) const {
    Step step = failed(topic_, what);
    step.failure.is_local = true;
    return step;
  }

  const Topic topic_;
  const std::string user_;
  const std::string password_;
  const std::string host_;
  const std::uint16_t port_;
  State state_ = State::method;
  std::string received_;
};

}  // namespace

std::unique_ptr<Conversation> socks5_connect(const config::Proxy& proxy, std::string host,
                                             std::uint16_t port) {
  return std::make_unique<Socks5Connect>(
      Topic{.who = "proxy " + authority(proxy.host, proxy.port), .kind = Kind::proxy_refused},
      proxy, std::move(host), port);
}

}  // namespace tunnel::preamble
