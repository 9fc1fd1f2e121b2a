// SPDX-License-Identifier: MIT
// THE option table: one row per key, with its stunnel name, type, default, help, and how it is read
// and printed. Parsing, unknown keys, suggestions, `explain`, printing and conversion are loops
// over it. The rows of each table of the file stand in its schema_*.cc; all are constant.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model.h"
#include "config/option.h"
#include "config/value.h"

namespace tunnel::config {

class Reader;

// What a row's print gives: a TOML value, or a table of such. Neither: the key is not set.
// (Without its constructors clang 19 wants pair<string, Printed> to be complete too early.)
struct Printed {
  Printed() = default;
  explicit Printed(std::string text) : value(std::move(text)) {}
  static Printed table() {
    Printed printed;
    printed.is_table = true;
    return printed;
  }

  std::string value;
  bool is_table = false;
  std::vector<std::pair<std::string, Printed>> children;
  friend bool operator==(const Printed&, const Printed&) = default;
};

template <class T>
struct Row : Option {
  void (*read)(Reader&, const Option&, const Setting&, T&) = nullptr;
  Printed (*print)(const T&) = nullptr;
  // For tables: reports unknown keys in the table and those below it. Null for other types.
  void (*check_keys)(Reader&, const Value& table) = nullptr;
  // Whether both print alike for sure. Null: only printing tells.
  bool (*is_same)(const T&, const T&) = nullptr;
};

// The rows of one table of the file.
template <class T>
std::span<const Row<T>> rows();
template <>
std::span<const Row<Global>> rows<Global>();
template <>
std::span<const Row<Service>> rows<Service>();
template <>
std::span<const Row<Tls>> rows<Tls>();
template <>
std::span<const Row<Timeouts>> rows<Timeouts>();
template <>
std::span<const Row<Keepalive>> rows<Keepalive>();
template <>
std::span<const Row<SocketOptions>> rows<SocketOptions>();
template <>
std::span<const Row<Health>> rows<Health>();
template <>
std::span<const Row<Capture>> rows<Capture>();
template <>
std::span<const Row<SmtpLogin>> rows<SmtpLogin>();
template <>
std::span<const Row<Target>> rows<Target>();

// Every available row with the name people use for it ("tls.ca"), in the order of the manual.
struct Named {
  std::string_view group;  // "global", "service", "tls", ...
  std::string name;
  const Option* option;
};
[[nodiscard]] std::vector<Named> all_options();

template <class T>
void read_rows(Reader& reader, const Setting& table, T& object) {
  for (const Row<T>& row : rows<T>()) {
    if (row.availability == Availability::later) continue;
    if (const Setting setting = table.child(row.key); setting.is_set()) {
      row.read(reader, row, setting, object);
    }
  }
}

// What differs from the defaults, in the order of the rows.
template <class T>
Printed print_rows(const T& object) {
  Printed result = Printed::table();
  const T standard{};
  for (const Row<T>& row : rows<T>()) {
    if (row.print == nullptr) continue;  // nothing to print yet: Availability::later
    if (row.is_same != nullptr && row.is_same(object, standard)) continue;
    Printed printed = row.print(object);
    if (printed != row.print(standard)) {
      result.children.emplace_back(std::string(row.key), std::move(printed));
    }
  }
  return result;
}

}  // namespace tunnel::config
