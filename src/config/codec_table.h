// SPDX-License-Identifier: MIT
// How tables are read and printed again: by the rows of what is in them.
#pragma once

#include <optional>

#include "config/codec.h"
#include "config/schema.h"

namespace tunnel::config {

// Tables. A table that may be `false` keeps that in `enabled`, or by not being there.
template <>
struct Codec<Type::table> {
  template <class T>
  static void read(Reader& reader, const Option& option, const Setting& setting, T& target) {
    if (!setting.is_table()) return reader.wrong_type(option, setting.value());
    read_rows(reader, setting, target);
  }
  template <class T>
  static void read(Reader& reader, const Option& option, const Setting& setting,
                   std::optional<T>& target) {
    if (!setting.is_table()) return reader.wrong_type(option, setting.value());
    read_rows(reader, setting, target.emplace());
  }
  template <class T>
  static Printed print(const T& value) {
    return print_rows(value);
  }
  template <class T>
  static Printed print(const std::optional<T>& value) {
    return value ? print_rows(*value) : Printed{};
  }
};

template <>
struct Codec<Type::table_or_false> {
  template <class T>
  static void read(Reader& reader, const Option& option, const Setting& setting,
                   std::optional<T>& target) {
    const Setting table = table_of(reader, option, setting);
    if (!table.is_set()) return;
    if (read_boolean(table.value()) == false) return target.reset();
    target.emplace();
    if (table.is_table()) read_rows(reader, table, *target);
  }
  static void read(Reader& reader, const Option& option, const Setting& setting,
                   Keepalive& target) {
    const Setting table = table_of(reader, option, setting);
    if (!table.is_set()) return;
    target.enabled = read_boolean(table.value()) != false;
    if (table.is_table()) read_rows(reader, table, target);
  }
  template <class T>
  static Printed print(const std::optional<T>& value) {
    return value ? print_rows(*value) : Printed("false");
  }
  static Printed print(const Keepalive& value) {
    return value.enabled ? print_rows(value) : Printed("false");
  }

 private:
  // The setting that counts: a table or false; `true` is the table below it, or all defaults (then
  // the `true` itself). Not set after an error.
  static Setting table_of(Reader& reader, const Option& option, const Setting& setting);
};

}  // namespace tunnel::config
