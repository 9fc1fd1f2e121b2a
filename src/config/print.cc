// SPDX-License-Identifier: MIT
#include "config/print.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "config/codec.h"

namespace tunnel::config {
namespace {

std::string key_of(const std::string& name) {
  const bool is_bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  return is_bare ? name : toml_quoted(name);
}

// Comments go no further to the right than this.
constexpr std::size_t kWidth = 98;
// A remark may quote a value, and plain ones are no longer than this (is_plain).
constexpr std::size_t kLongest = 65'536;

// `key = value`; a list of strings that is too long for a line has as many in each as fit.
std::string setting_line(const std::string& key, const std::string& value) {
  const std::string whole = key + " = " + value + "\n";
  // Only lists of strings are parted: of these, which quoted_list() made, commas and brackets
  // outside of quotes are the list's own.
  if (whole.size() <= kWidth + 1 || !value.starts_with("[\"")) return whole;
  std::string text = key + " = [\n";
  std::string line = " ";
  bool is_quoted = false;
  for (std::size_t start = 1, at = 1; at < value.size(); ++at) {
    if (value[at] == '\\') {
      ++at;
    } else if (value[at] == '"') {
      is_quoted = !is_quoted;
    } else if (!is_quoted && (value[at] == ',' || value[at] == ']')) {
      const std::string entry = " " + value.substr(start, at - start) + ",";
      if (line.size() > 1 && line.size() + entry.size() > kWidth) {
        text += line + "\n";
        line = " ";
      }
      line += entry;
      start = at + 2;
    }
  }
  return text + line + "\n]\n";
}

// One table with those below it, and the remarks about them.
class TablePrinter {
 public:
  TablePrinter(const std::string& service, std::span<const Remark> remarks) {
    for (const Remark& remark : remarks) {
      if (remark.service == service) remarks_.push_back(&remark);
    }
  }

  std::string print(const Printed& table, const std::string& header) {
    collect(table, "");
    std::string text;
    for (const Remark* remark : remarks_) {
      // A key that has its default is not printed, but what there is to say of it is.
      if (printed_.count(remark->key) == 0) text += comment_lines(remark->text);
    }
    if (!header.empty()) text += "[" + header + "]\n";
    // Values first: behind the header of a table below, they would belong to that one.
    print_values(table, "", text);
    print_tables(table, header, "", text);
    return text;
  }

 private:
  void collect(const Printed& table, const std::string& prefix) {
    for (const auto& [key, printed] : table.children) {
      if (printed.is_table) {
        collect(printed, prefix + key + ".");
      } else {
        printed_.insert(prefix + key);
      }
    }
  }

  void print_values(const Printed& table, const std::string& prefix, std::string& text) {
    for (const auto& [key, printed] : table.children) {
      if (printed.is_table) continue;
      for (const Remark* remark : remarks_) {
        if (remark->key == prefix + key) text += comment_lines(remark->text);
      }
      text += setting_line(key, printed.value);
    }
  }

  void print_tables(const Printed& table, const std::string& name, const std::string& prefix,
                    std::string& text) {
    for (const auto& [key, printed] : table.children) {
      if (!printed.is_table) continue;
      const std::string full = name + "." + key;
      text += "\n[" + full + "]\n";
      print_values(printed, prefix + key + ".", text);
      print_tables(printed, full, prefix + key + ".", text);
    }
  }

  std::vector<const Remark*> remarks_;
  std::set<std::string> printed_;
};

}  // namespace

std::string comment_lines(const std::string& sentence) {
  // A line end in it would end the comment, and the rest would be read as TOML.
  const std::string text = printable(sentence, kLongest);
  std::string result;
  std::string line = "#";
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    if (line.size() + 1 + (end - start) > kWidth && line.size() > 3) {
      result += line + "\n";
      line = "#  ";
    }
    line += " " + text.substr(start, end - start);
    start = end + 1;
  }
  return result + line + "\n";
}

std::string printed_key(const std::string& name) { return key_of(name); }

std::string printed_texts(const std::vector<std::string>& texts) {
  return texts.size() == 1 ? toml_quoted(texts.front()) : quoted_list(texts);
}

std::string print(const Config& config, std::span<const Remark> remarks) {
  std::string text = TablePrinter("", remarks).print(print_rows(config.global), "");
  for (const Service& service : config.services) {
    if (!text.empty()) text += "\n";
    text += TablePrinter(service.name, remarks).print(print_rows(service), key_of(service.name));
  }
  return text;
}

}  // namespace tunnel::config
