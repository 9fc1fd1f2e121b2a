// SPDX-License-Identifier: MIT
#include "import/balance_cli.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>
#include <variant>

#include "base/address.h"
#include "base/text.h"
#include "config/reader.h"

namespace tunnel::import {
namespace {

constexpr std::string_view kUsage =
    "usage: balance [-b ADDRESS] [-B ADDRESS] [-t SECONDS] [-T SECONDS] [-adfpHM6] PORT\n"
    "       HOST[:PORT[:MAX]] [!|%] [HOST[:PORT[:MAX]] [!|%] ...]";

constexpr std::string_view kOptionsWithValue = "bBtTc";
constexpr std::string_view kFlags = "adfpHMi6";

// balance takes what atoi takes; a year is more than anybody means.
constexpr std::uint32_t kMostSeconds = 365 * 24 * 3600;

tl::unexpected<Error> refused(const std::string& text) {
  return failed(ErrorCode::invalid, text + "\n" + std::string(kUsage));
}

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

Result<std::uint32_t> parse_number(std::string_view text, std::string_view what) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return refused(in_quotes(text) + " is not a " + std::string(what));
}

Result<std::uint16_t> parse_port(const std::string& text) {
  // Without a colon, this is a number or a service name and nothing else.
  const auto parsed = parse_host_port(text);
  if (!parsed) return refused(parsed.error().text);
  if (parsed->port == 0) return refused("port 0 cannot be used here");
  return parsed->port;
}

// The command line, taken apart the way getopt does: flags may be joined, a value may follow its
// option with or without a space, options may stand after the operands, and "--" ends them.
struct CommandLine {
  std::map<char, std::string> options;  // the last one of each counts
  std::vector<std::string> operands;

  [[nodiscard]] bool has(char option) const { return options.count(option) > 0; }
  [[nodiscard]] const std::string& value(char option) const { return options.at(option); }
};

Result<CommandLine> take_apart(std::span<const std::string> arguments) {
  CommandLine line;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      line.operands.insert(line.operands.end(),
                           arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (argument.size() < 2 || argument[0] != '-') {
      line.operands.push_back(argument);
      continue;
    }
    for (std::size_t at = 1; at < argument.size(); ++at) {
      const char option = argument[at];
      if (kFlags.find(option) != std::string_view::npos) {
        line.options[option];
        continue;
      }
      if (kOptionsWithValue.find(option) == std::string_view::npos) {
        return refused("balance has no option -" + std::string(1, option));
      }
      if (at + 1 < argument.size()) {
        line.options[option] = argument.substr(at + 1);
      } else if (i + 1 < arguments.size()) {
        line.options[option] = arguments[++i];
      } else {
        return refused("option -" + std::string(1, option) + " needs a value");
      }
      break;
    }
  }
  return line;
}

// "HOST[:[PORT][:MAX]]"; balance knows no IPv6 here, so colons only separate, and an empty port is
// that of the listener.
Result<config::Target> parse_channel(const std::string& text, std::uint16_t default_port) {
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string::npos ? first : text.find(':', first + 1);
  config::Target target;
  target.host = text.substr(0, first);
  target.port = default_port;
  const std::string port_text =
      first == std::string::npos ? "" : text.substr(first + 1, second - first - 1);
  if (!port_text.empty()) {
    const auto port = parse_port(port_text);
    if (!port) return tl::make_unexpected(port.error());
    target.port = *port;
  }
  if (second != std::string::npos && second + 1 < text.size()) {
    const auto limit = parse_number(text.substr(second + 1), "number of connections");
    if (!limit) return tl::make_unexpected(limit.error());
    if (*limit > 0) target.max_connections = *limit;  // 0 is no limit
  }
  const bool is_address = SocketAddress::parse_ip(target.host, 0).has_value();
  // No name has a last label of digits only: that was meant to be an address.
  const bool ends_in_digits = is_digits(target.host.substr(target.host.rfind('.') + 1));
  if (target.host.empty() || (!is_address && (!is_name(target.host) || ends_in_digits))) {
    return refused(in_quotes(text) + " is not a channel; write HOST[:PORT[:MAX]]");
  }
  target.form = is_address ? config::Target::Form::ip : config::Target::Form::name;
  target.text = target.host + ":" + std::to_string(target.port);
  return target;
}

class Converter {
 public:
  explicit Converter(CommandLine line) : line_(std::move(line)) {}

  Result<BalanceConversion> run() {
    if (line_.has('i') || line_.has('c')) {
      return refused(
          "-i and -c talk to a running balance and describe none, so there is nothing to convert");
    }
    if (line_.operands.size() < 2) {
      return refused(line_.operands.empty() ? "the port to listen at is missing"
                                            : "there is no channel");
    }
    service_.name = is_digits(line_.operands[0]) ? "balance" : line_.operands[0];
    service_.tls.reset();
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
    const auto port = parse_port(line_.operands[0]);
    if (!port || line_.operands[0].find(':') != std::string::npos) {
      return refused(in_quotes(line_.operands[0]) + " is not a port to listen at");
    }
    port_ = *port;
    const std::string port_text = std::to_string(port_);
    if (!line_.has('b')) {
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
      return refused("-6 asks for IPv6, and " + host + " is an IPv4 address");
    }
    if (!address && !is_name(host)) {
      return refused(in_quotes(host) + " is not an address to listen at");
    }
    if (address) {
      add_accept(*address, address->to_string(), false);
      service_.allow_remote = !address->is_loopback();
    } else {
      add_accept(SocketAddress(), host + ":" + port_text, false);
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
        auto target = parse_channel(operand, port_);
        if (!target) return tl::make_unexpected(target.error());
        group.push_back(std::move(*target));
        continue;
      }
      if (service_.connect.empty() && group.empty()) {
        return refused("there is no channel before the first \"" + operand + "\"");
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
    if (!is_name(host)) return refused(in_quotes(host) + " is no address to connect from");
    const auto found = config::look_up_host(host);
    if (!found) return refused("-B " + host + " has no address: " + found.error().text);
    const int family = line_.has('6') ? AF_INET6 : AF_INET;
    const auto address =
        std::ranges::find(*found, family, [](const SocketAddress& each) { return each.family(); });
    if (address == found->end()) {
      return refused("-B " + host + " has no IPv" + (family == AF_INET ? "4" : "6") + " address");
    }
    service_.bind = *address;
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
    const auto number = parse_number(line_.value(option), "number of seconds");
    if (!number) return tl::make_unexpected(number.error());
    if (*number > kMostSeconds) return refused(line_.value(option) + " seconds are too many");
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

  CommandLine line_;
  std::uint16_t port_ = 0;
  config::Service service_;
  BalanceConversion result_;
};

}  // namespace

Result<BalanceConversion> convert_balance(std::span<const std::string> arguments) {
  auto line = take_apart(arguments);
  if (!line) return tl::make_unexpected(line.error());
  return Converter(std::move(*line)).run();
}

}  // namespace tunnel::import
