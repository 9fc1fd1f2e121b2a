// SPDX-License-Identifier: MIT
#include "config/diagnostic.h"

#include "base/text.h"

namespace tunnel::config {
namespace {

// A source line may be longer than any terminal: this many characters around the caret are shown.
constexpr std::size_t kWindow = 120;
constexpr std::size_t kBeforeCaret = 80;

// One character of the source as it is shown, and what stands below it in the caret's line.
struct Cell {
  std::string shown;
  std::string below;
};

Cell cell_of(std::string_view character) {
  // A tab keeps its width only if the caret's line has a tab in the same place.
  if (character == "\t") return {"\t", "\t"};
  std::string shown = printable(character);
  const bool is_escaped = shown != character;
  return {shown, std::string(is_escaped ? shown.size() : 1, ' ')};
}

std::string excerpt(std::string_view line, std::uint32_t column) {
  // A column past the end is shown behind the last character, and cells cost memory: never keep
  // more than a window of them.
  const std::size_t caret = column == 0 ? 0 : column - 1;
  const std::size_t first = caret > kBeforeCaret ? caret - kBeforeCaret : 0;
  std::string shown = first > 0 ? "..." : "";
  std::string below(shown.size(), ' ');
  std::size_t number = 0;
  while (!line.empty() && number < first + kWindow) {
    const std::size_t length = character_length(line);
    if (number >= first) {
      const Cell cell = cell_of(line.substr(0, length));
      shown += cell.shown;
      if (number < caret) below += cell.below;
    }
    line.remove_prefix(length);
    ++number;
  }
  if (!line.empty()) shown += "...";
  return shown + "\n" + below + "^\n";
}

}  // namespace

std::uint32_t Diagnostics::add_source(std::unique_ptr<Source> source) {
  sources_.push_back(std::move(source));
  return static_cast<std::uint32_t>(sources_.size() - 1);
}

void Diagnostics::add(Diagnostic diagnostic) {
  const bool is_error = diagnostic.severity == Severity::error;
  if (settled_.contains(diagnostic.position)) return;
  if (all_.insert(std::move(diagnostic)).second && is_error) ++errors_;
}

void Diagnostics::error(Position position, std::string text, std::string hint) {
  add({position, Severity::error, std::move(text), std::move(hint)});
}

void Diagnostics::warning(Position position, std::string text, std::string hint) {
  add({position, Severity::warning, std::move(text), std::move(hint)});
}

bool Diagnostics::has_error_at(Position position) const {
  // The least of all errors that can be there.
  const auto found = all_.lower_bound({position, Severity::error, "", ""});
  return found != all_.end() && found->position == position && found->severity == Severity::error;
}

std::string Diagnostics::place(Position position) const {
  std::string text = printable(source(position.file).path(), 4096);
  if (position.line > 0) {
    text += ":" + std::to_string(position.line) + ":" + std::to_string(position.column);
  }
  return text;
}

std::string Diagnostics::render(const Diagnostic& diagnostic) const {
  const bool is_error = diagnostic.severity == Severity::error;
  // Texts quote the file, and the excerpt is from it: both go to a terminal, so both are made
  // printable.
  std::string text = place(diagnostic.position) + (is_error ? ": error: " : ": warning: ") +
                     printable(diagnostic.text, 1000) + "\n";
  const Source& source = *sources_[diagnostic.position.file];
  // Below an empty line a caret points at nothing.
  if (!source.line(diagnostic.position.line).empty()) {
    text += excerpt(source.line(diagnostic.position.line), diagnostic.position.column);
  }
  if (!diagnostic.hint.empty()) text += "hint: " + printable(diagnostic.hint, 1000) + "\n";
  return text;
}

std::string Diagnostics::render_all() const {
  std::string text;
  std::size_t shown = 0;
  for (const Diagnostic& diagnostic : all_) {
    if (shown == kMostShown) break;
    text += render(diagnostic);
    ++shown;
  }
  if (shown < all_.size()) {
    text += "... and " + std::to_string(all_.size() - shown) + " more problems\n";
  }
  return text;
}

}  // namespace tunnel::config
