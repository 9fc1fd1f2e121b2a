// SPDX-License-Identifier: MIT
// Numbers, durations and sizes, with their limits.
#include "base/text.h"
#include "config/codec.h"

namespace tunnel::config {

std::optional<std::int64_t> read_integer(Reader& reader, const Option& option, const Value& value) {
  const auto* number = value.as<std::int64_t>();
  if (number == nullptr) {
    reader.wrong_type(option, value);
    return std::nullopt;
  }
  if (*number < option.min || *number > option.max) {
    reader.error(value, in_quotes(option.key) + " must be between " + std::to_string(option.min) +
                            " and " + std::to_string(option.max));
    return std::nullopt;
  }
  return *number;
}

namespace {

// A duration as a string with units, or whole seconds; nullopt after an error.
std::optional<Millis> read_duration(Reader& reader, const Option& option, const Value& value) {
  Millis result{0};
  if (const auto* seconds_written = value.as<std::int64_t>()) {
    // The limit of parse_duration(), which also keeps the product below from overflow.
    constexpr std::int64_t kMostSeconds = std::int64_t{86'400} * 3650;
    if (*seconds_written < 0 || *seconds_written > kMostSeconds) {
      reader.error(value, in_quotes(option.key) + " must be between 0 seconds and ten years");
      return std::nullopt;
    }
    result = Millis(*seconds_written * 1000);
  } else if (const auto* text = value.as<std::string>()) {
    const auto parsed = parse_duration(*text);
    if (!parsed) {
      reader.error(value, parsed.error().text);
      return std::nullopt;
    }
    result = *parsed;
  } else {
    reader.wrong_type(option, value);
    return std::nullopt;
  }
  if (result.count() < option.min) {
    reader.error(value,
                 in_quotes(option.key) + " must be at least " + format_duration(Millis(option.min)),
                 option.type == Type::timeout ? "\"off\" means no limit" : "");
    return std::nullopt;
  }
  // A timeout has no maximum of its own: it may be "off", which is longer than any.
  if (result.count() > option.max && option.type == Type::duration) {
    reader.error(value,
                 in_quotes(option.key) + " must be at most " + format_duration(Millis(option.max)));
    return std::nullopt;
  }
  return result;
}

}  // namespace

void Codec<Type::duration>::read(Reader& reader, const Option& option, const Value& value,
                                 Millis& target) {
  if (const auto* text = value.as<std::string>(); text != nullptr && *text == "off") {
    return reader.error(value, in_quotes(option.key) + " cannot be \"off\"");
  }
  if (const auto duration = read_duration(reader, option, value)) target = *duration;
}

std::string Codec<Type::duration>::print(Millis value) {
  return toml_quoted(format_duration(value));
}

void Codec<Type::timeout>::read(Reader& reader, const Option& option, const Value& value,
                                Timeout& target) {
  if (const auto* text = value.as<std::string>(); text != nullptr && *text == "off") {
    return target.reset();
  }
  if (const auto duration = read_duration(reader, option, value)) target = *duration;
}

std::string Codec<Type::timeout>::print(const Timeout& value) {
  return value ? toml_quoted(format_duration(*value)) : "\"off\"";
}

void Codec<Type::integer>::read(Reader& reader, const Option& option, const Value& value,
                                std::optional<std::uint32_t>& target) {
  if (const auto number = read_integer(reader, option, value)) {
    target = static_cast<std::uint32_t>(*number);
  }
}

void Codec<Type::integer>::read(Reader& reader, const Option& option, const Value& value,
                                std::optional<std::uint16_t>& target) {
  if (const auto number = read_integer(reader, option, value)) {
    target = static_cast<std::uint16_t>(*number);
  }
}

void Codec<Type::size>::read(Reader& reader, const Option& option, const Value& value,
                             std::uint64_t& target) {
  std::optional<std::uint64_t> size;
  if (const auto* number = value.as<std::int64_t>(); number != nullptr && *number >= 0) {
    size = static_cast<std::uint64_t>(*number);
  } else if (const auto* text = value.as<std::string>()) {
    const auto parsed = parse_size(*text);
    if (!parsed) return reader.error(value, parsed.error().text);
    size = *parsed;
  } else {
    return reader.wrong_type(option, value);
  }
  const auto min = static_cast<std::uint64_t>(option.min);
  const auto max = static_cast<std::uint64_t>(option.max);
  if (*size < min || *size > max) {
    return reader.error(value, in_quotes(option.key) + " must be between " + format_size(min) +
                                   " and " + format_size(max));
  }
  target = *size;
}

std::string Codec<Type::size>::print(std::uint64_t value) {
  return toml_quoted(format_size(value));
}

void Codec<Type::size_or_off>::read(Reader& reader, const Option& option, const Value& value,
                                    std::optional<std::uint64_t>& target) {
  if (const auto* text = value.as<std::string>(); text != nullptr && *text == "off") {
    return target.reset();
  }
  // Stays 0 after an error.
  std::uint64_t size = 0;
  Codec<Type::size>::read(reader, option, value, size);
  if (size > 0) target = size;
}

std::string Codec<Type::size_or_off>::print(const std::optional<std::uint64_t>& value) {
  return value ? Codec<Type::size>::print(*value) : "\"off\"";
}

void Codec<Type::workers>::read(Reader& reader, const Option& option, const Value& value,
                                std::optional<unsigned>& target) {
  if (const auto* text = value.as<std::string>(); text != nullptr && *text == "auto") {
    return target.reset();
  }
  if (const auto number = read_integer(reader, option, value)) {
    target = static_cast<unsigned>(*number);
  }
}

}  // namespace tunnel::config
