// SPDX-License-Identifier: MIT
#include "config/schema.h"

#include <algorithm>

#include "base/text.h"
#include "config/key_hints.h"
#include "config/reader.h"

namespace tunnel::config {
namespace {

template <class T>
void collect(std::string_view group, std::string_view prefix, std::vector<Named>& all) {
  for (const Row<T>& row : rows<T>()) {
    if (row.availability == Availability::later) continue;
    all.push_back({group, std::string(prefix) + std::string(row.key), &row});
  }
}

std::string described_words(const Option& option) {
  std::vector<std::string_view> words;
  for (const Word& word : option.words) {
    if (word.availability == Availability::now) words.push_back(word.word);
  }
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += "\"" + std::string(words[i]) + "\"";
  }
  return text;
}

}  // namespace

std::vector<Named> all_options() {
  std::vector<Named> all;
  collect<Global>("global", "", all);
  collect<Service>("service", "", all);
  collect<Tls>("tls", "tls.", all);
  collect<SmtpLogin>("smtp_login", "smtp_login.", all);
  collect<Timeouts>("timeouts", "timeouts.", all);
  collect<Keepalive>("keepalive", "keepalive.", all);
  collect<SocketOptions>("socket_options", "socket_options.", all);
  collect<Health>("health", "health.", all);
  collect<Target>("connect", "connect.", all);
  return all;
}

std::string describe(const Option& option) {
  const std::string range = std::to_string(option.min) + " to " + std::to_string(option.max);
  switch (option.type) {
    case Type::boolean:
      return "true or false";
    case Type::text:
      return "a string";
    case Type::texts:
      return "an array of strings";
    case Type::path:
    case Type::readable_path:
    case Type::secret_path:
      return "a path";
    case Type::readable_paths:
      return "a path or an array of paths";
    case Type::program:
      return "the path of a program";
    case Type::path_or_uri:
      return "a path or a pkcs11: URI";
    case Type::log_target:
      return "a path, \"stderr\", \"syslog\" or \"journal\", or a path and \"stderr\"";
    case Type::globs:
      return "an array of patterns";
    case Type::choice:
      return described_words(option);
    case Type::duration:
      return "a duration such as \"10s\" or \"5m\"";
    case Type::timeout:
      return "a duration such as \"10s\" or \"5m\", or \"off\"";
    case Type::integer:
      if (option.max == Option{}.max) return "an integer from " + std::to_string(option.min);
      return "an integer from " + range;
    case Type::workers:
      return "an integer from " + range + ", or \"auto\"";
    case Type::user:
      return "the name or id of a user";
    case Type::group:
      return "the name or id of a group";
    case Type::name_servers:
      return "an array of addresses";
    case Type::source_address:
      return "an IP address";
    case Type::ranges:
      return "an array of address ranges such as \"10.0.0.0/8\"";
    case Type::accept:
      return "an address, a port, or an array of them";
    case Type::proxy:
      return "a URL such as \"http://proxy.example.com:3128\", or an array of them";
    case Type::connect:
      return "a target, an array of targets, or an array of such arrays";
    case Type::target:
      return "a target such as \"ldap.example.com:636\"";
    case Type::unix_mode:
      return "a file mode in quotes, such as \"0660\"";
    case Type::unix_owner:
      return "a string such as \"user:group\"";
    case Type::pins:
      return "an array of pins such as \"sha256:...\"";
    case Type::socket_options:
      return "a table of socket options";
    case Type::table:
      return "a table";
    case Type::table_or_false:
      return "a table or false";
  }
  return "";
}

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
template void check_keys<Target>(Reader&, const Value&);

}  // namespace tunnel::config
