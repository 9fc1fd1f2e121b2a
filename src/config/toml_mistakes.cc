// SPDX-License-Identifier: MIT
#include "config/toml_mistakes.h"

#include <array>

#include "base/text.h"
#include "config/source.h"

namespace tunnel::config {
namespace {

constexpr std::size_t npos = std::string_view::npos;

// Characters that word processors and web pages put where a quote was typed.
constexpr std::array<std::string_view, 9> kTypographic = {"“", "”", "„", "‟", "‘",
                                                          "’", "‚", "«", "»"};

bool is_double(std::string_view quote) { return quote != "‘" && quote != "’" && quote != "‚"; }

std::string_view typographic_at(std::string_view text) {
  for (const std::string_view quote : kTypographic) {
    if (text.starts_with(quote)) return quote;
  }
  return {};
}

std::uint32_t column_of(std::string_view line, std::size_t offset) {
  std::uint32_t column = 1;
  for (std::size_t i = 0; i < offset; ++column) i += character_length(line.substr(i));
  return column;
}

std::size_t offset_of(std::string_view line, std::uint32_t column) {
  std::size_t offset = 0;
  for (std::uint32_t i = 1; i < column && offset < line.size(); ++i) {
    offset += character_length(line.substr(offset));
  }
  return offset;
}

// The spellings of true and false that TOML does not know, and people use elsewhere.
std::optional<bool> boolean_elsewhere(std::string_view value) {
  const bool is_strict = value == "true" || value == "false";
  for (const char* word : {"yes", "true", "on"}) {
    if (!is_strict && equal_ignoring_case(value, word)) return true;
  }
  for (const char* word : {"no", "false", "off"}) {
    if (!is_strict && equal_ignoring_case(value, word)) return false;
  }
  return std::nullopt;
}

// The straight quotes of one line: where the last string begins that does not end, if there is one.
class Quotes {
 public:
  explicit Quotes(std::string_view line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (c == '#') return;
      if (c != '"' && c != '\'') continue;
      const std::size_t close = find_close(line, i);
      if (close == npos) {
        open_ = i;
        return;
      }
      i = close;
    }
  }
  [[nodiscard]] std::optional<std::size_t> open() const { return open_; }

 private:
  static std::size_t find_close(std::string_view line, std::size_t open) {
    for (std::size_t i = open + 1; i < line.size(); ++i) {
      if (line[i] == '\\' && line[open] == '"') {
        ++i;
      } else if (line[i] == line[open]) {
        return i;
      }
    }
    return npos;
  }
  std::optional<std::size_t> open_;
};

// Looks at one line; each question that applies answers.
class Line {
 public:
  Line(std::string_view line, std::uint32_t column, std::string_view description)
      : line_(line), stop_(offset_of(line, column)), description_(description) {
    const std::size_t equals = line.find('=');
    if (equals == npos) return;
    key_ = trimmed(line.substr(0, equals));
    value_ = trimmed(line.substr(equals + 1));
  }

  [[nodiscard]] Mistake look() const {
    // Quotes first: where one is missing or is not a quote, everything behind it looks wrong. The
    // parser's own words come last.
    for (const auto question : {&Line::typographic_quotes, &Line::open_string, &Line::comment,
                                &Line::twice, &Line::header, &Line::no_equals, &Line::no_value,
                                &Line::unquoted, &Line::more, &Line::escape, &Line::comma}) {
      if (auto mistake = (this->*question)()) return std::move(*mistake);
    }
    return {std::string(without_doing()), "", std::nullopt};
  }

 private:
  // In the words of toml++. Where another version has other words, its own sentence is shown
  // instead of ours.
  [[nodiscard]] bool says(std::string_view words) const { return description_.find(words) != npos; }

  // toml++ begins its sentences with what it was doing; what is wrong comes after.
  [[nodiscard]] std::string_view without_doing() const {
    constexpr std::string_view kDoing = "Error while parsing ";
    return description_.starts_with(kDoing) ? description_.substr(kDoing.size()) : description_;
  }

  [[nodiscard]] std::string shown(std::string_view text) const { return printable(text, 100); }

  [[nodiscard]] std::optional<Mistake> typographic_quotes() const {
    std::string straight;
    std::string_view first;
    std::size_t at = 0;
    for (std::size_t i = 0; i < line_.size();) {
      const std::string_view quote = typographic_at(line_.substr(i));
      if (quote.empty()) {
        straight += line_[i++];
        continue;
      }
      if (first.empty()) {
        first = quote;
        at = i;
      }
      straight += is_double(quote) ? '"' : '\'';
      i += quote.size();
    }
    // In a string or a comment they are letters like any other.
    const std::string_view before = line_.substr(0, at);
    if (first.empty() || Quotes(before).open() || before.find('#') != npos) return std::nullopt;
    return Mistake{std::string(first) + " is a typographic quotation mark, not a quote",
                   "with straight quotes: " + shown(trimmed(straight)), column_of(line_, at)};
  }

  [[nodiscard]] std::optional<Mistake> open_string() const {
    const auto open = Quotes(line_).open();
    if (!open || line_.substr(*open, 3) == "\"\"\"" || line_.substr(*open, 3) == "'''") {
      return std::nullopt;
    }
    // The parser may have stopped before: a quote is missing somewhere in front of there.
    if (stop_ < *open) return Mistake{"a quote is missing in this line", "", std::nullopt};
    const std::string quote(1, line_[*open]);
    const bool is_all = line_.find_first_of(",]}#", *open) == npos;
    return Mistake{"the closing quote of this string is missing",
                   is_all ? "write it like this: " + shown(trimmed(line_)) + quote
                          : "a string ends on its line, with the quote that it begins with",
                   column_of(line_, *open)};
  }

  [[nodiscard]] std::optional<Mistake> comment() const {
    const std::string_view line = trimmed(line_);
    if (line.starts_with(';')) return Mistake{"comments begin with \"#\", not with \";\"", "", {}};
    if (line.starts_with("//")) {
      return Mistake{"comments begin with \"#\", not with \"//\"", "", {}};
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Mistake> twice() const {
    if (!says("cannot redefine") && !says("cannot insert")) return std::nullopt;
    const bool is_header = trimmed(line_).starts_with('[');
    if (is_header) {
      return Mistake{"this table was begun before",
                     "put its settings together, or give one of the two another name",
                     {}};
    }
    const bool is_list = key_ == "accept" || key_ == "connect";
    return Mistake{"\"" + shown(key_) + "\" is set a second time in this table",
                   is_list
                       ? "several of them are an array: " + shown(key_) + " = [\"...\", \"...\"]"
                       : "keep one of the two",
                   column_of(line_, line_.find_first_not_of(" \t"))};
  }

  [[nodiscard]] std::optional<Mistake> header() const {
    const std::string_view line = trimmed(line_);
    if (!line.starts_with('[') || line.find(']') != npos || !says("table")) return std::nullopt;
    const std::string_view name = trimmed(line.substr(0, line.find('#')));
    const bool is_double_bracket = name.starts_with("[[");
    return Mistake{
        "the closing bracket is missing",
        is_double_bracket || name.size() < 2 ? "" : "write it like this: " + shown(name) + "]",
        std::nullopt};
  }

  [[nodiscard]] std::optional<Mistake> no_equals() const {
    const std::string_view line = trimmed(line_);
    if (!says("expected '='") || line.starts_with('[')) return std::nullopt;
    const std::size_t end = line.find_first_of(" \t:");
    if (end == npos) {
      return Mistake{"a line is a [table] or a setting, and this is neither",
                     "a setting is written: " + shown(line) + " = ...",
                     {}};
    }
    std::string_view value = line.substr(line.find_first_not_of(" \t:", end) == npos
                                             ? line.size()
                                             : line.find_first_not_of(" \t:", end));
    return Mistake{"between a key and its value stands \"=\"",
                   "a setting is written: " + shown(line.substr(0, end)) + " = " +
                       (value.empty() ? "..." : as_value(value)),
                   {}};
  }

  [[nodiscard]] std::optional<Mistake> no_value() const {
    if (key_.empty() || !trimmed(value_.substr(0, value_.find('#'))).empty()) return std::nullopt;
    return Mistake{"the value is missing", "a setting is written: " + shown(key_) + " = ...", {}};
  }

  [[nodiscard]] std::optional<Mistake> unquoted() const {
    if (key_.empty() || value_.empty() || value_.find_first_of("\"'[{") != npos) {
      return std::nullopt;
    }
    const std::string_view value = trimmed(value_.substr(0, value_.find('#')));
    const auto at = static_cast<std::size_t>(value_.data() - line_.data());
    if (const auto boolean = boolean_elsewhere(value)) {
      return Mistake{"a switch is true or false, in small letters",
                     "write it like this: " + shown(key_) + " = " + (*boolean ? "true" : "false"),
                     column_of(line_, at)};
    }
    // Numbers and booleans are fine without; what is wrong is something else.
    const bool is_number = value.find_first_not_of("+-0123456789_") == npos;
    if (is_number || value == "true" || value == "false") return std::nullopt;
    return Mistake{"text needs quotes",
                   "write it like this: " + shown(key_) + " = " + as_value(value),
                   column_of(line_, at)};
  }

  [[nodiscard]] std::optional<Mistake> more() const {
    if (!says("expected a comment or whitespace")) return std::nullopt;
    const char c = stop_ < line_.size() ? line_[stop_] : '\0';
    if (c == ';') {
      return Mistake{"nothing but a comment may follow a value",
                     "a line needs no \";\" at its end, and comments begin with \"#\"",
                     {}};
    }
    return Mistake{"nothing but a comment may follow a value", "each setting has its own line", {}};
  }

  [[nodiscard]] std::optional<Mistake> escape() const {
    if (!says("escape sequence")) return std::nullopt;
    return Mistake{std::string(without_doing()),
                   "in double quotes write \\\\ for a backslash; in single quotes it is a letter "
                   "like any other",
                   {}};
  }

  [[nodiscard]] std::optional<Mistake> comma() const {
    if (!says("array: expected comma")) return std::nullopt;
    return Mistake{"a comma or the closing bracket of the array is missing here", "", {}};
  }

  // As it should be written.
  [[nodiscard]] std::string as_value(std::string_view value) const {
    const bool is_bare = value.find_first_not_of("+-0123456789_") == npos || value == "true" ||
                         value == "false" || value.find_first_of("\"'[{") == 0;
    return is_bare ? shown(value) : "\"" + shown(value) + "\"";
  }

  const std::string_view line_;
  const std::size_t stop_;
  const std::string_view description_;
  std::string_view key_, value_;  // empty without "="
};

}  // namespace

Mistake find_mistake(std::string_view line, std::uint32_t column, std::string_view description) {
  return Line(line, column, description).look();
}

}  // namespace tunnel::config
