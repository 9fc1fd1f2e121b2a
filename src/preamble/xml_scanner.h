// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tunnel::preamble {

// Finds the tags in a stream of XML that is cut anywhere: enough for the few elements before XMPP's
// TLS, and no parser. Comments, processing instructions and CDATA are skipped; prefixes are taken
// off names; what stands between tags is kept as text. Nothing is checked for well-formedness.
class XmlScanner {
 public:
  enum class Form { open, close, empty };
  struct Tag {
    Form form = Form::open;
    std::string name;  // without its prefix
    std::string text;  // that stood before it, cut
  };

  // Takes bytes off the front up to the end of the next tag; nullopt when they are used up first.
  [[nodiscard]] std::optional<Tag> next(Bytes& bytes);
  [[nodiscard]] bool is_too_long() const;  // the current tag or comment is longer than 8 KiB
  [[nodiscard]] std::size_t total() const { return total_; }  // bytes taken so far
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  [[nodiscard]] bool is_markup_complete() const;
  [[nodiscard]] std::optional<Tag> take_tag();

  std::string markup_;  // from '<' on
  std::string text_;
  char quote_ = 0;  // the quotation mark that an attribute value waits for, or 0
  std::size_t total_ = 0;
};

}  // namespace tunnel::preamble
