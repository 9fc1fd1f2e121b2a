// SPDX-License-Identifier: MIT
// STARTTLS of ManageSieve, RFC 5804 sections 1.7 and 2.2.
#include <charconv>
#include <optional>
#include <utility>

#include "base/text.h"
#include "preamble/lines.h"
#include "preamble/starttls.h"

namespace tunnel::preamble {
namespace {

// Puts a line with literals, "{3}" CRLF "abc", back together: the literal stands in it as a quoted
// string. A value.
class LogicalLine {
 public:
  // The whole line once its last part is there.
  std::optional<std::string> add(const Lines::Line& line) {
    std::string_view raw = line.raw;
    if (literal_left_ > 0) {
      const std::size_t count = std::min(literal_left_, raw.size());
      text_ += raw.substr(0, count);
      raw.remove_prefix(count);
      literal_left_ -= count;
      if (literal_left_ > 0) return std::nullopt;
      text_ += '"';
      // The literal may end exactly with this line: then the rest of the logical one follows.
      if (raw.empty()) return std::nullopt;
    }
    std::string_view text = raw.substr(0, raw.size() - 1);  // every raw line ends in LF
    if (text.ends_with('\r')) text.remove_suffix(1);
    const std::optional<std::size_t> literal = literal_size(text);
    if (!literal) return std::exchange(text_, {}) + std::string(text);
    text_ += text.substr(0, text.rfind('{'));
    text_ += '"';
    literal_left_ = *literal;
    if (literal_left_ == 0) text_ += '"';
    return std::nullopt;
  }

 private:
  // The size may be any number: the line waits for so many bytes, and the limits of Lines end that.
  static std::optional<std::size_t> literal_size(std::string_view text) {
    if (!text.ends_with('}')) return std::nullopt;
    const std::size_t open = text.rfind('{');
    if (open == std::string_view::npos) return std::nullopt;
    std::string_view digits = text.substr(open + 1, text.size() - open - 2);
    if (digits.ends_with('+')) digits.remove_suffix(1);
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return size;
  }

  std::string text_;
  std::size_t literal_left_ = 0;
};

// After TLS is up the server lists its capabilities again without being asked (section 2.2), and
// that is the greeting that the application sees. The one in the clear is not passed on: the
// application would take the second list for the answer to its first command.
class SieveStarttls final : public LineConversation {
 public:
  explicit SieveStarttls(Topic topic) : LineConversation(std::move(topic)) {}

  Step on_start() override { return {}; }

  [[nodiscard]] std::string waiting_for() const override {
    return is_asked_ ? "its answer to STARTTLS" : "its ManageSieve greeting";
  }

 private:
  Step on_line(const Lines::Line& line) override {
    const std::optional<std::string> whole = line_.add(line);
    if (!whole) return {};
    const std::string_view text = *whole;
    const std::string_view word = text.substr(0, text.find_first_of(" ("));
    if (equal_ignoring_case(word, "NO") || equal_ignoring_case(word, "BYE")) {
      return fail((is_asked_ ? "refused STARTTLS: " : "greeted us with a refusal: ") +
                  printable(text));
    }
    if (equal_ignoring_case(word, "OK")) return is_asked_ ? agree() : on_greeted();
    if (!text.starts_with('"') || is_asked_) {
      return fail("said \"" + printable(text) + "\"" + looks_like(text) +
                  ", where we were waiting for " + waiting_for());
    }
    is_offered_ = is_offered_ || starts_ignoring_case(text, "\"STARTTLS\"");
    return {};
  }

  Step on_greeted() {
    if (!is_offered_) return fail("does not offer STARTTLS");
    is_asked_ = true;
    return send("STARTTLS\r\n");
  }

  LogicalLine line_;
  bool is_offered_ = false;
  bool is_asked_ = false;
};

}  // namespace

std::unique_ptr<Conversation> sieve_starttls(Topic topic) {
  return std::make_unique<SieveStarttls>(std::move(topic));
}

}  // namespace tunnel::preamble
