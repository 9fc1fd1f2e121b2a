// SPDX-License-Identifier: MIT
// `proxy`: one or several of "http://[user:password@]host:port",
// "socks5://[user:password@]host:port".
#include <array>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/encoding.h"
#include "base/text.h"
#include "config/codec.h"

namespace tunnel::config {
namespace {

struct ProxyScheme {
  std::string_view prefix;
  Proxy::Form form;
};
constexpr std::array<ProxyScheme, 2> kProxySchemes = {
    {{"http://", Proxy::Form::http}, {"socks5://", Proxy::Form::socks5}}};
constexpr std::string_view kExample =
    "proxy = \"http://proxy.example.com:3128\" or \"socks5://user:password@127.0.0.1:1080\"";

// RFC 3986 section 2.1; nothing when a "%" is not followed by two hexadecimal digits.
std::optional<std::string> unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) return std::nullopt;
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

void read_proxy(Reader& reader, const Value& value, std::vector<Proxy>& target) {
  const auto* written = value.as<std::string>();
  const auto refuse = [&](std::string text) {
    return reader.error(value, std::move(text), std::string(kExample));
  };
  std::string_view rest = *written;
  Proxy proxy;
  bool is_known = false;
  for (const ProxyScheme& scheme : kProxySchemes) {
    if (!rest.starts_with(scheme.prefix)) continue;
    proxy.form = scheme.form;
    rest.remove_prefix(scheme.prefix.size());
    is_known = true;
  }
  if (!is_known) return refuse("a proxy is written with http:// or socks5:// in front");
  // As browsers show it.
  if (rest.ends_with('/')) rest.remove_suffix(1);
  // The last one: in a password it is often not escaped, in a host it cannot be.
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = rest.substr(0, at);
    const std::size_t colon = login.find(':');
    const auto user = unescaped(login.substr(0, colon));
    const auto password =
        colon == std::string_view::npos ? std::string() : unescaped(login.substr(colon + 1));
    if (!user || !password || user->empty()) {
      return refuse("the login in front of \"@\" is user:password; write other characters as %XX");
    }
    // RFC 1929 section 2 counts them in one byte.
    if (proxy.form == Proxy::Form::socks5 && (user->size() > 255 || password->size() > 255)) {
      return refuse("user and password of a SOCKS5 proxy are at most 255 bytes each");
    }
    proxy.user = *user;
    proxy.password = *password;
    rest.remove_prefix(at + 1);
  }
  const auto host = parse_host_port(rest);
  // parse_host_port() takes a word alone for a port, or for the name of a service.
  const bool has_port = rest.substr(rest.rfind(']') + 1).find(':') != std::string_view::npos;
  if (!has_port || (host && (host->host.empty() || host->port == 0))) {
    return refuse("a proxy needs a host and a port");
  }
  if (!host) return refuse(host.error().text);
  proxy.host = host->host;
  proxy.port = host->port;
  target.push_back(std::move(proxy));
}

std::string url_of(const Proxy& proxy) {
  std::string text(kProxySchemes[static_cast<std::size_t>(proxy.form)].prefix);
  if (!proxy.user.empty()) {
    text += percent_encoded(proxy.user) + ":" + percent_encoded(proxy.password) + "@";
  }
  const bool is_v6 = proxy.host.find(':') != std::string::npos;
  return text + (is_v6 ? "[" + proxy.host + "]" : proxy.host) + ":" + std::to_string(proxy.port);
}

}  // namespace

void Codec<Type::proxy>::read(Reader& reader, const Option& option, const Value& value,
                              std::vector<Proxy>& target) {
  for (const Value* each : read_texts(reader, option, value)) read_proxy(reader, *each, target);
}

std::string Codec<Type::proxy>::print(const std::vector<Proxy>& value) {
  std::vector<std::string> urls;
  for (const Proxy& proxy : value) urls.push_back(url_of(proxy));
  return urls.size() == 1 ? toml_quoted(urls.front()) : quoted_list(urls);
}

}  // namespace tunnel::config
