// SPDX-License-Identifier: MIT
// THE option table: one row per key, with its stunnel name, type, default, help, and how it is read
// and printed. Parsing, unknown keys, suggestions, `explain`, printing and conversion are loops
// over it. The rows stand in schema_global.cc, schema_service.cc and schema_tls.cc; all are
// constant.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model.h"
#include "config/value.h"

namespace tunnel::config {

class Reader;

enum class Type {
  boolean,
  text,
  texts,
  path,
  readable_path,
  readable_paths,
  program,
  secret_path,
  path_or_uri,
  log_target,
  globs,
  choice,
  duration,
  timeout,
  integer,
  workers,
  user,
  group,
  name_servers,
  source_address,
  ranges,
  accept,
  connect,
  proxy,
  target,
  unix_mode,
  unix_owner,
  pins,
  socket_options,
  table,
  table_or_false,
};

// A row whose time has not come is unknown to everybody; changing one word here enables it.
// `elsewhere` is for words: other programs say so, and it is suggested, not taken.
enum class Availability { now, later, elsewhere };

// A word of a choice and the enumerator it stands for.
struct Word {
  std::string_view word;
  int value;
  Availability availability = Availability::now;
};

struct Option {
  std::string_view key;
  std::string_view stunnel = {};   // its name in stunnel.conf, if it has one with the same meaning
  std::string_view standard = {};  // the default, as a person would write it; empty: none
  std::string_view help = {};      // one to three sentences
  std::int64_t min = 0;            // for integers and durations (milliseconds)
  std::int64_t max = std::numeric_limits<std::int32_t>::max();
  Availability availability = Availability::now;
  Type type = Type::text;            // filled by row<>
  std::span<const Word> words = {};  // filled by row<> for choices
};

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

// "a duration such as "10s", or "off"": what a value of this row looks like.
[[nodiscard]] std::string describe(const Option& option);

// Reports keys that are not among `known`, with what was probably meant.
void check_known(Reader& reader, const Value& table, std::span<const std::string_view> known);
// Reports keys that no row of the table has.
template <class T>
void check_keys(Reader& reader, const Value& table);

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
    Printed printed = row.print(object);
    if (printed != row.print(standard)) {
      result.children.emplace_back(std::string(row.key), std::move(printed));
    }
  }
  return result;
}

}  // namespace tunnel::config
