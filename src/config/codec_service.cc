// SPDX-License-Identifier: MIT
#include "config/codec_service.h"

#include <algorithm>
#include <span>
#include <string>

#include "base/text.h"
#include "config/codec.h"
#include "config/reader.h"

namespace tunnel::config {

// `client` has no member: this is a client tunnel, and `true` changes nothing.
void read_client(Reader& reader, const Option& option, const Setting& setting, Service&) {
  const auto boolean = read_boolean(setting.value());
  if (!boolean) return reader.wrong_type(option, setting.value());
  if (*boolean) return;
  reader.error(setting.value(),
               "this is a client tunnel: it accepts plaintext and speaks TLS to its targets; it "
               "cannot be the server side",
               "remove the line, or keep stunnel or another TLS server for this service");
}

Printed print_client(const Service&) { return {}; }

// The lines are the proxy's, which stands in the row before.
void read_proxy_headers(Reader& reader, const Option& option, const Setting& setting,
                        Service& service) {
  const auto is_http = [](const Proxy& proxy) { return proxy.form == Proxy::Form::http; };
  if (std::ranges::none_of(service.proxies, is_http)) {
    return reader.error(setting.value(),
                        "\"proxy_headers\" belong to an http proxy, and there is none",
                        "proxy = \"http://proxy.example.com:3128\"");
  }
  for (const Value* line : read_texts(reader, option, setting.value())) {
    const std::string& text = *line->as<std::string>();
    const std::size_t colon = text.find(':');
    if (colon == 0 || colon == std::string::npos) {
      reader.error(*line, "a header line is written \"Name: value\"");
    } else if (is_plain(reader, option, *line)) {
      for (Proxy& proxy : service.proxies) {
        if (is_http(proxy)) proxy.headers.push_back(text);
      }
    }
  }
}

Printed print_proxy_headers(const Service& service) {
  for (const Proxy& proxy : service.proxies) {
    if (!proxy.headers.empty()) return Printed(quoted_list(proxy.headers));
  }
  return {};
}

// A program's arguments are its own business: a whole script, or an empty one. Only a NUL cannot be
// passed.
void read_exec_args(Reader& reader, const Option& option, const Setting& setting,
                    Service& service) {
  const auto* array = setting.value().as<Array>();
  const std::span<const Value> values =
      array != nullptr ? std::span<const Value>(*array) : std::span(&setting.value(), 1);
  service.exec_args.clear();
  if (!reader.spend(setting.value(), values.size())) return;
  for (const Value& value : values) {
    const auto* text = value.as<std::string>();
    if (text == nullptr) {
      reader.wrong_type(option, value);
    } else if (text->find('\0') != std::string::npos) {
      reader.error(value, "an argument of a program cannot hold a NUL character");
    } else {
      service.exec_args.push_back(*text);
    }
  }
}

Printed print_exec_args(const Service& service) {
  return service.exec_args.empty() ? Printed() : Printed(quoted_list(service.exec_args));
}

}  // namespace tunnel::config
