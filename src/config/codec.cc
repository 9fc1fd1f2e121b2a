// SPDX-License-Identifier: MIT
#include "config/codec.h"

#include <array>
#include <charconv>

#include "base/text.h"

namespace tunnel::config {

const std::string* plain_text(Reader& reader, const Option& option, const Value& value) {
  const auto* text = value.as<std::string>();
  if (text == nullptr) {
    reader.wrong_type(option, value);
    return nullptr;
  }
  return is_plain(reader, option, value) ? text : nullptr;
}

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

namespace {

// A boolean or a number where a word is wanted, as it stands in the file; "" for anything else. To
// TOML, min_version = 1.2 is a number.
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
    // The first with this value is our own; words of other programs stand behind all of those.
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
  // Otherwise an empty text is an error: see is_plain().
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

}  // namespace tunnel::config
