// SPDX-License-Identifier: MIT
#include "import/balance_cli.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <variant>

#include "base/address.h"
#include "base/text.h"
#include "config/reader.h"
#include "import/balance_line.h"

namespace tunnel::import {
namespace {

// balance takes what atoi takes; a year is more than anybody means.
constexpr std::uint32_t kMostSeconds = 365 * 24 * 3600;

class Converter {
 public:
  explicit Converter(BalanceLine line) : line_(std::move(line)) {}

  Result<BalanceConversion> run() {
    if (line_.has('i') || line_.has('c')) {
      return refuse_balance(
          "-i and -c talk to a running balance and describe none, so there is nothing to convert");
    }
    if (line_.operands.size() < 2) {
      return refuse_balance(line_.operands.empty() ? "the port to listen at is missing"
                                                   : "there is no channel");
    }
    service_.name = is_digits(line_.operands[0]) ? "balance" : line_.operands[0];
    // balance relays plain TCP.
    service_.tls.reset();
    // The port comes first, because a channel without one has that of the listener; the timeouts
    // come last, because they count the targets.
    for (const auto step : {&Converter::listen, &Converter::read_groups, &Converter::read_bind,
                            &Converter::read_timeouts}) {
      if (auto result = (this->*step)(); !result) return tl::make_unexpected(result.error());
    }
    read_flags();
    result_.config.services.push_back(std::move(service_));
    return std::move(result_);
  }

 private:
  using Step = Result<std::monostate>;

  void note(std::string text) { result_.notes.push_back(std::move(text)); }

  Step listen() {
    const auto port = parse_balance_port(line_.operands[0]);
    if (!port || line_.operands[0].find(':') != std::string::npos) {
      return refuse_balance(in_quotes(line_.operands[0]) + " is not a port to listen at");
    }
    port_ = *port;
    const std::string port_text = std::to_string(port_);
    if (!line_.has('b')) {
      // Both families, each of which may be missing, under one text: that is how "*:PORT" is read,
      // too.
      add_accept(SocketAddress::any_v4(port_), "*:" + port_text, true);
      add_accept(SocketAddress::any_v6(port_), "*:" + port_text, true);
      service_.allow_remote = true;
      note(
          "without -b, balance listens at every address: anyone who can reach this machine can use "
          "it; accept = " +
          in_quotes("127.0.0.1:" + port_text) + " and no allow_remote is safer");
      if (line_.has('6')) note("-6 has no key of its own: \"*\" stands for IPv6 and IPv4");
      return {};
    }
    const std::string& host = line_.value('b');
    const auto address = SocketAddress::parse_ip(host, port_);
    if (line_.has('6') && address && address->family() == AF_INET) {
      return refuse_balance("-6 asks for IPv6, and " + host + " is an IPv4 address");
    }
    if (!address && !is_name(host)) {
      return refuse_balance(in_quotes(host) + " is not an address to listen at");
    }
    if (address) {
      add_accept(*address, address->to_string(), false);
      service_.allow_remote = !address->is_loopback();
    } else {
      add_accept(SocketAddress(), host + ":" + port_text, false);
      // Of names, which are looked up when the file is loaded, this one alone is sure to be local.
      service_.allow_remote = host != "localhost";
    }
    if (service_.allow_remote) {
      note("other machines may be able to reach " + service_.accept[0].text +
           "; allow_remote = true permits it, as balance did");
    }
    if (line_.has('6')) note("-6 has no key of its own: the address decides the family");
    return {};
  }

  void add_accept(const SocketAddress& address, std::string text, bool is_optional) {
    config::Accept accept;
    accept.address = address;
    accept.optional = is_optional;
    accept.text = std::move(text);
    service_.accept.push_back(std::move(accept));
  }

  // "!" ends a group that takes turns, "%" one that hashes; the last group need not be ended.
  Step read_groups() {
    std::vector<config::Target> group;
    std::vector<config::Balance> policies;
    const auto end_group = [&](config::Balance policy) {
      if (group.empty()) return;
      service_.connect.push_back(std::exchange(group, {}));
      policies.push_back(policy);
    };
    for (std::size_t i = 1; i < line_.operands.size(); ++i) {
      const std::string& operand = line_.operands[i];
      if (operand != "!" && operand != "%") {
        auto target = parse_balance_channel(operand, port_);
        if (!target) return tl::make_unexpected(target.error());
        group.push_back(std::move(*target));
        continue;
      }
      if (service_.connect.empty() && group.empty()) {
        return refuse_balance("there is no channel before the first \"" + operand + "\"");
      }
      end_group(operand == "%" ? config::Balance::hash : config::Balance::round_robin);
    }
    end_group(config::Balance::round_robin);
    choose_policy(policies);
    return {};
  }

  // A service has one policy, and to a group of one target none matters.
  void choose_policy(const std::vector<config::Balance>& policies) {
    bool is_chosen = false;
    bool has_limits = false;
    for (std::size_t i = 0; i < policies.size(); ++i) {
      const std::vector<config::Target>& group = service_.connect[i];
      for (const config::Target& target : group) has_limits = has_limits || target.max_connections;
      if (group.size() < 2) continue;
      // The first group to which a policy matters decides.
      if (!std::exchange(is_chosen, true)) service_.balance = policies[i];
      if (policies[i] == service_.balance) continue;
      const bool is_hash = policies[i] == config::Balance::hash;
      note("group " + std::to_string(i + 1) + (is_hash ? " was hashed" : " took turns") +
           " in balance; a service has one policy for all its groups, which is " +
           (is_hash ? "round-robin" : "hash") + " here");
    }
    const bool is_hash = is_chosen && service_.balance == config::Balance::hash;
    if (is_hash && !line_.has('H')) {
      note(
          "balance sends clients of a failed hash channel to the next group unless -H is given; "
          "here they go on to another target of the same group first");
    }
    if (is_hash) {
      note(
          "clients are hashed to other targets than in balance, and fewer of them move when "
          "targets change");
    }
    if (line_.has('H')) {
      note("-H has no key of its own: a hashed client always goes on to the next target");
    }
    if (has_limits) {
      note(
          "when every target is at its max_connections, connections wait until timeouts.dial "
          "instead of being closed at once");
    }
  }

  Step read_bind() {
    if (!line_.has('B')) return {};
    const std::string& host = line_.value('B');
    service_.bind = SocketAddress::parse_ip(host, 0);
    if (service_.bind) return {};
    if (!is_name(host)) {
      return refuse_balance(in_quotes(host) + " is not an address to connect from");
    }
    const auto found = config::look_up_host(host);
    if (!found) return refuse_balance("-B " + host + " has no address: " + found.error().text);
    const int family = line_.has('6') ? AF_INET6 : AF_INET;
    const auto address =
        std::ranges::find(*found, family, [](const SocketAddress& each) { return each.family(); });
    if (address == found->end()) {
      return refuse_balance("-B " + host + " has no IPv" + (family == AF_INET ? "4" : "6") +
                            " address");
    }
    service_.bind = *address;
    // The file has an address and no name, for `bind` takes nothing else.
    note("-B " + host +
         " was looked up by balance at each start; bind is the address that it has now");
    return {};
  }

  Step read_timeouts() {
    if (line_.has('t')) {
      const auto seconds = parse_seconds('t');
      if (!seconds) return tl::make_unexpected(seconds.error());
      service_.timeouts.connect = *seconds;
      // Each channel had this time for itself, however many there were.
      std::size_t targets = 0;
      for (const std::vector<config::Target>& group : service_.connect) targets += group.size();
      if (!*seconds) {
        service_.timeouts.dial.reset();
      } else {
        const Millis all = **seconds * static_cast<Millis::rep>(targets);
        service_.timeouts.dial = std::max(*service_.timeouts.dial, all);
      }
    }
    if (line_.has('T')) {
      const auto seconds = parse_seconds('T');
      if (!seconds) return tl::make_unexpected(seconds.error());
      service_.timeouts.idle = *seconds;
    }
    return {};
  }

  // 0 is "never".
  Result<config::Timeout> parse_seconds(char option) {
    const auto number = parse_balance_number(line_.value(option), "number of seconds");
    if (!number) return tl::make_unexpected(number.error());
    if (*number > kMostSeconds) {
      return refuse_balance(line_.value(option) + " seconds are too many");
    }
    return *number == 0 ? config::Timeout() : config::Timeout(std::chrono::seconds(*number));
  }

  void read_flags() {
    result_.config.global.foreground = line_.has('f');
    if (line_.has('d')) result_.config.global.log_level = log::Level::debug;
    if (line_.has('a')) {
      note(
          "-a has no counterpart: a target whose connection fails is left out for "
          "health.eject_time and then tried again by itself, so it need not be enabled by hand");
    }
    if (line_.has('p')) {
      note("-p has no counterpart: look at the traffic with tcpdump or wireshark");
    }
    if (line_.has('M')) {
      note("-M has no meaning here: there is one process, which shares no memory with others");
    }
  }

  BalanceLine line_;
  std::uint16_t port_ = 0;
  config::Service service_;
  BalanceConversion result_;
};

}  // namespace

Result<BalanceConversion> convert_balance(std::span<const std::string> arguments) {
  auto line = take_balance_apart(arguments);
  if (!line) return tl::make_unexpected(line.error());
  return Converter(std::move(*line)).run();
}

}  // namespace tunnel::import
