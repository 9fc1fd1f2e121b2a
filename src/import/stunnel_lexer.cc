// SPDX-License-Identifier: MIT
#include "import/stunnel_lexer.h"

namespace tunnel::import {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r';
}

// The first and the one behind the last byte that is no blank.
struct Range {
  std::size_t first = 0, last = 0;
  [[nodiscard]] std::string of(std::string_view text) const {
    return std::string(text.substr(first, last - first));
  }
};

Range trimmed_range(std::string_view text, Range range) {
  while (range.first < range.last && is_space(text[range.first])) ++range.first;
  while (range.last > range.first && is_space(text[range.last - 1])) --range.last;
  return range;
}

}  // namespace

// What fits into the line buffer: a line, or a part of one that is too long.
struct StunnelLexer::Piece {
  std::string text;      // without carriage returns
  std::string_view raw;  // what it was made of
  std::uint32_t line = 1;
  std::uint32_t column = 1;  // of its first byte
  bool is_split = false;

  // The column of a byte of `text`. Carriage returns have a column, too, in an editor.
  [[nodiscard]] std::uint32_t column_of(std::size_t index) const {
    std::uint32_t result = column;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < raw.size(); ++result) {
      const std::size_t length = config::character_length(raw.substr(i, 4));
      if (raw[i] != '\r') {
        if (kept + length > index) break;
        kept += length;
      }
      i += length;
    }
    return result;
  }
};

// What stunnel's line buffer takes at once. A carriage return is dropped wherever it stands and
// takes no room in the buffer, so that the rest of a line that is too long begins where it begins
// for stunnel.
StunnelLexer::Piece StunnelLexer::take() {
  Piece piece;
  piece.line = line_;
  piece.column = column_;
  const std::size_t start = at_;
  bool is_ended = false;
  while (at_ < text_.size() && piece.text.size() < kLongestLine && !is_ended) {
    const char c = text_[at_++];
    is_ended = c == '\n';
    if (!is_ended && c != '\r') piece.text += c;
  }
  piece.raw = text_.substr(start, at_ - start - (is_ended ? 1 : 0));
  // A line that fits exactly ends behind a full buffer.
  if (!is_ended && at_ < text_.size()) {
    std::size_t end = at_;
    while (end < text_.size() && text_[end] == '\r') ++end;
    is_ended = end == text_.size() || text_[end] == '\n';
    if (is_ended) at_ = std::min(end + 1, text_.size());
    piece.is_split = !is_ended;
  }
  if (is_ended) {
    ++line_;
    column_ = 1;
  } else {
    column_ = piece.column_of(piece.text.size());
  }
  return piece;
}

std::optional<StunnelLine> StunnelLexer::next() {
  while (at_ < text_.size()) {
    const Piece piece = take();
    std::string_view text = piece.text;
    StunnelLine line;
    line.is_split = piece.is_split;
    if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
      line.has_nul = true;
      text = text.substr(0, nul);
    }
    const auto position = [&](const Range& range) {
      return config::Position{file_, piece.line, piece.column_of(range.first)};
    };
    const Range all = trimmed_range(text, {0, text.size()});
    if (all.first == all.last || text[all.first] == ';' || text[all.first] == '#') continue;
    line.name_at = line.value_at = position(all);
    const std::size_t equals = text.find('=', all.first);
    if (text[all.first] == '[' && text[all.last - 1] == ']') {
      line.form = StunnelLine::Form::section;
      line.name = Range{all.first + 1, all.last - 1}.of(text);
    } else if (equals < all.last) {
      line.form = StunnelLine::Form::option;
      line.name = trimmed_range(text, {all.first, equals}).of(text);
      const Range value = trimmed_range(text, {equals + 1, all.last});
      line.value = value.of(text);
      line.value_at = position(value);
    } else {
      line.name = all.of(text);
    }
    return line;
  }
  return std::nullopt;
}

}  // namespace tunnel::import
