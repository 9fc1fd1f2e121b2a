// SPDX-License-Identifier: MIT
#include "config/other_formats.h"

#include <algorithm>

#include "base/text.h"
#include "config/schema.h"

namespace tunnel::config {
namespace {

constexpr std::string_view kSmallest =
    "the smallest configuration is: [web], accept = \"127.0.0.1:8080\", connect = "
    "\"www.example.com:443\", each on a line of its own";

// One line of any of these languages, and where its first letter is.
struct Line {
  std::string_view text;
  std::size_t offset = 0;
  std::string_view key, value;  // around the first "="; empty without
};

template <class F>
void for_each_line(std::string_view text, F&& use) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    Line line;
    line.text = trimmed(text.substr(begin, end - begin));
    if (!line.text.empty()) {
      line.offset = static_cast<std::size_t>(line.text.data() - text.data());
      if (const std::size_t equals = line.text.find('='); equals != std::string_view::npos) {
        line.key = trimmed(line.text.substr(0, equals));
        line.value = trimmed(line.text.substr(equals + 1));
      }
      use(line);
    }
    begin = end + 1;
  }
}

// "dir/name" of "dir/name.ending".
std::string without_ending(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::size_t dot = path.rfind('.');
  const bool has_ending = dot != std::string_view::npos && dot > 0 &&
                          (slash == std::string_view::npos || dot > slash + 1);
  return has_ending ? path.substr(0, dot) : path;
}

bool is_key_here(std::string_view key) {
  const std::vector<Named> all = all_options();
  return std::any_of(all.begin(), all.end(),
                     [&](const Named& named) { return named.option->key == key; });
}

// A stunnel.conf gives itself away by options that TOML does not have and by `client`; that nothing
// stands in quotes is needed, too: who writes TOML and borrows an option's name is told about that
// option.
class StunnelSigns {
 public:
  explicit StunnelSigns(const Foreign& foreign) : foreign_(foreign) {}

  void add(const Line& line) {
    if (line.text.starts_with(';')) return;
    if (line.value.starts_with('"') || line.value.starts_with('\'')) has_quotes_ = true;
    if (line.key.empty() || line.value.empty()) return;
    const auto option = foreign_.find_stunnel_option(line.key);
    if (!option) return;
    const bool is_sure = !is_key_here(line.key) || option->name == "client";
    if (!is_sure || offset_) return;
    offset_ = line.offset;
  }
  [[nodiscard]] std::optional<std::size_t> verdict() const {
    return has_quotes_ ? std::nullopt : offset_;
  }

 private:
  const Foreign& foreign_;
  std::optional<std::size_t> offset_;
  bool has_quotes_ = false;
};

bool is_yaml(const Line& line) {
  const std::size_t colon = line.text.find(':');
  if (colon == std::string_view::npos || colon == 0 || line.text.starts_with('[')) return false;
  const std::string_view key = line.text.substr(0, colon);
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  if (!std::all_of(key.begin(), key.end(), is_word)) return false;
  const std::string_view rest = line.text.substr(colon + 1);
  return rest.empty() || rest.front() == ' ' || rest.front() == '\t';
}

}  // namespace

std::optional<OtherFormat> find_other_format(std::string_view text, const std::string& path,
                                             const Foreign& foreign) {
  std::optional<Line> first;
  bool is_all_yaml = true;
  StunnelSigns stunnel(foreign);
  for_each_line(text, [&](const Line& line) {
    if (line.text.starts_with('#')) return;
    if (line.text == "---" && !first) return;
    if (!first) first = line;
    if (!is_yaml(line) && !line.text.starts_with('-')) is_all_yaml = false;
    stunnel.add(line);
  });
  if (!first) return std::nullopt;
  const auto called = [&](const char* language) {
    return OtherFormat{first->offset,
                       "this looks like " + std::string(language) + ", and TOML is wanted",
                       std::string(kSmallest)};
  };
  if (first->text.starts_with('{')) return called("JSON");
  if (first->text.starts_with('<')) return called("XML");
  // All lines, because a single "key: value" is also a mistake that people make in TOML.
  if (is_all_yaml) return called("YAML");
  if (const auto offset = stunnel.verdict()) {
    const bool has_no_name = path.starts_with("/dev/") || path.starts_with("/proc/");
    const std::string name =
        has_no_name ? "stunnel.conf" : without_ending(printable(path, 200)) + ".conf";
    return OtherFormat{*offset, "this looks like a stunnel.conf, and a file of this name is TOML",
                       "call it " + name + " to run it as it is; then `tunnel convert " + name +
                           "` prints the TOML that it means"};
  }
  return std::nullopt;
}

std::optional<OtherFormat> find_toml(std::string_view text, const std::string& path) {
  std::optional<OtherFormat> found;
  for_each_line(text, [&](const Line& line) {
    if (found || (line.key != "accept" && line.key != "connect")) return;
    std::string_view value = line.value;
    while (value.starts_with('[')) value = trimmed(value.substr(1));
    const char quote = value.empty() ? '\0' : value.front();
    // stunnel has no quotes: no address begins with one there.
    if ((quote != '"' && quote != '\'') || value.find(quote, 1) == std::string_view::npos) return;
    found = {line.offset, "this looks like TOML, and a file of this name is read as a stunnel.conf",
             "call it " + without_ending(printable(path, 200)) + ".toml"};
  });
  return found;
}

}  // namespace tunnel::config
