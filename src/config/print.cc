// SPDX-License-Identifier: MIT
#include "config/print.h"

#include <algorithm>

#include "config/codec.h"

namespace tunnel::config {
namespace {

std::string key_of(const std::string& name) {
  const bool is_bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  return is_bare ? name : quoted(name);
}

void print_values(const Printed& table, std::string& text) {
  for (const auto& [key, printed] : table.children) {
    if (!printed.is_table) text += key + " = " + printed.value + "\n";
  }
}

void print_tables(const Printed& table, const std::string& name, std::string& text) {
  for (const auto& [key, printed] : table.children) {
    if (!printed.is_table) continue;
    const std::string full = name + "." + key;
    text += "\n[" + full + "]\n";
    print_values(printed, text);
    print_tables(printed, full, text);
  }
}

}  // namespace

std::string print(const Config& config) {
  std::string text;
  print_values(print_rows(config.global), text);
  for (const Service& service : config.services) {
    const Printed table = print_rows(service);
    const std::string name = key_of(service.name);
    text += (text.empty() ? "[" : "\n[") + name + "]\n";
    print_values(table, text);
    print_tables(table, name, text);
  }
  return text;
}

}  // namespace tunnel::config
