// SPDX-License-Identifier: MIT
// The lines of a stunnel.conf, cut the way stunnel cuts them: bytes without a character set, no
// quotes, no escapes, no continued lines, comments only as lines of their own. Borrows its source;
// one file, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "config/source.h"
#include "config/value.h"

namespace tunnel::import {

struct StunnelLine {
  enum class Form {
    section,  // `[name]`: tested before "=", so that `[a=b]` is one
    option,   // `name = value`: the first "=" divides
    other,    // neither: an error
  };
  Form form = Form::other;
  std::string name;   // of the section, inner blanks kept, or of the option; other: all of it
  std::string value;  // may be empty, and may hold further "="
  config::Position name_at;
  config::Position value_at;
  // What people would not expect, for warnings: stunnel's line buffer was full, so the rest of the
  // line is read as a line of its own; a NUL byte ended the line.
  bool is_split = false;
  bool has_nul = false;
};

class StunnelLexer {
 public:
  // stunnel's line buffer holds this many bytes, without those that end the line.
  static constexpr std::size_t kLongestLine = 16383;

  StunnelLexer(const config::Source& source, std::uint32_t file)
      : text_(source.text()), file_(file) {}

  // The next line that says something; nothing at the end of the file.
  [[nodiscard]] std::optional<StunnelLine> next();

 private:
  struct Piece;
  [[nodiscard]] Piece take();

  const std::string_view text_;
  const std::uint32_t file_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;
};

}  // namespace tunnel::import
