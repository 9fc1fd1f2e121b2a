// SPDX-License-Identifier: MIT
#include "preamble/lines.h"

#include <algorithm>

#include "base/text.h"

namespace tunnel::preamble {

// Lines that were taken are erased here and not in next(), because the Line that it returned is a
// view of bytes_.
void Lines::append(Bytes bytes) {
  bytes_.erase(0, taken_);
  searched_ -= taken_;
  taken_ = 0;
  bytes_ += as_text(bytes);
}

std::optional<Lines::Line> Lines::next() {
  if (!excess_.empty()) return std::nullopt;
  const std::size_t end = bytes_.find('\n', searched_);
  // An unfinished line counts, too: its end may never come. A limit that was hit stays hit, so that
  // a caller which goes on asking gets no line of what follows.
  const std::size_t size = (end == std::string::npos ? bytes_.size() : end + 1) - taken_;
  if (size > kMaxLine) {
    excess_ = "a line of more than 8 KiB";
  } else if (total_ + size > kMaxConversation) {
    excess_ = "more than 64 KiB";
  }
  if (!excess_.empty()) return std::nullopt;
  if (end == std::string::npos) {
    searched_ = bytes_.size();
    return std::nullopt;
  }
  Line line;
  line.raw = std::string_view(bytes_).substr(taken_, size);
  line.text = line.raw.substr(0, size - 1);
  while (line.text.ends_with('\r')) line.text.remove_suffix(1);
  taken_ += size;
  searched_ = taken_;
  total_ += size;
  return line;
}

std::string as_understood(std::string_view text) {
  std::string shown(text);
  const auto is_control = [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; };
  std::replace_if(shown.begin(), shown.end(), is_control, ' ');
  return shown + "\r\n";
}

Step LineConversation::on_server(Bytes bytes) {
  lines_.append(bytes);
  Step step;
  while (step.status == Status::again) {
    const std::optional<Lines::Line> line = lines_.next();
    if (line) {
      append(step, on_line(*line));
      continue;
    }
    if (!lines_.excess().empty()) {
      append(step, fail("sent " + std::string(lines_.excess()) + " while we were waiting for " +
                        waiting_for()));
    }
    break;
  }
  return step;
}

// A TLS server's alert, for one, has no line end: say what stands there.
Step LineConversation::on_server_end(End end) {
  if (lines_.rest().empty()) return ended(topic_, end, *this);
  return fail("said \"" + printable(lines_.rest(), 80) + "\"" + looks_like(lines_.rest()) +
              ", and ended the connection while we were waiting for " + waiting_for());
}

Step LineConversation::finish(std::string to_server) const {
  Step step = done();
  step.to_server = std::move(to_server);
  step.surplus = std::string(lines_.rest());
  return step;
}

}  // namespace tunnel::preamble
