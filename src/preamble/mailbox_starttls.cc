// SPDX-License-Identifier: MIT
// STARTTLS where mail is fetched: POP3 and IMAP (both RFC 2595; IMAP's own is RFC 9051 section
// 6.2.1).
#include <utility>

#include "base/text.h"
#include "preamble/lines.h"
#include "preamble/starttls.h"

namespace tunnel::preamble {
namespace {

class Pop3Starttls final : public LineConversation {
 public:
  explicit Pop3Starttls(Topic topic) : LineConversation(std::move(topic)) {}

  Step on_start() override { return {}; }

  [[nodiscard]] std::string waiting_for() const override {
    return greeting_.empty() ? "its POP3 greeting (a port that speaks TLS from the start is silent "
                               "here: then remove starttls)"
                             : "its answer to STLS";
  }

 private:
  Step on_line(const Lines::Line& line) override {
    const bool is_ok = starts_ignoring_case(line.text, "+OK");
    const bool is_greeting = greeting_.empty();
    if (starts_ignoring_case(line.text, "-ERR")) {
      return fail((is_greeting ? "greeted us with a refusal: " : "refused STLS: ") +
                  printable(line.text));
    }
    if (!is_ok) {
      return fail("said \"" + printable(line.text) + "\"" + looks_like(line.text) +
                  ", where we were waiting for " + waiting_for());
    }
    if (!is_greeting) return agree(std::move(greeting_));
    greeting_ = as_understood(line.text);
    return send("STLS\r\n");
  }

  std::string greeting_;
};

constexpr std::string_view kTag = "tunnel1";

// "{5}", or "{5+}" as newer IMAP writes it.
bool ends_in_literal(std::string_view text) {
  text = trimmed(text);
  const std::size_t open = text.rfind('{');
  if (open == std::string_view::npos || !text.ends_with('}')) return false;
  std::string_view size = text.substr(open + 1, text.size() - open - 2);
  if (size.ends_with('+')) size.remove_suffix(1);
  return !size.empty() && size.find_first_not_of("0123456789") == std::string_view::npos;
}

class ImapStarttls final : public LineConversation {
 public:
  explicit ImapStarttls(Topic topic) : LineConversation(std::move(topic)) {}

  Step on_start() override { return {}; }

  [[nodiscard]] std::string waiting_for() const override {
    return greeting_.empty() ? "its IMAP greeting (a port that speaks TLS from the start is silent "
                               "here: then remove starttls)"
                             : "its answer to STARTTLS";
  }

 private:
  Step on_line(const Lines::Line& line) override {
    // At any time: a server that is going down says BYE first and may never send the tagged answer.
    if (starts_ignoring_case(line.text, "* BYE")) {
      return fail("refused us: " + printable(line.text.substr(2)));
    }
    return greeting_.empty() ? on_greeting(line) : on_answer(line);
  }

  Step on_greeting(const Lines::Line& line) {
    // Logged in already, STARTTLS is not allowed any more, and somebody in between may have made it
    // so: going on in the clear is exactly what such a person wants.
    if (starts_ignoring_case(line.text, "* PREAUTH")) {
      return fail("says that we are logged in already (PREAUTH), where STARTTLS is not possible");
    }
    if (!starts_ignoring_case(line.text, "* OK")) {
      return fail("said \"" + printable(line.text) + "\"" + looks_like(line.text) +
                  ", where we were waiting for " + waiting_for());
    }
    // A greeting has no literal; a client that sees one takes as many bytes of the server's answers
    // inside TLS for a part of it (Python's imaplib).
    if (ends_in_literal(line.text)) {
      return fail("greeted us with \"" + printable(line.text) +
                  "\", which announces a literal where none can be; it may have been inserted on "
                  "the way, so it is refused");
    }
    greeting_ = imap_greeting_without_starttls(as_understood(line.text));
    return send(std::string(kTag) + " STARTTLS\r\n");
  }

  Step on_answer(const Lines::Line& line) {
    // None of these lines is shown: the application has asked nothing yet. Their number is bounded
    // by the 64 KiB of the conversation.
    if (line.text.starts_with("* ")) return {};  // the server may report whatever it likes before
    if (!line.text.starts_with(kTag) || !line.text.substr(kTag.size()).starts_with(" ")) {
      return fail("said \"" + printable(line.text) + "\", which is not an answer to STARTTLS");
    }
    const std::string_view answer = line.text.substr(kTag.size() + 1);
    if (!equal_ignoring_case(answer.substr(0, answer.find(' ')), "OK")) {
      return fail("refused STARTTLS: " + printable(answer));
    }
    return agree(std::move(greeting_));
  }

  std::string greeting_;
};

}  // namespace

// Both words are true before TLS only. Inside TLS the server would refuse a client that took up
// STARTTLS, and LOGINDISABLED (RFC 2595 section 3.2) would keep the client from logging in at all.
std::string imap_greeting_without_starttls(std::string_view line) {
  constexpr std::string_view kBefore = "* OK [CAPABILITY ";
  if (!starts_ignoring_case(line, kBefore)) return std::string(line);
  const std::size_t begin = kBefore.size();
  const std::size_t end = line.find(']', begin);
  if (end == std::string_view::npos) return std::string(line);

  std::string kept;
  std::string_view words = line.substr(begin, end - begin);
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    if (word.empty() || equal_ignoring_case(word, "STARTTLS") ||
        equal_ignoring_case(word, "LOGINDISABLED")) {
      continue;
    }
    if (!kept.empty()) kept += ' ';
    kept += word;
  }
  return std::string(line.substr(0, begin)) + kept + std::string(line.substr(end));
}

std::unique_ptr<Conversation> pop3_starttls(Topic topic) {
  return std::make_unique<Pop3Starttls>(std::move(topic));
}

std::unique_ptr<Conversation> imap_starttls(Topic topic) {
  return std::make_unique<ImapStarttls>(std::move(topic));
}

}  // namespace tunnel::preamble
