// SPDX-License-Identifier: MIT
#include "config/environment.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/text.h"

namespace tunnel::config {
namespace {

bool is_variable_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  if (name.empty() || !is_letter(name.front())) return false;
  for (const char c : name) {
    if (!is_letter(c) && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

void append_variable(Reader& reader, const Value& at, std::string_view name, std::string& text) {
  if (!is_variable_name(name)) {
    return reader.error(at, in_quotes(name) + " is not the name of an environment variable",
                        "write $${ for a dollar sign and a brace that mean themselves");
  }
  const char* value = std::getenv(std::string(name).c_str());
  if (value != nullptr) return (void)text.append(value);
  reader.error(at, "the environment variable " + std::string(name) + " is not set",
               "expand_environment = true needs each ${NAME} in the environment of the process");
}

// One pass: what a variable says is not looked at again.
std::string expanded_text(Reader& reader, const Value& at, std::string_view rest) {
  std::string text;
  for (;;) {
    const std::size_t dollar = rest.find("${");
    if (dollar == std::string_view::npos) return text.append(rest);
    const std::string_view before = rest.substr(0, dollar);
    text += before;
    rest.remove_prefix(dollar + 2);
    // Not of `text`: a dollar that a variable's value ends with escapes nothing.
    if (before.ends_with('$')) {
      // The dollar in front of it is in the text already.
      text += '{';
      continue;
    }
    const std::size_t end = rest.find('}');
    if (end == std::string_view::npos) {
      reader.error(at, "\"${\" has no closing brace");
      return text;
    }
    append_variable(reader, at, rest.substr(0, end), text);
    rest.remove_prefix(end + 1);
  }
}

}  // namespace

Value expanded(Reader& reader, const Value& tree) {
  Value result;
  result.position = tree.position;
  if (const auto* text = tree.as<std::string>()) {
    result.data = expanded_text(reader, tree, *text);
    // What the rest of the string means without the variable need not be judged as well.
    reader.settle(tree);
  } else if (const auto* array = tree.as<Array>()) {
    Array items;
    items.reserve(array->size());
    for (const Value& item : *array) items.push_back(expanded(reader, item));
    result.data = std::move(items);
  } else if (const auto* table = tree.as<Table>()) {
    std::vector<Entry> entries;
    entries.reserve(table->entries().size());
    for (const Entry& entry : table->entries()) {
      entries.push_back({entry.key, entry.position, expanded(reader, entry.value)});
    }
    result.data = Table(std::move(entries));
  } else {
    result.data = tree.data;
  }
  return result;
}

}  // namespace tunnel::config
