// SPDX-License-Identifier: MIT
// How each type of the option table is read from a Value and printed again. `read` reports what is
// wrong and leaves the target as it was.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "config/reader.h"
#include "config/schema.h"

namespace tunnel::config {

template <Type type>
struct Codec;

// A TOML string with everything escaped that needs it.
[[nodiscard]] std::string toml_quoted(std::string_view text);
// `["a", "b"]`; "" for an empty list, which is "not set".
[[nodiscard]] std::string quoted_list(const std::vector<std::string>& texts);

// The text of a string value, checked to be plain; null after an error.
[[nodiscard]] const std::string* plain_text(Reader& reader, const Option& option,
                                            const Value& value);
// The strings of a string or an array of strings; others are reported and left out.
[[nodiscard]] std::vector<const Value*> read_texts(Reader& reader, const Option& option,
                                                   const Value& value);
[[nodiscard]] std::optional<bool> read_boolean(const Value& value);
[[nodiscard]] std::optional<std::int64_t> read_integer(Reader& reader, const Option& option,
                                                       const Value& value);
[[nodiscard]] std::optional<int> read_word(Reader& reader, const Option& option,
                                           const Value& value);
[[nodiscard]] std::string print_word(std::span<const Word> words, int value);

// "fd:NAME" is a socket that the service manager passes under that name, which must be one that it
// may have.
[[nodiscard]] bool is_passed_socket(std::string_view text);
[[nodiscard]] bool is_socket_name(std::string_view name);

// The words of an enumeration; each specialisation stands beside the rows that use it.
template <class E>
struct Words;

template <>
struct Codec<Type::boolean> {
  static void read(Reader& reader, const Option& option, const Value& value, bool& target);
  static std::string print(bool value) { return value ? "true" : "false"; }
};

template <>
struct Codec<Type::text> {
  static void read(Reader& reader, const Option& option, const Value& value, std::string& target);
  // Set but empty means something here (`sni = ""` sends none).
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::optional<std::string>& target);
  static std::string print(const std::string& value);
  static std::string print(const std::optional<std::string>& value);
};

template <>
struct Codec<Type::texts> {
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::vector<std::string>& target);
  static std::string print(const std::vector<std::string>& value) { return quoted_list(value); }
};

template <>
struct Codec<Type::path> {
  static void read(Reader& reader, const Option& option, const Value& value, std::string& target);
  static std::string print(const std::string& value);
};

template <>
struct Codec<Type::path_or_off> : Codec<Type::path> {
  static void read(Reader& reader, const Option& option, const Value& value, std::string& target);
};

template <>
struct Codec<Type::readable_path> : Codec<Type::path> {
  static void read(Reader& reader, const Option& option, const Value& value, std::string& target);
};

template <>
struct Codec<Type::readable_paths> {
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::vector<std::string>& target);
  static std::string print(const std::vector<std::string>& value) { return quoted_list(value); }
};

// A path that may also be the name of a credential (Reader::credential_or_path).
template <>
struct Codec<Type::secret_path> : Codec<Type::path> {
  static void read(Reader& reader, const Option& option, const Value& value, std::string& target);
};

template <>
struct Codec<Type::program> : Codec<Type::path> {
  static void read(Reader& reader, const Option& option, const Value& value, std::string& target);
};

template <>
struct Codec<Type::path_or_uri> : Codec<Type::path> {
  static void read(Reader& reader, const Option& option, const Value& value, std::string& target);
};

template <>
struct Codec<Type::log_target> {
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::vector<std::string>& target);
  static std::string print(const std::vector<std::string>& value) {
    return value.size() == 1 ? toml_quoted(value.front()) : quoted_list(value);
  }
};

template <>
struct Codec<Type::choice> {
  template <class E>
  static void read(Reader& reader, const Option& option, const Value& value, E& target) {
    if (const auto word = read_word(reader, option, value)) target = static_cast<E>(*word);
  }
  template <class E>
  static std::string print(const E& value) {
    return print_word(Words<E>::kWords, static_cast<int>(value));
  }
};

template <>
struct Codec<Type::duration> {
  static void read(Reader& reader, const Option& option, const Value& value, Millis& target);
  static std::string print(Millis value);
};

template <>
struct Codec<Type::timeout> {
  static void read(Reader& reader, const Option& option, const Value& value, Timeout& target);
  static std::string print(const Timeout& value);
};

template <>
struct Codec<Type::integer> {
  template <class T>
  static void read(Reader& reader, const Option& option, const Value& value, T& target) {
    if (const auto number = read_integer(reader, option, value)) target = static_cast<T>(*number);
  }
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::optional<std::uint32_t>& target);
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::optional<std::uint16_t>& target);
  static std::string print(const std::optional<std::uint16_t>& value) {
    return value ? std::to_string(*value) : "";
  }
  static std::string print(std::int64_t value) { return std::to_string(value); }
  static std::string print(const std::optional<std::uint32_t>& value) {
    return value ? std::to_string(*value) : "";
  }
};

// Octets: "64MiB", or a number.
template <>
struct Codec<Type::size> {
  static void read(Reader& reader, const Option& option, const Value& value, std::uint64_t& target);
  static std::string print(std::uint64_t value);
};

template <>
struct Codec<Type::size_or_off> {
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::optional<std::uint64_t>& target);
  static std::string print(const std::optional<std::uint64_t>& value);
};

template <>
struct Codec<Type::workers> {
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::optional<unsigned>& target);
  static std::string print(const std::optional<unsigned>& value) {
    return value ? std::to_string(*value) : "\"auto\"";
  }
};

template <>
struct Codec<Type::user> : Codec<Type::text> {
  static void read(Reader& reader, const Option& option, const Value& value, std::string& target);
};

template <>
struct Codec<Type::group> : Codec<Type::text> {
  static void read(Reader& reader, const Option& option, const Value& value, std::string& target);
};

template <>
struct Codec<Type::unix_mode> {
  static void read(Reader& reader, const Option& option, const Value& value, std::uint32_t& target);
  static std::string print(std::uint32_t value);
};

template <>
struct Codec<Type::unix_owner> {
  static void read(Reader& reader, const Option& option, const Value& value, UnixOwner& target);
  static std::string print(const UnixOwner& value);
};

template <>
struct Codec<Type::name_servers> {
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::vector<SocketAddress>& target);
  static std::string print(const std::vector<SocketAddress>& value);
};

template <>
struct Codec<Type::source_address> {
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::optional<SocketAddress>& target);
  static std::string print(const std::optional<SocketAddress>& value);
};

template <>
struct Codec<Type::ranges> {
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::vector<Cidr>& target);
  static std::string print(const std::vector<Cidr>& value);
};

template <>
struct Codec<Type::pins> : Codec<Type::texts> {
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::vector<std::string>& target);
};

template <>
struct Codec<Type::accept> {
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::vector<Accept>& target);
  static std::string print(const std::vector<Accept>& value);
};

template <>
struct Codec<Type::connect> {
  static void read(Reader& reader, const Option& option, const Value& value, TargetGroups& target);
  static std::string print(const TargetGroups& value);
};

template <>
struct Codec<Type::proxy> {
  static void read(Reader& reader, const Option& option, const Value& value,
                   std::vector<Proxy>& target);
  static std::string print(const std::vector<Proxy>& value);
};

}  // namespace tunnel::config
