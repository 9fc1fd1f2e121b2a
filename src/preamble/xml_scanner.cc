// SPDX-License-Identifier: MIT
#include "preamble/xml_scanner.h"

#include <utility>

#include "preamble/talk.h"

namespace tunnel::preamble {
namespace {

// Text is kept to be quoted in messages, not to be understood.
constexpr std::size_t kTextLimit = 400;
constexpr std::string_view kComment = "<!--";
constexpr std::string_view kCdata = "<![CDATA[";

}  // namespace

std::optional<XmlScanner::Tag> XmlScanner::next(Bytes& bytes) {
  while (!bytes.empty() && !is_too_long()) {
    const char c = static_cast<char>(bytes.front());
    bytes = bytes.subspan(1);
    ++total_;
    if (markup_.empty() && c != '<') {
      if (text_.size() < kTextLimit) text_ += c;
      continue;
    }
    markup_ += c;
    // In an attribute's value a '>' does not end the tag. In comments and the like a quotation mark
    // is just a character.
    const bool is_element = markup_.size() > 1 && markup_[1] != '!' && markup_[1] != '?';
    if (is_element && quote_ != 0) {
      if (c == quote_) quote_ = 0;
      continue;
    }
    if (is_element && (c == '"' || c == '\'')) {
      quote_ = c;
      continue;
    }
    if (c != '>' || !is_markup_complete()) continue;
    if (std::optional<Tag> tag = take_tag()) return tag;
  }
  return std::nullopt;
}

bool XmlScanner::is_too_long() const { return markup_.size() > kMaxLine; }

// `markup_` ends in '>', outside quotation marks. The sizes keep "<!-->" and "<?>" from ending with
// the characters that they begin with. A document type with a subset of its own would end too
// early, but may not come here (RFC 6120 section 11.1).
bool XmlScanner::is_markup_complete() const {
  const std::string_view markup = markup_;
  if (markup.starts_with(kComment)) return markup.size() >= 7 && markup.ends_with("-->");
  if (markup.starts_with(kCdata)) return markup.ends_with("]]>");
  if (markup.starts_with("<?")) return markup.ends_with("?>") && markup.size() >= 4;
  return true;
}

std::optional<XmlScanner::Tag> XmlScanner::take_tag() {
  const std::string markup = std::exchange(markup_, {});
  std::string_view inner = std::string_view(markup).substr(1, markup.size() - 2);
  if (inner.starts_with('!') || inner.starts_with('?')) return std::nullopt;
  Tag tag;
  tag.text = std::exchange(text_, {});
  if (inner.starts_with('/')) {
    tag.form = Form::close;
    inner.remove_prefix(1);
  } else if (inner.ends_with('/')) {
    tag.form = Form::empty;
    inner.remove_suffix(1);
  }
  std::string_view name = inner.substr(0, inner.find_first_of(" \t\r\n"));
  if (const std::size_t colon = name.rfind(':'); colon != std::string_view::npos) {
    name.remove_prefix(colon + 1);
  }
  tag.name = name;
  return tag;
}

}  // namespace tunnel::preamble
