// SPDX-License-Identifier: MIT
// What a front end reads a file into: a tree of plain values, each with the place it was written
// at. TOML and stunnel.conf both end in such a tree, so everything after them is written once.
// Owned by the Document; values only, any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tunnel::config {

// A place in one of the files of a Document. Lines and columns count from 1, columns in characters;
// line 0 means the file as a whole.
struct Position {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

struct Entry;
struct Value;

using Array = std::vector<Value>;

// A date, a time or both: TOML has them, no key of ours wants one.
struct DateTime {};

// Keys in the order of the file, found by binary search in an index beside them.
class Table {
 public:
  // Keys are unique: the TOML parser refuses a second one.
  explicit Table(std::vector<Entry> entries);
  Table() = default;
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] const Entry* find(std::string_view key) const;

 private:
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> by_key_;
};

struct Value {
  Position position;
  std::variant<std::string, std::int64_t, double, bool, DateTime, Array, Table> data;

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data);
  }
  [[nodiscard]] bool is_false() const { return as<bool>() != nullptr && !*as<bool>(); }
  [[nodiscard]] bool is_true() const { return as<bool>() != nullptr && *as<bool>(); }
  // "a string", "an array", ...: for messages.
  [[nodiscard]] std::string_view kind() const;
};

struct Entry {
  std::string key;
  Position position;  // of the key
  Value value;
};

// One key of a service as it holds after merging: what the service says, above what [defaults]
// says. Tables merge key by key; anything else of the upper layer hides the lower one. Borrowed
// from the tree, empty when neither sets it.
class Setting {
 public:
  Setting() = default;
  explicit Setting(const Value* upper, const Value* lower = nullptr)
      : upper_(upper != nullptr ? upper : lower), lower_(upper != nullptr ? lower : nullptr) {}

  [[nodiscard]] bool is_set() const { return upper_ != nullptr; }
  // The value that counts. Only when set.
  [[nodiscard]] const Value& value() const { return *upper_; }
  [[nodiscard]] bool is_table() const { return is_set() && upper_->as<Table>() != nullptr; }
  [[nodiscard]] Setting child(std::string_view key) const;
  // A `true` above a table means the table: `tls = true` keeps [defaults.tls].
  [[nodiscard]] Setting below() const { return Setting(lower_); }

 private:
  const Value* upper_ = nullptr;
  const Value* lower_ = nullptr;
};

}  // namespace tunnel::config
