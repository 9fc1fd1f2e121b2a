// SPDX-License-Identifier: MIT
// Users, groups, modes of sockets, name servers, source addresses, ranges and pins.
#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "config/codec.h"

namespace tunnel::config {
namespace {

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  // (uid_t)-1 means "leave it" to chown and setuid.
  return id == UINT32_MAX ? std::nullopt : std::optional(id);
}

std::optional<std::uint32_t> user_id(const std::string& name) {
  // An id needs no entry in the database: in containers there is often none.
  if (const auto number = number_of(name)) return number;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer{};
  (void)::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? std::optional<std::uint32_t>(found->pw_uid) : std::nullopt;
}

std::optional<std::uint32_t> group_id(const std::string& name) {
  if (const auto number = number_of(name)) return number;
  group entry{};
  group* found = nullptr;
  // The names of all members have to fit, and a group may have many.
  std::array<char, 65536> buffer{};
  (void)::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? std::optional<std::uint32_t>(found->gr_gid) : std::nullopt;
}

}  // namespace

void Codec<Type::user>::read(Reader& reader, const Option& option, const Value& value,
                             std::string& target) {
  // `user = 1000` is as clear as `user = "1000"`.
  if (const auto* number = value.as<std::int64_t>(); number != nullptr && *number >= 0) {
    target = std::to_string(*number);
  } else {
    Codec<Type::text>::read(reader, option, value, target);
  }
  if (!target.empty() && reader.may_use_system() && !user_id(target)) {
    reader.error(value, "there is no user " + in_quotes(target));
  }
}

void Codec<Type::group>::read(Reader& reader, const Option& option, const Value& value,
                              std::string& target) {
  if (const auto* number = value.as<std::int64_t>(); number != nullptr && *number >= 0) {
    target = std::to_string(*number);
  } else {
    Codec<Type::text>::read(reader, option, value, target);
  }
  if (!target.empty() && reader.may_use_system() && !group_id(target)) {
    reader.error(value, "there is no group " + in_quotes(target));
  }
}

void Codec<Type::unix_mode>::read(Reader& reader, const Option& option, const Value& value,
                                  std::uint32_t& target) {
  // Numbers are refused: 600 is not 0600, and nobody could tell which of the two was meant.
  const auto* text = value.as<std::string>();
  if (text == nullptr) {
    reader.wrong_type(option, value);
    return;
  }
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), mode, 8);
  if (error != std::errc() || end != text->data() + text->size() || mode > 0777) {
    return reader.error(value, in_quotes(*text) + " is not a file mode; write it like \"0660\"");
  }
  target = mode;
}

std::string Codec<Type::unix_mode>::print(std::uint32_t value) {
  std::string digits = "0000";
  for (std::size_t i = 4; i-- > 0; value /= 8) digits[i] = static_cast<char>('0' + value % 8);
  return toml_quoted(digits);
}

void Codec<Type::unix_owner>::read(Reader& reader, const Option& option, const Value& value,
                                   UnixOwner& target) {
  const auto* text = value.as<std::string>();
  if (text == nullptr) return reader.wrong_type(option, value);
  if (!is_plain(reader, option, value)) return;
  const std::size_t colon = text->find(':');
  const std::string user = text->substr(0, colon);
  const std::string group = colon == std::string::npos ? "" : text->substr(colon + 1);
  if (user.empty() && group.empty()) {
    return reader.error(
        value, in_quotes(*text) + " names no user and no group; write it like \"user:group\"");
  }
  target = {};
  // Without the system, a name stays unknown, and is no error.
  if (!user.empty()) target.uid = reader.may_use_system() ? user_id(user) : number_of(user);
  if (!group.empty()) target.gid = reader.may_use_system() ? group_id(group) : number_of(group);
  if (!reader.may_use_system()) return;
  if (!user.empty() && !target.uid) reader.error(value, "there is no user " + in_quotes(user));
  if (!group.empty() && !target.gid) reader.error(value, "there is no group " + in_quotes(group));
}

std::string Codec<Type::unix_owner>::print(const UnixOwner& value) {
  if (!value.uid && !value.gid) return "";
  const std::string user = value.uid ? std::to_string(*value.uid) : "";
  return toml_quoted(value.gid ? user + ":" + std::to_string(*value.gid) : user);
}

void Codec<Type::name_servers>::read(Reader& reader, const Option& option, const Value& value,
                                     std::vector<SocketAddress>& target) {
  constexpr std::uint16_t kDnsPort = 53;
  target.clear();
  for (const Value* element : read_texts(reader, option, value)) {
    const std::string& text = *element->as<std::string>();
    // First as a whole: an IPv6 address without brackets has colons, but no port.
    if (const auto bare = SocketAddress::parse_ip(text, kDnsPort)) {
      target.push_back(*bare);
      continue;
    }
    const auto split = parse_host_port(text);
    const auto address = split && split->port != 0
                             ? SocketAddress::parse_ip(split->host, split->port)
                             : std::nullopt;
    if (address) {
      target.push_back(*address);
    } else {
      reader.error(*element, in_quotes(text) + " is not the address of a name server",
                   "write an IP address, with a port if it is not 53: \"10.0.0.53\", "
                   "\"[2001:db8::53]:5353\"");
    }
  }
}

std::string Codec<Type::name_servers>::print(const std::vector<SocketAddress>& value) {
  std::vector<std::string> texts;
  for (const SocketAddress& address : value) texts.push_back(address.to_string());
  return quoted_list(texts);
}

void Codec<Type::source_address>::read(Reader& reader, const Option& option, const Value& value,
                                       std::optional<SocketAddress>& target) {
  const auto* text = value.as<std::string>();
  if (text == nullptr) return reader.wrong_type(option, value);
  const auto address = SocketAddress::parse_ip(*text, 0);
  if (address) {
    target = *address;
  } else {
    reader.error(value, in_quotes(*text) + " is not an IP address; \"" + std::string(option.key) +
                            "\" takes one without a port");
  }
}

std::string Codec<Type::source_address>::print(const std::optional<SocketAddress>& value) {
  return value ? toml_quoted(value->ip()) : "";
}

void Codec<Type::ranges>::read(Reader& reader, const Option& option, const Value& value,
                               std::vector<Cidr>& target) {
  target.clear();
  for (const Value* element : read_texts(reader, option, value)) {
    const auto range = Cidr::parse(*element->as<std::string>());
    if (range) {
      target.push_back(*range);
    } else {
      reader.error(*element, range.error().text);
    }
  }
  // An empty list would mean "everyone", the opposite of what it looks like.
  const auto* array = value.as<Array>();
  if (array != nullptr && array->empty()) {
    reader.error(value, "\"" + std::string(option.key) + "\" is empty, so no client could connect",
                 "leave it out to let everyone connect who can reach the address");
  }
}

std::string Codec<Type::ranges>::print(const std::vector<Cidr>& value) {
  std::vector<std::string> texts;
  for (const Cidr& range : value) texts.push_back(range.to_string());
  return quoted_list(texts);
}

namespace {

bool is_sha256(std::string_view text) {
  const auto all = [&](std::string_view part, auto&& predicate) {
    return std::all_of(part.begin(), part.end(), predicate);
  };
  const auto is_hex = [&](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  const auto is_base64 = [&](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/';
  };
  if (text.size() == 64) return all(text, is_hex);
  // 32 bytes are 43 characters of base64 and one "=".
  return text.size() == 44 && text[43] == '=' && all(text.substr(0, 43), is_base64);
}

}  // namespace

void Codec<Type::pins>::read(Reader& reader, const Option& option, const Value& value,
                             std::vector<std::string>& target) {
  constexpr std::string_view kPrefix = "sha256:";
  target.clear();
  for (const Value* element : read_texts(reader, option, value)) {
    const std::string& text = *element->as<std::string>();
    if (text.starts_with(kPrefix) && is_sha256(std::string_view(text).substr(kPrefix.size()))) {
      target.push_back(text);
    } else {
      reader.error(*element, in_quotes(text) + " is not a pin",
                   "a pin is \"sha256:\" and the SHA-256 of the server's public key, in 64 hex "
                   "digits or in base64");
    }
  }
}

}  // namespace tunnel::config
