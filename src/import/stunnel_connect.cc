// SPDX-License-Identifier: MIT
// connect, failover, delay, local and protocol of a section: where its targets are, which is tried
// when, and what is said to them before TLS.
#include <algorithm>
#include <array>
#include <optional>

#include "base/address.h"
#include "base/text.h"
#include "import/stunnel_address.h"
#include "import/stunnel_options.h"
#include "import/stunnel_service.h"

namespace tunnel::import {
namespace {

class ConnectConversion {
 public:
  ConnectConversion(StunnelReport& report, const StunnelSection& section, StunnelTree& tree)
      : report_(report), section_(section), tree_(tree) {}

  // With protocol = connect, `connect` names proxies, and protocolHost the one target behind them.
  // Otherwise `connect` names the targets, and `protocol` what is said to them before TLS.
  void run() {
    // Before the targets: they are judged by the family of `local`.
    convert_local();
    const bool is_proxied =
        section_.protocol != nullptr && equal_ignoring_case(section_.protocol->value, "connect");
    if (is_proxied) {
      convert_proxy();
    } else {
      convert_targets();
      convert_protocol();
    }
  }

 private:
  void convert_targets() {
    const bool is_delayed = section_.delay != nullptr && is_yes(section_.delay->value);
    // stunnel goes by priority when it resolves late, whatever failover says.
    const bool takes_turns = section_.failover != nullptr &&
                             equal_ignoring_case(section_.failover->value, "rr") && !is_delayed;
    const bool has_other = std::any_of(section_.connect.begin(), section_.connect.end(),
                                       [this](const auto* one) { return !is_out_of_reach(*one); });
    config::Array targets;
    for (const StunnelGiven* given : section_.connect) {
      if (has_other && is_out_of_reach(*given)) {
        report_.warning(given->value_at,
                        in_quotes(printable(given->value)) +
                            " is left out, as in "
                            "stunnel: its address is of another family than local");
        continue;
      }
      const auto address = parse_stunnel_address(given->value);
      if (!address) {
        report_.error(given->value_at, address.error().text, "connect = HOST:PORT");
        continue;
      }
      // A port alone is this machine, by IPv6 and by IPv4.
      config::Value target = text_at(given->value_at, address->text("localhost"));
      const bool is_name =
          !address->is_path && !SocketAddress::parse_ip(address->host, 0).has_value();
      // Each address of a name takes its turn, as if it were written.
      if (takes_turns && is_name) target = expanded(std::move(target));
      targets.push_back(std::move(target));
    }
    if (targets.empty()) return;
    const bool is_alone = targets.size() == 1;
    // Without failover = rr, stunnel takes the first that answers, each time anew.
    if (!is_alone && !takes_turns) {
      const config::Position at =
          section_.failover != nullptr ? section_.failover->value_at : section_.header;
      tree_.set("balance", text_at(at, "first"));
    }
    const config::Position at = targets.front().position;
    tree_.set("connect", is_alone && targets.front().as<config::Table>() == nullptr
                             ? targets.front()
                             : list_at(at, std::move(targets)));
  }

  static config::Value expanded(config::Value address) {
    StunnelTree table(address.position);
    const config::Position at = address.position;
    table.set("address", std::move(address));
    table.set("expand", flag_at(at, true));
    return std::move(table).finish();
  }

  // protocol = connect: the targets are proxies, tried in their order, and the target is
  // protocolHost.
  void convert_proxy() {
    const StunnelGiven* host = section_.protocol_host;
    if (host == nullptr) {
      return report_.error(section_.protocol->value_at,
                           "protocol = connect needs the server behind the proxy",
                           "protocolHost = ldap.example.com:636");
    }
    if (section_.protocol_authentication != nullptr &&
        equal_ignoring_case(section_.protocol_authentication->value, "ntlm")) {
      return report_.error(section_.protocol_authentication->value_at,
                           "NTLM is broken and is not spoken", "protocolAuthentication = basic");
    }
    const auto target = parse_stunnel_address(host->value);
    if (!target || target->is_port_alone || target->is_path) {
      return report_.error(host->value_at, "protocolHost is HOST:PORT with protocol = connect");
    }
    tree_.set("connect", text_at(host->value_at, target->text("")));
    if (section_.connect.empty()) return;  // reported already
    const std::string login = proxy_login();
    config::Array proxies;
    for (const StunnelGiven* given : section_.connect) {
      const auto proxy = parse_stunnel_address(given->value);
      if (!proxy || proxy->is_path) {
        report_.error(given->value_at, "a proxy is reached at HOST:PORT");
        continue;
      }
      proxies.push_back(text_at(given->value_at, "http://" + login + proxy->text("localhost")));
    }
    if (proxies.empty()) return;
    const config::Position at = proxies.front().position;
    tree_.set("proxy", proxies.size() == 1 ? proxies.front() : list_at(at, std::move(proxies)));
    config::Array lines;
    for (const StunnelGiven* line : section_.protocol_header) {
      lines.push_back(text_at(line->value_at, line->value));
    }
    if (!lines.empty()) {
      const config::Position first = lines.front().position;
      tree_.set("proxy_headers", list_at(first, std::move(lines)));
    }
  }

  // The proxy's URL gives '@', ':' and '/' a meaning that they do not have in a password.
  std::string proxy_login() {
    if (!has_login()) return "";
    return percent_encoded(section_.protocol_username->value) + ":" +
           percent_encoded(section_.protocol_password->value) + "@";
  }

  // Both or nothing.
  bool has_login() {
    const StunnelGiven* user = section_.protocol_username;
    const StunnelGiven* password = section_.protocol_password;
    if (user != nullptr && password != nullptr) return true;
    const StunnelGiven* half = user != nullptr ? user : password;
    if (half != nullptr) {
      report_.warning(half->name_at,
                      "without both protocolUsername and protocolPassword there is "
                      "no login");
    }
    return false;
  }

  void convert_protocol() {
    const StunnelGiven* protocol = section_.protocol;
    if (protocol == nullptr) return;
    if (is_one_of(protocol->value, "smtp|pop3|imap|nntp|ldap|pgsql")) {
      // stunnel takes the words in any case; those of `starttls` are in small letters.
      std::string word = protocol->value;
      std::transform(word.begin(), word.end(), word.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      });
      tree_.set("starttls", text_at(protocol->value_at, word));
      if (word == "smtp") convert_smtp();
      return;
    }
    struct Refusal {
      std::string_view word;
      std::string_view why;
    };
    constexpr auto kRefusals = std::to_array<Refusal>({
        {"socks", "SOCKS inside of TLS needs a stunnel server that speaks it"},
        {"proxy",
         "is for servers, as it is in stunnel; send_proxy is for clients, after tunnel "
         "convert"},
        {"cifs", "the way CIFS begins TLS has died out"},
        {"capwin", "CapWIN has died out"},
        {"capwinctrl", "CapWIN has died out"},
    });
    for (const Refusal& refusal : kRefusals) {
      if (!equal_ignoring_case(protocol->value, refusal.word)) continue;
      return report_.error(protocol->value_at, "protocol = " + std::string(refusal.word) +
                                                   " is refused: " + std::string(refusal.why));
    }
    report_.error(protocol->value_at, in_quotes(protocol->value) + " is not a protocol of stunnel",
                  "smtp, pop3, imap, nntp, ldap, pgsql or connect");
  }

  void convert_smtp() {
    if (const StunnelGiven* host = section_.protocol_host) {
      tree_.set("helo", text_at(host->value_at, host->value));
    }
    if (!has_login()) return;
    const StunnelGiven* method = section_.protocol_authentication;
    tree_.set("smtp_login.user",
              text_at(section_.protocol_username->value_at, section_.protocol_username->value));
    tree_.set("smtp_login.password",
              text_at(section_.protocol_password->value_at, section_.protocol_password->value));
    if (method != nullptr && equal_ignoring_case(method->value, "login")) {
      tree_.set("smtp_login.method", text_at(method->value_at, "login"));
    }
  }

  // No address of the family of `local`, if there is one: stunnel passes it over.
  [[nodiscard]] bool is_out_of_reach(const StunnelGiven& target) const {
    const auto address = parse_stunnel_address(target.value);
    if (!source_ || !address || address->is_path) return false;
    const auto ip = SocketAddress::parse_ip(address->host, 0);
    return ip && ip->family() != source_->family();
  }

  void convert_local() {
    const StunnelGiven* local = section_.local;
    if (local == nullptr) return;
    source_ = SocketAddress::parse_ip(local->value, 0);
    if (source_) return tree_.set("bind", text_at(local->value_at, local->value));
    // Fuzzing and tests must not ask DNS; then the name is left out.
    if (!report_.reader.may_use_system()) return;
    const auto found = report_.reader.resolve(local->value);
    if (!found || found->empty()) {
      return report_.error(local->value_at,
                           "the address of " + in_quotes(local->value) + " cannot be found");
    }
    source_ = found->front();
    tree_.set("bind", text_at(local->value_at, found->front().ip()));
  }

  StunnelReport& report_;
  const StunnelSection& section_;
  StunnelTree& tree_;
  std::optional<SocketAddress> source_;  // local
};

}  // namespace

void convert_stunnel_connect(StunnelReport& report, const StunnelSection& section,
                             StunnelTree& tree) {
  ConnectConversion(report, section, tree).run();
}

}  // namespace tunnel::import
