// SPDX-License-Identifier: MIT
#include "config/url_address.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tunnel::config {
namespace {

struct Scheme {
  std::string_view name;
  std::string_view port;
};
constexpr auto kSchemes = std::to_array<Scheme>({
    {"amqps", "5671"}, {"ftp", "21"},      {"ftps", "990"},      {"http", "80"},
    {"https", "443"},  {"imap", "143"},    {"imaps", "993"},     {"ldap", "389"},
    {"ldaps", "636"},  {"mqtts", "8883"},  {"mysql", "3306"},    {"nntps", "563"},
    {"pop3", "110"},   {"pop3s", "995"},   {"postgres", "5432"}, {"postgresql", "5432"},
    {"redis", "6379"}, {"rediss", "6379"}, {"smtp", "25"},       {"smtps", "465"},
    {"wss", "443"},
});

// Behind the host; brackets hold the colons of an IPv6 address.
std::size_t port_colon(std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  return bracket != std::string_view::npos && colon != std::string_view::npos && colon < bracket
             ? std::string_view::npos
             : colon;
}

// nginx's "unix:/run/x.sock", HAProxy's "unix@/run/x.sock".
bool is_unix_prefixed(std::string_view text) {
  return text.starts_with("unix:/") || text.starts_with("unix@/");
}

}  // namespace

bool is_url(std::string_view text) {
  return text.find("://") != std::string_view::npos || is_unix_prefixed(text);
}

std::string address_in_url(std::string_view url) {
  std::string_view scheme;
  std::string_view rest = url;
  if (is_unix_prefixed(url) && !url.starts_with("unix://")) return std::string(url.substr(5));
  if (const std::size_t end = url.find("://"); end != std::string_view::npos) {
    scheme = url.substr(0, end);
    rest = url.substr(end + 3);
  }
  if (equal_ignoring_case(scheme, "unix") || equal_ignoring_case(scheme, "file")) {
    return rest.starts_with('/') ? std::string(rest) : "";
  }
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    rest.remove_prefix(at + 1);  // a login is the client's business
  }
  if (rest.empty()) return "";
  const std::size_t colon = port_colon(rest);
  if (colon != std::string_view::npos && is_digits(rest.substr(colon + 1))) {
    return std::string(rest);
  }
  for (const Scheme& known : kSchemes) {
    if (!equal_ignoring_case(scheme, known.name)) continue;
    return std::string(rest.substr(0, colon)) + ":" + std::string(known.port);
  }
  return std::string(rest.substr(0, colon)) + ":PORT";
}

bool has_path_after_port(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || text.starts_with('.')) return false;
  const std::string_view authority = text.substr(0, slash);
  const std::size_t colon = port_colon(authority);
  return colon != std::string_view::npos && colon > 0 && is_digits(authority.substr(colon + 1));
}

}  // namespace tunnel::config
