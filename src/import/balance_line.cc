// SPDX-License-Identifier: MIT
#include "import/balance_line.h"

#include <algorithm>
#include <charconv>

#include "base/address.h"
#include "base/text.h"

namespace tunnel::import {
namespace {

constexpr std::string_view kUsage =
    "usage: balance [-b ADDRESS] [-B ADDRESS] [-t SECONDS] [-T SECONDS] [-adfpHM6] PORT\n"
    "       HOST[:PORT[:MAX]] [!|%] [HOST[:PORT[:MAX]] [!|%] ...]";

constexpr std::string_view kOptionsWithValue = "bBtTc";
constexpr std::string_view kFlags = "adfpHMi6";

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

tl::unexpected<Error> refuse_balance(const std::string& text) {
  return failed(ErrorCode::invalid, text + "\n" + std::string(kUsage));
}

Result<BalanceLine> take_balance_apart(std::span<const std::string> arguments) {
  BalanceLine line;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      line.operands.insert(line.operands.end(),
                           arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    // A dash alone is an operand, as it is for getopt(3).
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
        return refuse_balance("balance has no option -" + std::string(1, option));
      }
      if (at + 1 < argument.size()) {
        line.options[option] = argument.substr(at + 1);
      } else if (i + 1 < arguments.size()) {
        line.options[option] = arguments[++i];
      } else {
        return refuse_balance("option -" + std::string(1, option) + " needs a value");
      }
      break;
    }
  }
  return line;
}

Result<std::uint32_t> parse_balance_number(std::string_view text, std::string_view what) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return refuse_balance(in_quotes(text) + " is not a " + std::string(what));
}

Result<std::uint16_t> parse_balance_port(const std::string& text) {
  // Without a colon, this is a number or a service name and nothing else.
  const auto parsed = parse_host_port(text);
  if (!parsed) return refuse_balance(parsed.error().text);
  if (parsed->port == 0) return refuse_balance("port 0 cannot be used here");
  return parsed->port;
}

Result<config::Target> parse_balance_channel(const std::string& text, std::uint16_t default_port) {
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string::npos ? first : text.find(':', first + 1);
  config::Target target;
  target.host = text.substr(0, first);
  target.port = default_port;
  const std::string port_text =
      first == std::string::npos ? "" : text.substr(first + 1, second - first - 1);
  if (!port_text.empty()) {
    const auto port = parse_balance_port(port_text);
    if (!port) return tl::make_unexpected(port.error());
    target.port = *port;
  }
  if (second != std::string::npos && second + 1 < text.size()) {
    const auto limit = parse_balance_number(text.substr(second + 1), "number of connections");
    if (!limit) return tl::make_unexpected(limit.error());
    if (*limit > 0) target.max_connections = *limit;  // 0 is no limit
  }
  const bool is_address = SocketAddress::parse_ip(target.host, 0).has_value();
  // No name has a last label of digits only: that was meant to be an address.
  const bool ends_in_digits = is_digits(target.host.substr(target.host.rfind('.') + 1));
  if (target.host.empty() || (!is_address && (!is_name(target.host) || ends_in_digits))) {
    return refuse_balance(in_quotes(text) + " is not a channel; write HOST[:PORT[:MAX]]");
  }
  target.form = is_address ? config::Target::Form::ip : config::Target::Form::name;
  target.text = target.host + ":" + std::to_string(target.port);
  return target;
}

}  // namespace tunnel::import
