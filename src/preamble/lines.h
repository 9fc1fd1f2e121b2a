// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "preamble/talk.h"

namespace tunnel::preamble {

// Cuts what a server says into lines, with the limits of talk.h. LF ends a line; CRs before it
// belong to the end. Owned by one conversation.
class Lines {
 public:
  struct Line {
    std::string_view text;  // without its end
    std::string_view raw;   // with it
  };

  void append(Bytes bytes);
  // The next whole line, valid until the next append; nullopt when there is none or a limit is hit.
  [[nodiscard]] std::optional<Line> next();
  // "a line of more than 8 KiB", "more than 64 KiB", or "" while the limits hold.
  [[nodiscard]] std::string_view excess() const { return excess_; }
  // What stands behind the last line taken.
  [[nodiscard]] std::string_view rest() const { return std::string_view(bytes_).substr(taken_); }

 private:
  std::string bytes_;
  std::size_t taken_ = 0;     // of bytes_
  std::size_t searched_ = 0;  // no LF before this one: a long line is not searched twice
  std::size_t total_ = 0;     // of the whole conversation, up to the last line taken
  std::string_view excess_;
};

// A line of a greeting, to be shown to the application: ended as every protocol wants it, and blank
// where it held control characters. A lone CR ends a line for some clients (Python's ftplib), and
// what stands behind it would be the server's next answer to them.
[[nodiscard]] std::string as_understood(std::string_view text);

// A conversation in lines: feeds them one by one to on_line until that decides.
class LineConversation : public Conversation {
 public:
  Step on_server(Bytes bytes) final;
  Step on_server_end(End end) override;

 protected:
  explicit LineConversation(Topic topic) : topic_(std::move(topic)) {}

  virtual Step on_line(const Lines::Line& line) = 0;

  [[nodiscard]] Step fail(std::string_view what) const { return failed(topic_, what); }
  // The end of a STARTTLS conversation: refuses plaintext that stands behind the current line.
  [[nodiscard]] Step agree(std::string greeting = {}) const {
    return go_ahead(topic_, as_bytes(lines_.rest()), std::move(greeting));
  }
  // The end of any other: what stands behind the current line belongs to whoever comes next.
  [[nodiscard]] Step finish(std::string to_server = {}) const;

 private:
  const Topic topic_;
  Lines lines_;
};

}  // namespace tunnel::preamble
