// SPDX-License-Identifier: MIT
#include "config/toml_scanner.h"

namespace tunnel::config {
namespace {

// `yes` and `no` count as values only, so the scanner follows what is which. A key comes after a
// line's end, after "{" and after the commas of an inline table; a value after "=", after "[" and
// after the commas of an array. A bracket at the beginning of a line begins a header.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  TomlScan run() {
    while (at_ < text_.size() && !scan_.too_deep) step();
    return std::move(scan_);
  }

 private:
  enum class Expect { key, value };
  // An open bracket: what it is, and how deep its contents begin.
  struct Frame {
    char kind;
    std::size_t outside;
    std::size_t inside;
  };

  [[nodiscard]] char peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void deepen() {
    if (++depth_ > kDeepest) scan_.too_deep = at_;
  }

  void step() {
    const char c = text_[at_];
    if (is_word(c)) return word();
    switch (c) {
      case '#':
        at_ = std::min(text_.find('\n', at_), text_.size());
        return;
      case '"':
      case '\'':
        is_line_start_ = false;
        return string(c);
      case '\n':
        return newline();
      case '[':
      case '{':
        return open(c);
      case ']':
      case '}':
        return close();
      case ',':
        return comma();
      case '=':
        expect_ = Expect::value;
        break;
      case '.':
        // A dotted key nests as deep as it has parts, until the end of its line or the next comma.
        if (expect_ == Expect::key) deepen();
        break;
      default:
        break;
    }
    if (c != ' ' && c != '\t' && c != '\r') is_line_start_ = false;
    ++at_;
  }

  // What may stand in a bare key or in a number, date or word; a dot parts keys but not values.
  [[nodiscard]] bool is_word(char c) const {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == ':' || (c == '.' && expect_ == Expect::value);
  }

  void word() {
    const std::size_t start = at_;
    is_line_start_ = false;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    const std::string_view found = text_.substr(start, at_ - start);
    if (expect_ == Expect::value && (found == "yes" || found == "no")) {
      scan_.bare_words.push_back(start);
    }
  }

  void string(char quote) {
    const bool is_multiline = peek(1) == quote && peek(2) == quote;
    at_ += is_multiline ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (!is_multiline && c == '\n') return;  // unterminated: the parser will say so
      if (c == '\\' && quote == '"') {
        at_ += 2;
        continue;
      }
      ++at_;
      if (c != quote) continue;
      if (!is_multiline) return;
      // Three quotes end it; up to two more before them belong to the text.
      if (peek(0) != quote || peek(1) != quote) continue;
      at_ += 2;
      for (int extra = 0; extra < 2 && peek(0) == quote; ++extra) ++at_;
      return;
    }
    at_ = std::min(at_, text_.size());
  }

  void newline() {
    ++at_;
    // Inside brackets a line's end separates nothing.
    if (!frames_.empty()) return;
    expect_ = Expect::key;
    is_line_start_ = true;
    depth_ = header_;
  }

  void open(char c) {
    if (is_line_start_ && frames_.empty()) return header();
    is_line_start_ = false;
    const std::size_t outside = depth_;
    deepen();
    frames_.push_back({c, outside, depth_});
    expect_ = c == '{' ? Expect::key : Expect::value;
    ++at_;
  }

  void close() {
    if (!frames_.empty()) {
      depth_ = frames_.back().outside;
      frames_.pop_back();
    }
    expect_ = Expect::value;
    is_line_start_ = false;
    ++at_;
  }

  void comma() {
    if (!frames_.empty()) {
      depth_ = frames_.back().inside;
      expect_ = frames_.back().kind == '{' ? Expect::key : Expect::value;
    }
    ++at_;
  }

  // "[a.b.c]" or "[[a.b.c]]": as deep as it has parts.
  void header() {
    depth_ = 0;
    is_line_start_ = false;
    while (peek(0) == '[') ++at_;
    deepen();
    while (at_ < text_.size() && text_[at_] != ']' && text_[at_] != '\n' && !scan_.too_deep) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        string(c);
        continue;
      }
      if (c == '.') deepen();
      ++at_;
    }
    header_ = depth_;
    while (peek(0) == ']') ++at_;
    expect_ = Expect::value;  // nothing but a comment may follow on this line
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t header_ = 0;  // depth of the table that the lines below a header are in
  Expect expect_ = Expect::key;
  bool is_line_start_ = true;
  std::vector<Frame> frames_;
  TomlScan scan_;
};

}  // namespace

TomlScan scan_toml(std::string_view text) { return Scanner(text).run(); }

}  // namespace tunnel::config
