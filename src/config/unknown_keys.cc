// SPDX-License-Identifier: MIT
#include "config/unknown_keys.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "config/key_hints.h"
#include "config/reader.h"

namespace tunnel::config {
namespace {

void report_unknown(Reader& reader, const Entry& entry, std::span<const std::string_view> known) {
  Value at;
  at.position = entry.position;
  reader.error(at, "unknown key \"" + printable(entry.key, 60) + "\"",
               key_hint(entry.key, known, reader.service(), reader.foreign()));
}

}  // namespace

void check_known(Reader& reader, const Value& value, std::span<const std::string_view> known) {
  const auto* table = value.as<Table>();
  if (table == nullptr) return;
  for (const Entry& entry : table->entries()) {
    if (reader.is_exhausted()) return;
    if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
      report_unknown(reader, entry, known);
    }
  }
}

// Goes by the tables as they are written, not as they are merged: what is wrong in [defaults] is
// reported there, and once.
template <class T>
void check_keys(Reader& reader, const Value& value) {
  const auto* table = value.as<Table>();
  if (table == nullptr) return;  // reading it reports the type
  std::vector<std::string_view> known;
  for (const Row<T>& row : rows<T>()) {
    if (row.availability == Availability::now) known.push_back(row.key);
  }
  for (const Entry& entry : table->entries()) {
    if (reader.is_exhausted()) return;
    if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
      report_unknown(reader, entry, known);
      continue;
    }
    for (const Row<T>& row : rows<T>()) {
      if (row.key == entry.key && row.check_keys != nullptr) row.check_keys(reader, entry.value);
    }
  }
}

template void check_keys<Global>(Reader&, const Value&);
template void check_keys<Service>(Reader&, const Value&);
template void check_keys<Tls>(Reader&, const Value&);
template void check_keys<SmtpLogin>(Reader&, const Value&);
template void check_keys<Timeouts>(Reader&, const Value&);
template void check_keys<Keepalive>(Reader&, const Value&);
template void check_keys<SocketOptions>(Reader&, const Value&);
template void check_keys<Health>(Reader&, const Value&);
template void check_keys<Capture>(Reader&, const Value&);
template void check_keys<Target>(Reader&, const Value&);

}  // namespace tunnel::config
