// SPDX-License-Identifier: MIT
#include "config/value.h"

#include <array>
#include <numeric>

namespace tunnel::config {

// Keys are looked up for each row of the option table, and a file of 16 MiB may have a million in
// one table.
Table::Table(std::vector<Entry> entries) : entries_(std::move(entries)), by_key_(entries_.size()) {
  std::iota(by_key_.begin(), by_key_.end(), 0U);
  std::sort(by_key_.begin(), by_key_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return entries_[a].key < entries_[b].key; });
}

const Entry* Table::find(std::string_view key) const {
  const auto found =
      std::lower_bound(by_key_.begin(), by_key_.end(), key,
                       [&](std::uint32_t a, std::string_view k) { return entries_[a].key < k; });
  if (found == by_key_.end() || entries_[*found].key != key) return nullptr;
  return &entries_[*found];
}

std::string_view Value::kind() const {
  constexpr std::array<std::string_view, 7> kKinds = {
      "a string", "an integer", "a number with a point", "a boolean", "a date or time",
      "an array", "a table"};
  return kKinds[data.index()];
}

Setting Setting::child(std::string_view key) const {
  const auto look = [&](const Value* value) -> const Value* {
    if (value == nullptr) return nullptr;
    const Table* table = value->as<Table>();
    const Entry* entry = table != nullptr ? table->find(key) : nullptr;
    return entry != nullptr ? &entry->value : nullptr;
  };
  // What is no table (`tls = false`) hides the table below it as a whole.
  if (!is_table()) return {};
  return Setting(look(upper_), look(lower_));
}

}  // namespace tunnel::config
