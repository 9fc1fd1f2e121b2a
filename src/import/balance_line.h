// SPDX-License-Identifier: MIT
// The command line of Inlab's balance and its parts. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/model.h"

namespace tunnel::import {

// An error that ends with how balance is to be called.
[[nodiscard]] tl::unexpected<Error> refuse_balance(const std::string& text);

// The command line, taken apart the way getopt does: flags may be joined, a value may follow its
// option with or without a space, options may stand after the operands, and "--" ends them.
struct BalanceLine {
  std::map<char, std::string> options;  // the last one of each counts
  std::vector<std::string> operands;

  [[nodiscard]] bool has(char option) const { return options.count(option) > 0; }
  [[nodiscard]] const std::string& value(char option) const { return options.at(option); }
};

// Of a host, a service or an interface, as far as its letters go.
[[nodiscard]] bool is_name(std::string_view text);

[[nodiscard]] Result<BalanceLine> take_balance_apart(std::span<const std::string> arguments);

// `what` is what it is a number of, for people: "number of seconds".
[[nodiscard]] Result<std::uint32_t> parse_balance_number(std::string_view text,
                                                         std::string_view what);

[[nodiscard]] Result<std::uint16_t> parse_balance_port(const std::string& text);

// "HOST[:[PORT][:MAX]]"; balance knows no IPv6 here, so colons only separate, and an empty port is
// that of the listener.
[[nodiscard]] Result<config::Target> parse_balance_channel(const std::string& text,
                                                           std::uint16_t default_port);

}  // namespace tunnel::import
