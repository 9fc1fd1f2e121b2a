// SPDX-License-Identifier: MIT
// `socket_options`: the options of sockets that stunnel's `socket` knows, by their names.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "config/codec.h"
#include "config/unknown_keys.h"

namespace tunnel::config {
namespace {

enum class Shape { flag, integer, linger, time, text };

struct Known {
  std::string_view name;
  int level;
  int number;
  Shape shape;
};

constexpr auto kKnown = std::to_array<Known>({
    {"SO_DEBUG", SOL_SOCKET, SO_DEBUG, Shape::flag},
    {"SO_DONTROUTE", SOL_SOCKET, SO_DONTROUTE, Shape::flag},
    {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, Shape::flag},
    {"SO_LINGER", SOL_SOCKET, SO_LINGER, Shape::linger},
    {"SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, Shape::flag},
    {"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, Shape::integer},
    {"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, Shape::integer},
    {"SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, Shape::integer},
    {"SO_SNDLOWAT", SOL_SOCKET, SO_SNDLOWAT, Shape::integer},
    {"SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO, Shape::time},
    {"SO_SNDTIMEO", SOL_SOCKET, SO_SNDTIMEO, Shape::time},
    {"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, Shape::flag},
    {"SO_BINDTODEVICE", SOL_SOCKET, SO_BINDTODEVICE, Shape::text},
    {"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, Shape::integer},
    {"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, Shape::integer},
    {"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, Shape::integer},
    {"IP_TOS", IPPROTO_IP, IP_TOS, Shape::integer},
    {"IP_TTL", IPPROTO_IP, IP_TTL, Shape::integer},
    {"TCP_MAXSEG", IPPROTO_TCP, TCP_MAXSEG, Shape::integer},
    {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, Shape::flag},
    {"IP_FREEBIND", IPPROTO_IP, IP_FREEBIND, Shape::flag},
    {"IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, Shape::flag},
});

template <class T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// "5:0" as two numbers; nullopt when it is something else.
std::optional<std::pair<int, int>> pair_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view part) -> std::optional<int> {
    int value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    const bool is_whole = error == std::errc() && end == part.data() + part.size();
    return is_whole && value >= 0 ? std::optional(value) : std::nullopt;
  };
  const auto first = number(text.substr(0, colon));
  const auto second = number(text.substr(colon + 1));
  if (!first || !second) return std::nullopt;
  return std::pair(*first, *second);
}

class OneOption {
 public:
  OneOption(Reader& reader, const Known& known, const Value& value)
      : reader_(reader), known_(known), value_(value) {
    row_.key = known.name;
    if (known.shape == Shape::integer) row_.type = Type::integer;
  }

  // Nothing after an error.
  std::optional<SocketOption> read() {
    SocketOption option{.name = std::string(known_.name),
                        .text = {},
                        .value = {},
                        .level = known_.level,
                        .number = known_.number};
    bool is_read = false;
    switch (known_.shape) {
      case Shape::flag:
        is_read = flag(option);
        break;
      case Shape::integer:
        is_read = integer(option);
        break;
      case Shape::linger:
        is_read = linger_time(option);
        break;
      case Shape::time:
        is_read = time(option);
        break;
      case Shape::text:
        is_read = text(option);
        break;
    }
    return is_read ? std::optional(std::move(option)) : std::nullopt;
  }

 private:
  bool refuse(std::string_view what) {
    reader_.error(value_, "\"" + std::string(known_.name) + "\" must be " + std::string(what));
    return false;
  }

  // 0 and 1 are what stunnel.conf and everybody's notes have.
  bool flag(SocketOption& option) {
    auto is_on = read_boolean(value_);
    const auto* number = value_.as<std::int64_t>();
    if (number != nullptr && (*number == 0 || *number == 1)) is_on = *number == 1;
    if (!is_on) return refuse("true or false");
    // setsockopt(2) takes an int for a flag, too.
    option.value = bytes_of(int{*is_on});
    option.text = *is_on ? "true" : "false";
    return true;
  }

  bool integer(SocketOption& option) {
    const auto number = read_integer(reader_, row_, value_);
    if (!number) return false;
    option.value = bytes_of(static_cast<int>(*number));
    option.text = std::to_string(*number);
    return true;
  }

  // Taken because stunnel has it, and never set: check_linger() says why.
  bool linger_time(SocketOption& option) {
    const auto* written = value_.as<std::string>();
    const auto pair = written != nullptr ? pair_of(*written) : std::nullopt;
    if (!pair || pair->first > 1) return refuse("\"on:seconds\", such as \"1:10\" or \"0:0\"");
    linger value{};
    value.l_onoff = pair->first;
    value.l_linger = pair->second;
    option.value = bytes_of(value);
    option.text = toml_quoted(*written);
    return true;
  }

  bool time(SocketOption& option) {
    const auto* written = value_.as<std::string>();
    const auto pair = written != nullptr ? pair_of(*written) : std::nullopt;
    if (!pair || pair->second >= 1'000'000) {
      return refuse("\"seconds:microseconds\", such as \"5:0\"");
    }
    timeval value{};
    value.tv_sec = pair->first;
    value.tv_usec = pair->second;
    option.value = bytes_of(value);
    option.text = toml_quoted(*written);
    return true;
  }

  bool text(SocketOption& option) {
    const auto* written = value_.as<std::string>();
    if (written == nullptr) return refuse("a string");
    if (!is_plain(reader_, row_, value_)) return false;
    option.value = *written;
    option.text = toml_quoted(*written);
    return true;
  }

  Reader& reader_;
  const Known& known_;
  const Value& value_;
  Option row_;
};

using Options = std::vector<SocketOption>;

template <Options SocketOptions::*Member>
void read_options(Reader& reader, const Option& option, const Setting& setting,
                  SocketOptions& target) {
  if (!setting.is_table()) return reader.wrong_type(option, setting.value());
  (target.*Member).clear();
  for (const Known& known : kKnown) {
    const Setting child = setting.child(known.name);
    if (!child.is_set()) continue;
    if (auto read = OneOption(reader, known, child.value()).read()) {
      (target.*Member).push_back(std::move(*read));
    }
  }
}

template <Options SocketOptions::*Member>
Printed print_options(const SocketOptions& options) {
  Printed result = Printed::table();
  for (const SocketOption& option : options.*Member) {
    result.children.emplace_back(option.name, Printed(option.text));
  }
  return result;
}

void check_names(Reader& reader, const Value& table) {
  std::array<std::string_view, kKnown.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kKnown[i].name;
  check_known(reader, table, names);
}

template <Options SocketOptions::*Member>
constexpr Row<SocketOptions> options_row(Option option) {
  option.type = Type::socket_options;
  return {option, &read_options<Member>, &print_options<Member>, &check_names};
}

constexpr auto kSocketOptionsRows = std::to_array<Row<SocketOptions>>({
    options_row<&SocketOptions::listen>(
        {.key = "listen",
         .help = "For the sockets in `accept`, before they are bound. { SO_RCVBUF = 262144 }; one "
                 "that cannot be set is an error at the start."}),
    options_row<&SocketOptions::client>(
        {.key = "client",
         .help = "For each accepted connection. { TCP_NODELAY = false }; unix sockets take the SO_ "
                 "options only, and one that cannot be set is a warning."}),
    options_row<&SocketOptions::target>(
        {.key = "target",
         .help = "For the connections to targets, before they are made. { SO_SNDBUF = 262144, "
                 "IP_TOS = 16 }; one that cannot be set is a warning."}),
});

}  // namespace

template <>
std::span<const Row<SocketOptions>> rows<SocketOptions>() {
  return kSocketOptionsRows;
}

}  // namespace tunnel::config
