// SPDX-License-Identifier: MIT
#include "config/toml_reader.h"

#include <map>
#include <string>

#include "base/text.h"
#include "config/toml_scanner.h"

// toml++ is compiled here and nowhere else, without exceptions (Debian's library is built with
// them).
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#endif
#include <toml++/impl/preprocessor.h>
// The parser asserts, and in some builds assumes, what broken input can violate ("[[[") although it
// has an error message for it two lines further down: let it come to the message.
#undef TOML_ASSERT
#define TOML_ASSERT(expression) static_assert(true)
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT_ASSUME(expression) static_assert(true)
#include <toml++/toml.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

namespace tunnel::config {
namespace {

Position position_of(std::uint32_t file, const toml::source_region& region) {
  return {file, region.begin.line, region.begin.column};
}

// Turns toml++'s tree into ours. `words` are the places of bare yes and no, which the parser was
// shown as strings of the same length.
class Converter {
 public:
  Converter(std::uint32_t file, const std::map<Position, bool>& words)
      : file_(file), words_(words) {}

  [[nodiscard]] Value convert(const toml::node& node, Position otherwise) const {
    Value value;
    value.position = position_of(file_, node.source());
    if (value.position.line == 0) value.position = otherwise;
    if (const auto* text = node.as_string()) {
      const auto word = words_.find(value.position);
      if (word != words_.end()) {
        value.data = word->second;
      } else {
        value.data = text->get();
      }
    } else if (const auto* integer = node.as_integer()) {
      value.data = integer->get();
    } else if (const auto* number = node.as_floating_point()) {
      value.data = number->get();
    } else if (const auto* boolean = node.as_boolean()) {
      value.data = boolean->get();
    } else if (const auto* array = node.as_array()) {
      Array elements;
      elements.reserve(array->size());
      for (const toml::node& element : *array) elements.push_back(convert(element, value.position));
      value.data = std::move(elements);
    } else if (const auto* table = node.as_table()) {
      value.data = convert_table(*table);
    } else {
      value.data = DateTime{};
    }
    return value;
  }

 private:
  [[nodiscard]] Table convert_table(const toml::table& table) const {
    std::vector<Entry> entries;
    entries.reserve(table.size());
    for (const auto& [key, node] : table) {
      const Position position = position_of(file_, key.source());
      entries.push_back({std::string(key.str()), position, convert(node, position)});
    }
    // toml++ sorts by name; people and messages go by the order of the file.
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.position < b.position; });
    return Table(std::move(entries));
  }

  std::uint32_t file_;
  const std::map<Position, bool>& words_;
};

// What a person who knows stunnel.conf or INI files most probably did in this line.
std::string syntax_hint(std::string_view line) {
  const auto trim = [](std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return std::string_view();
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
  };
  line = trim(line);
  if (line.starts_with(';')) return "comments begin with \"#\"";
  const std::size_t equals = line.find('=');
  if (line.empty() || line.starts_with('[')) return "";
  if (equals == std::string_view::npos) {
    return line.find(' ') == std::string_view::npos ? "" : "a setting is written: key = \"value\"";
  }
  const std::string_view key = trim(line.substr(0, equals));
  std::string_view value = trim(line.substr(equals + 1));
  if (value.empty()) return "";
  if (value.find_first_of("\"'[{") != std::string_view::npos) return "";
  value = trim(value.substr(0, value.find('#')));
  return "text needs quotes: " + printable(key, 40) + " = \"" + printable(value, 80) + "\"";
}

// toml++ begins its sentences with what it was doing; what is wrong comes after.
std::string shortened(std::string_view description) {
  constexpr std::string_view kDoing = "Error while parsing ";
  if (description.starts_with(kDoing)) description.remove_prefix(kDoing.size());
  return "syntax error: " + std::string(description);
}

bool has_bad_bytes(Diagnostics& diagnostics, std::uint32_t file) {
  const Source& source = diagnostics.source(file);
  const std::size_t nul = source.text().find('\0');
  const std::size_t invalid = find_invalid_utf8(source.text());
  const std::size_t first = std::min(nul, invalid);
  if (first == std::string_view::npos) return false;
  diagnostics.error(source.position(file, first),
                    first == nul ? "there is a NUL byte here; this is no text file"
                                 : "these bytes are no UTF-8 text",
                    first == nul ? "" : "a configuration file is plain text, saved as UTF-8");
  return true;
}

// The places of bare words and whether each is a yes. One walk over the text: a single line may
// hold millions of them.
std::map<Position, bool> find_words(const Source& source, std::uint32_t file,
                                    const std::vector<std::size_t>& offsets) {
  std::map<Position, bool> words;
  Position here{file, 1, 1};
  std::size_t at = 0;
  for (const std::size_t offset : offsets) {
    while (at < offset) {
      const bool is_end = source.text()[at] == '\n';
      here.line += is_end ? 1 : 0;
      here.column = is_end ? 1 : here.column + 1;
      at += character_length(source.text().substr(at, 4));
    }
    words.emplace_hint(words.end(), here, source.text()[offset] == 'y');
  }
  return words;
}

}  // namespace

std::optional<Value> read_toml(Diagnostics& diagnostics, std::uint32_t file) {
  if (has_bad_bytes(diagnostics, file)) return std::nullopt;
  const Source& source = diagnostics.source(file);
  const TomlScan scan = scan_toml(source.text());
  if (scan.too_deep) {
    diagnostics.error(source.position(file, *scan.too_deep),
                      "nested beyond " + std::to_string(kDeepest) + " levels");
    return std::nullopt;
  }
  std::map<Position, bool> words;
  toml::parse_result result = toml::parse(source.text());
  if (!result && !scan.bare_words.empty()) {
    // Not TOML as it stands, but bare yes and no are allowed. They become strings of the same
    // length, so that every column stays where it was, and booleans in the Converter.
    std::string text(source.text());
    words = find_words(source, file, scan.bare_words);
    for (const std::size_t at : scan.bare_words) {
      const bool is_yes = text[at] == 'y';
      text.replace(at, is_yes ? 3 : 2, is_yes ? "'y'" : "''");
    }
    result = toml::parse(text);
  }
  if (!result) {
    const Position position = position_of(file, result.error().source());
    diagnostics.error(position, shortened(result.error().description()),
                      syntax_hint(source.line(position.line)));
    return std::nullopt;
  }
  return Converter(file, words).convert(result.table(), {file, 1, 1});
}

}  // namespace tunnel::config
