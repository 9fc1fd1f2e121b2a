// SPDX-License-Identifier: MIT
#include "config/codec.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace tunnel::config {
namespace {

// The text of a string value, checked to be plain; null after an error.
const std::string* plain_text(Reader& reader, const Option& option, const Value& value) {
  const auto* text = value.as<std::string>();
  if (text == nullptr) {
    reader.wrong_type(option, value);
    return nullptr;
  }
  return is_plain(reader, option, value) ? text : nullptr;
}

}  // namespace

std::string toml_quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') result += '\\';
    if (byte < 0x20 || byte == 0x7f) {
      result += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string quoted_list(const std::vector<std::string>& texts) {
  if (texts.empty()) return "";
  std::string result;
  for (const std::string& text : texts) result += (result.empty() ? "[" : ", ") + toml_quoted(text);
  return result + "]";
}

std::vector<const Value*> read_texts(Reader& reader, const Option& option, const Value& value) {
  std::vector<const Value*> result;
  const auto* array = value.as<Array>();
  if (array == nullptr) {
    if (plain_text(reader, option, value) != nullptr) result.push_back(&value);
    return result;
  }
  if (!reader.spend(value, array->size())) return result;
  for (const Value& element : *array) {
    if (element.as<std::string>() == nullptr) {
      reader.error(element, "every entry of " + in_quotes(option.key) + " must be a string, not " +
                                std::string(element.kind()));
    } else if (is_plain(reader, option, element)) {
      result.push_back(&element);
    }
  }
  return result;
}

std::optional<bool> read_boolean(const Value& value) {
  if (const auto* boolean = value.as<bool>()) return *boolean;
  const auto* text = value.as<std::string>();
  if (text != nullptr && *text == "yes") return true;
  if (text != nullptr && *text == "no") return false;
  return std::nullopt;
}

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

// A boolean or a number where a word is wanted, as it stands in the file; "" for anything else.
std::string as_word(const Value& value) {
  if (const auto* text = value.as<std::string>()) return *text;
  if (const auto* boolean = value.as<bool>()) return *boolean ? "true" : "false";
  if (const auto* number = value.as<std::int64_t>()) return std::to_string(*number);
  if (const auto* number = value.as<double>()) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *number).ptr;
    return {digits.data(), end};
  }
  return "";
}

// What `written` means: the same word in capitals or without quotes, another program's word for it,
// or a similar one.
std::string meant_word(const Option& option, const std::string& written) {
  std::vector<std::string_view> known;
  for (const Word& word : option.words) {
    if (word.availability == Availability::later) continue;
    if (equal_ignoring_case(word.word, written)) return print_word(option.words, word.value);
    if (word.availability == Availability::now) known.push_back(word.word);
  }
  const std::string_view meant = did_you_mean(written, known);
  return meant.empty() ? "" : in_quotes(meant);
}

}  // namespace

std::optional<int> read_word(Reader& reader, const Option& option, const Value& value) {
  const auto* text = value.as<std::string>();
  for (const Word& word : option.words) {
    const bool is_taken = word.availability == Availability::now;
    if (is_taken && text != nullptr && word.word == *text) return word.value;
  }
  const std::string meant = meant_word(option, as_word(value));
  const std::string got =
      text != nullptr ? in_quotes(printable(*text, 60)) : std::string(value.kind());
  reader.error(value, in_quotes(option.key) + " must be " + describe(option) + ", not " + got,
               meant.empty() ? "" : "did you mean " + meant + "?");
  return std::nullopt;
}

std::string print_word(std::span<const Word> words, int value) {
  for (const Word& word : words) {
    if (word.value == value) return toml_quoted(word.word);
  }
  return "";
}

void Codec<Type::boolean>::read(Reader& reader, const Option& option, const Value& value,
                                bool& target) {
  if (const auto boolean = read_boolean(value)) {
    target = *boolean;
  } else {
    reader.wrong_type(option, value);
  }
}

void Codec<Type::text>::read(Reader& reader, const Option& option, const Value& value,
                             std::string& target) {
  if (const auto* text = plain_text(reader, option, value)) target = *text;
}

void Codec<Type::text>::read(Reader& reader, const Option& option, const Value& value,
                             std::optional<std::string>& target) {
  const auto* text = value.as<std::string>();
  if (text != nullptr && text->empty()) {
    target = "";
  } else if (plain_text(reader, option, value) != nullptr) {
    target = *text;
  }
}

std::string Codec<Type::text>::print(const std::string& value) {
  return value.empty() ? "" : toml_quoted(value);
}

std::string Codec<Type::text>::print(const std::optional<std::string>& value) {
  return value ? toml_quoted(*value) : "";
}

void Codec<Type::texts>::read(Reader& reader, const Option& option, const Value& value,
                              std::vector<std::string>& target) {
  target.clear();
  for (const Value* text : read_texts(reader, option, value)) {
    target.push_back(*text->as<std::string>());
  }
}

void Codec<Type::path>::read(Reader& reader, const Option& option, const Value& value,
                             std::string& target) {
  if (const auto* text = plain_text(reader, option, value)) target = reader.absolute(value, *text);
}

std::string Codec<Type::path>::print(const std::string& value) {
  return value.empty() ? "" : toml_quoted(value);
}

bool is_passed_socket(std::string_view text) { return text.starts_with("fd:"); }

bool is_socket_name(std::string_view name) {
  const bool is_plain = std::all_of(name.begin(), name.end(),
                                    [](char c) { return c >= ' ' && c < 127 && c != ':'; });
  return !name.empty() && name.size() <= 255 && is_plain;
}

void Codec<Type::path_or_off>::read(Reader& reader, const Option& option, const Value& value,
                                    std::string& target) {
  const auto* text = value.as<std::string>();
  const bool is_passed =
      text != nullptr && is_passed_socket(*text) && is_socket_name(text->substr(3));
  if (is_passed || (text != nullptr && *text == "off")) {
    target = *text;
    return;
  }
  // Without a slash it would become a file of that name.
  if (text != nullptr && text->find('/') == std::string::npos &&
      text->find(':') != std::string::npos && parse_host_port(*text)) {
    return reader.error(value, in_quotes(option.key) + " is a unix socket, not the address " +
                                   in_quotes(*text),
                        "write a path, such as \"/run/tunnel/control.sock\"");
  }
  return Codec<Type::path>::read(reader, option, value, target);
}

void Codec<Type::readable_path>::read(Reader& reader, const Option& option, const Value& value,
                                      std::string& target) {
  if (const auto* text = plain_text(reader, option, value)) {
    target = reader.absolute(value, *text);
    reader.check_readable(value, target, Reader::Folder::refused);
  }
}

void Codec<Type::secret_path>::read(Reader& reader, const Option& option, const Value& value,
                                    std::string& target) {
  if (const auto* text = plain_text(reader, option, value)) {
    target = reader.credential_or_path(value, *text);
    reader.check_readable(value, target, Reader::Folder::refused);
  }
}

void Codec<Type::readable_paths>::read(Reader& reader, const Option& option, const Value& value,
                                       std::vector<std::string>& target) {
  target.clear();
  for (const Value* text : read_texts(reader, option, value)) {
    target.push_back(reader.absolute(*text, *text->as<std::string>()));
    reader.check_readable(*text, target.back(), Reader::Folder::allowed);
  }
}

void Codec<Type::program>::read(Reader& reader, const Option& option, const Value& value,
                                std::string& target) {
  if (const auto* text = plain_text(reader, option, value)) {
    target = reader.absolute(value, *text);
    reader.check_executable(value, target);
  }
}

void Codec<Type::path_or_uri>::read(Reader& reader, const Option& option, const Value& value,
                                    std::string& target) {
  const auto* text = value.as<std::string>();
  if (text == nullptr || !text->starts_with("pkcs11:")) {
    return Codec<Type::secret_path>::read(reader, option, value, target);
  }
  if (is_plain(reader, option, value)) target = *text;
}

void Codec<Type::log_target>::read(Reader& reader, const Option& option, const Value& value,
                                   std::vector<std::string>& target) {
  std::size_t files = 0;
  for (const Value* each : read_texts(reader, option, value)) {
    const std::string& text = *each->as<std::string>();
    const bool is_word = text == "stderr" || text == "syslog" || text == "journal";
    if (!is_word) ++files;
    target.push_back(is_word ? text : reader.absolute(*each, text));
  }
  const bool is_pair = target.size() == 2 && files == 1 &&
                       std::find(target.begin(), target.end(), "stderr") != target.end();
  if (target.size() > 1 && !is_pair) {
    reader.error(value, in_quotes(option.key) + " is one place, or a file and \"stderr\"",
                 "log_file = [\"/var/log/tunnel.log\", \"stderr\"]");
  }
}

namespace {

// A duration as a string with units, or whole seconds; nullopt after an error.
std::optional<Millis> read_duration(Reader& reader, const Option& option, const Value& value) {
  Millis result{0};
  if (const auto* seconds_written = value.as<std::int64_t>()) {
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

Setting Codec<Type::table_or_false>::table_of(Reader& reader, const Option& option,
                                              const Setting& setting) {
  if (setting.is_table()) return setting;
  const auto boolean = read_boolean(setting.value());
  if (!boolean) {
    reader.wrong_type(option, setting.value());
    return {};
  }
  if (*boolean && setting.below().is_table()) return setting.below();
  return setting;
}

}  // namespace tunnel::config
