// SPDX-License-Identifier: MIT
// `accept` and `status`: every form of an address to listen at, expanded to socket addresses.
#include "base/text.h"
#include "config/codec.h"
#include "config/url_address.h"

namespace tunnel::config {
namespace {

// Each is at least one listening socket.
constexpr std::size_t kMostAddresses = 1000;

// No host, port or service name holds a slash; a URL does, and is refused as a host.
bool is_unix_path(std::string_view text) {
  if (is_url(text)) return false;
  return text.find('/') != std::string_view::npos || text.starts_with('@');
}

// Reads one entry; what it expands to is appended to `target`.
class AcceptEntry {
 public:
  AcceptEntry(Reader& reader, const Option& option, const Value& value, int entry,
              std::vector<Accept>& target)
      : reader_(reader), option_(option), value_(value), entry_(entry), target_(target) {}

  void read() {
    // By what only one form can hold, so that no form has to be tried: a number is a port, a slash
    // is part of a path, what is left is an address with a port.
    if (const auto* number = value_.as<std::int64_t>()) return port(*number);
    const auto* text = value_.as<std::string>();
    if (text == nullptr) {
      return reader_.error(value_, "an address to accept at is a string or a port number, not " +
                                       std::string(value_.kind()));
    }
    text_ = *text;
    if (text_ == "stdio" && option_.key != "accept") {
      return reader_.error(value_, in_quotes(option_.key) + " is served at addresses only",
                           "write a path with a slash in it for a unix socket of that name");
    }
    if (text_ == "stdio") {
      return target_.push_back(
          {.form = Accept::Form::stdio, .address = {}, .entry = entry_, .text = text_});
    }
    // Before anything that has a colon: "fd:NAME" would be a host and the name of a service.
    if (is_passed_socket(text_)) return passed();
    if (is_unix_path(text_)) return unix_path();
    tcp();
  }

 private:
  void port(std::int64_t number) {
    text_ = std::to_string(number);
    if (number < 0 || number > 65535) {
      return reader_.error(value_, "port " + text_ + " is out of range; ports go up to 65535");
    }
    loopback(static_cast<std::uint16_t>(number));
  }

  void passed() {
    if (!is_socket_name(text_.substr(3))) {
      return reader_.error(
          value_, in_quotes(text_) + " does not name a socket",
          "it is \"fd:NAME\", with the FileDescriptorName= of a systemd socket unit");
    }
    target_.push_back(
        {.form = Accept::Form::passed, .address = {}, .entry = entry_, .text = text_});
  }

  void unix_path() {
    // An abstract name lies in no folder.
    if (!text_.starts_with('@')) text_ = reader_.absolute(value_, text_);
    const auto address = SocketAddress::unix_path(text_);
    if (!address) return reader_.error(value_, address.error().text);
    target_.push_back({.form = Accept::Form::unix_socket,
                       .address = *address,
                       .optional = false,
                       .entry = entry_,
                       .text = text_});
  }

  void tcp() {
    const bool is_any = text_.starts_with("*:");
    const auto split = parse_host_port(is_any ? text_.substr(2) : text_);
    if (!split || is_url(text_)) {
      if (is_url(text_)) {
        const std::string address = address_in_url(text_);
        return reader_.error(value_,
                             in_quotes(text_) + " is a URL; an address is \"ADDRESS:PORT\" only",
                             address.empty() ? "" : "write " + in_quotes(address));
      }
      const bool has_port = text_.find(':') != std::string::npos;
      return reader_.error(
          value_, split.error().text,
          has_port ? ""
                   : "write \"ADDRESS:PORT\", a port, or the path of a socket with a slash in it");
    }
    if (is_any) {
      add(SocketAddress::any_v4(split->port), Optional::yes);
      return add(SocketAddress::any_v6(split->port), Optional::yes);
    }
    if (split->host.empty()) return loopback(split->port);
    if (const auto ip = SocketAddress::parse_ip(split->host, split->port)) {
      return add(*ip, Optional::no);
    }
    name(split->host, split->port);
  }

  void name(const std::string& host, std::uint16_t port) {
    // Not looked up: the text is kept, and the address stays empty.
    if (!reader_.may_use_system()) return add(SocketAddress(), Optional::no);
    const auto found = reader_.resolve(host);
    if (!found || found->empty()) {
      return reader_.error(value_, "the address of " + in_quotes(host) + " cannot be found: " +
                                       (found ? "it has none" : found.error().text));
    }
    // Of several addresses one may be of a family that this machine does not have.
    for (SocketAddress address : *found) {
      address.set_port(port);
      add(address, found->size() > 1 ? Optional::yes : Optional::no);
    }
  }

  void loopback(std::uint16_t port) {
    add(SocketAddress::loopback_v4(port), Optional::yes);
    add(SocketAddress::loopback_v6(port), Optional::yes);
  }

  enum class Optional { no, yes };
  void add(const SocketAddress& address, Optional optional) {
    target_.push_back({.form = Accept::Form::tcp,
                       .address = address,
                       .optional = optional == Optional::yes,
                       .entry = entry_,
                       .text = text_});
  }

  Reader& reader_;
  const Option& option_;
  const Value& value_;
  int entry_;
  std::string text_;
  std::vector<Accept>& target_;
};

}  // namespace

void Codec<Type::accept>::read(Reader& reader, const Option& option, const Value& value,
                               std::vector<Accept>& target) {
  target.clear();
  const auto* array = value.as<Array>();
  if (array == nullptr) return AcceptEntry(reader, option, value, 0, target).read();
  const std::string key = in_quotes(option.key);
  if (array->empty()) return reader.error(value, key + " is empty");
  if (array->size() > kMostAddresses) {
    return reader.error(value,
                        key + " has more than " + std::to_string(kMostAddresses) + " addresses");
  }
  if (!reader.spend(value, array->size())) return;
  int entry = 0;
  for (const Value& element : *array) AcceptEntry(reader, option, element, entry++, target).read();
}

std::string Codec<Type::accept>::print(const std::vector<Accept>& value) {
  if (value.empty()) return "";
  std::vector<std::string> texts;
  int entry = -1;
  for (const Accept& accept : value) {
    // What one entry was expanded to is printed once, as it was written.
    if (accept.entry == entry) continue;
    entry = accept.entry;
    texts.push_back(accept.text);
  }
  return texts.size() == 1 ? toml_quoted(texts.front()) : quoted_list(texts);
}

}  // namespace tunnel::config
