// SPDX-License-Identifier: MIT
#include "config/toml_statements.h"

#include <algorithm>

namespace tunnel::config {
namespace {

std::string_view trimmed_front(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

// "key =" or "[name]": nothing that could go on with an array that is still open. (TOML 1.0 has no
// line ends in inline tables.)
bool is_certain_start(std::string_view rest) {
  std::string_view line = trimmed_front(rest.substr(0, rest.find('\n')));
  const bool is_header = line.starts_with('[');
  if (is_header) {
    line.remove_prefix(std::min(line.find_first_not_of('['), line.size()));
    line = trimmed_front(line);
  }
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (line.empty() || !letter(line.front())) return false;
  std::size_t end = 0;
  while (end < line.size() && is_key_character(line[end])) ++end;
  const std::string_view word = line.substr(0, end);
  const std::string_view after = trimmed_front(line.substr(end));
  // "[true]" in a line of its own may be an array inside of the one that is open.
  if (!is_header) return after.starts_with('=');
  return after.starts_with(']') && word != "true" && word != "false" && word != "inf" &&
         word != "nan" && after.find(',') == std::string_view::npos;
}

// Past the end of the string that begins at `at`: of a line that ends before, its end.
std::size_t skip_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string triple(3, quote);
  const bool is_multiline = text.substr(at, 3) == triple;
  std::size_t i = at + (is_multiline ? 3 : 1);
  while (i < text.size()) {
    if (!is_multiline && text[i] == '\n') return i;
    if (text[i] == '\\' && quote == '"') {
      i += 2;
      continue;
    }
    if (is_multiline ? text.substr(i, 3) == triple : text[i] == quote) {
      return i + (is_multiline ? 3 : 1);
    }
    ++i;
  }
  return text.size();
}

// Three quotes that no three others follow.
bool is_endless(std::string_view text, std::size_t at) {
  const std::string triple(3, text[at]);
  return text.substr(at, 3) == triple && skip_string(text, at) == text.size() &&
         (text.size() < at + 6 || !text.ends_with(triple));
}

void blank(std::string& text, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    // Line ends stay: lines below keep their numbers.
    if (text[i] != '\n' && text[i] != '\r') text[i] = ' ';
  }
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

// A statement begins behind a line's end outside of brackets. Where a bracket is never closed,
// everything below would be inside of it, so a line that can only be a statement ends it.
TomlStatements::TomlStatements(std::string_view text) {
  std::vector<std::size_t> open;
  starts_.push_back({0, std::nullopt});
  for (std::size_t i = 0; i < text.size();) {
    switch (text[i]) {
      case '#':
        i = std::min(text.find('\n', i), text.size());
        continue;
      case '"':
      case '\'':
        if (is_endless(text, i)) open_string_ = i;
        i = skip_string(text, i);
        continue;
      case '[':
      case '{':
        open.push_back(i);
        break;
      case ']':
      case '}':
        if (!open.empty()) open.pop_back();
        break;
      case '\n':
        if (open.empty()) {
          starts_.push_back({i + 1, std::nullopt});
        } else if (is_certain_start(text.substr(i + 1))) {
          starts_.push_back({i + 1, open.front()});
          open.clear();
        }
        break;
      default:
        break;
    }
    ++i;
  }
}

bool TomlStatements::is_header(std::string_view text, std::size_t index) const {
  return trimmed_front(text.substr(starts_[index].offset)).starts_with('[');
}

std::size_t TomlStatements::end(std::string_view text, std::size_t index) const {
  return index + 1 < starts_.size() ? starts_[index + 1].offset : text.size();
}

// The first part of the header above.
std::string TomlStatements::table_of(std::string_view text, std::size_t index) const {
  for (std::size_t i = index + 1; i-- > 0;) {
    if (!is_header(text, i)) continue;
    std::string_view name = trimmed_front(text.substr(starts_[i].offset, end(text, i)));
    name.remove_prefix(std::min(name.find_first_not_of("[ \t"), name.size()));
    if (name.starts_with('"') || name.starts_with('\'')) {
      const std::size_t close = skip_string(name, 0);
      return std::string(name.substr(1, close > 1 ? close - 2 : 0));
    }
    std::size_t length = 0;
    while (length < name.size() && is_key_character(name[length]) && name[length] != '.') ++length;
    return std::string(name.substr(0, length));
  }
  return "";
}

std::optional<TomlStatements::Dropped> TomlStatements::drop(std::string& text,
                                                            std::size_t offset) const {
  const auto after =
      std::upper_bound(starts_.begin(), starts_.end(), offset,
                       [](std::size_t at, const Start& start) { return at < start.offset; });
  auto index = static_cast<std::size_t>(after - starts_.begin()) - 1;
  Dropped dropped;
  // The parser stumbles over what comes next, but what is wrong is that the array above is open.
  // It may be blank by now: then the next statement is wrong by itself.
  if (starts_[index].unclosed &&
      !is_blank(std::string_view(text).substr(*starts_[index].unclosed,
                                              starts_[index].offset - *starts_[index].unclosed))) {
    dropped.unclosed = starts_[index].unclosed;
    --index;
  }
  dropped.table = table_of(text, index);
  const std::size_t begin = starts_[index].offset;
  std::size_t last = index;
  if (is_header(text, index)) {
    dropped.extent = Dropped::Extent::table;
    while (last + 1 < starts_.size() && !is_header(text, last + 1)) ++last;
  }
  const std::size_t stop = end(text, last);
  // Nothing is left to blank there, so the next attempt would fail at the same place.
  if (is_blank(std::string_view(text).substr(begin, stop - begin))) return std::nullopt;
  // The last statement, and over several lines: something in it does not end, and everything behind
  // has become part of it.
  const bool has_line_end = text.find('\n', begin) < stop;
  if (dropped.extent == Dropped::Extent::setting && last + 1 == starts_.size() && has_line_end &&
      !is_blank(std::string_view(text).substr(text.find('\n', begin)))) {
    dropped.extent = Dropped::Extent::rest;
    if (!dropped.unclosed) dropped.unclosed = open_string_;
  }
  blank(text, begin, stop);
  return dropped;
}

}  // namespace tunnel::config
