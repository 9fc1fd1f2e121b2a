// SPDX-License-Identifier: MIT
// `connect`: targets, groups of them, and the rows of a target's table.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/row.h"
#include "config/url_address.h"

namespace tunnel::config {
namespace {

// In all groups together. A reload compares the targets of a service in pairs.
constexpr std::size_t kMostTargets = 1000;

// RFC 1123 section 2.1, with the underscore that SRV and Windows names use.
bool is_host_name(std::string_view name) {
  // 253 bytes are what RFC 1035 section 2.3.4 leaves of 255 octets: the length of the first label
  // and the root's are not written.
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > 253) return false;
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const bool is_allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!is_allowed || ++label > 63) return false;
  }
  return label > 0;
}

// "10.1.1.256": no name has a last label of digits only, so this was meant to be an address.
bool looks_like_ipv4(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return !last.empty() &&
         std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string url_hint(const std::string& url) {
  const std::string address = address_in_url(url);
  return address.empty() ? "" : "write " + in_quotes(address);
}

// The text of a target into its parts. Each method is false after an error.
class TargetText {
 public:
  TargetText(Reader& reader, const Value& value, Target& target)
      : reader_(reader), value_(value), target_(target) {}

  bool read() {
    const auto* text = value_.as<std::string>();
    if (text == nullptr) return refuse_kind();
    target_.text = *text;
    if (text->empty()) return refuse("this target is empty: a target is \"HOST:PORT\"");
    // URLs and paths behind a port before what has a slash: they have one, too, and would become
    // unix sockets.
    if (text->starts_with("srv:")) return read_srv(*text);
    if (is_url(*text)) {
      return refuse(in_quotes(*text) + " is a URL; a target is \"HOST:PORT\" only",
                    url_hint(*text));
    }
    if (has_path_after_port(*text)) {
      return refuse("a target is \"HOST:PORT\", without a path behind the port",
                    "write " + in_quotes(address_in_url(*text)));
    }
    const bool is_path = text->find('/') != std::string::npos || text->starts_with('@');
    return is_path ? read_path(*text) : read_host_port(*text);
  }

 private:
  bool refuse(std::string text, std::string hint = {}) {
    reader_.error(value_, std::move(text), std::move(hint));
    return false;
  }

  bool refuse_kind() {
    const auto* port = value_.as<std::int64_t>();
    return refuse(
        "a target is a string such as \"ldap.example.com:636\", not " + std::string(value_.kind()),
        port != nullptr ? "a target needs a host: \"localhost:" + std::to_string(*port) + "\""
                        : "");
  }

  bool read_srv(const std::string& text) {
    target_.form = Target::Form::srv;
    target_.host = text.substr(4);
    if (is_host_name(target_.host)) return true;
    return refuse(in_quotes(text) + " names no SRV record",
                  "write it like \"srv:_ldap._tcp.example.com\"");
  }

  bool read_path(const std::string& text) {
    target_.form = Target::Form::unix_socket;
    target_.host = text.starts_with('@') ? text : reader_.absolute(value_, text);
    target_.text = target_.host;  // logs and the printed text are read elsewhere
    const auto path = SocketAddress::unix_path(target_.host);
    return path ? true : refuse(path.error().text);
  }

  bool read_host_port(const std::string& text) {
    const auto split = parse_host_port(text);
    if (text.find(':') == std::string::npos) {
      return split ? refuse("the host is missing: a target is \"HOST:PORT\"",
                            "this machine is \"localhost:" + text + "\"")
                   : refuse("the port is missing: a target is \"HOST:PORT\"",
                            "LDAP over TLS, for example, is " + in_quotes(text + ":636"));
    }
    if (!split) return refuse(split.error().text);
    if (split->port == 0) return refuse("port 0 is not a port to connect to");
    target_.host = split->host;
    target_.port = split->port;
    const bool is_address = SocketAddress::parse_ip(target_.host, target_.port).has_value();
    target_.form = is_address ? Target::Form::ip : Target::Form::name;
    return is_address || check_name();
  }

  bool check_name() {
    const std::string& name = target_.host;
    if (looks_like_ipv4(name)) return refuse(in_quotes(name) + " is not an IPv4 address");
    if (is_host_name(name)) return true;
    const bool is_ascii = std::all_of(name.begin(), name.end(),
                                      [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    return refuse(in_quotes(name) + " is not a host name",
                  is_ascii ? "" : "write international names in their ASCII form, \"xn--...\"");
  }

  Reader& reader_;
  const Value& value_;
  Target& target_;
};

bool read_address(Reader& reader, const Value& value, Target& target) {
  return TargetText(reader, value, target).read();
}

void check_combination(Reader& reader, const Value& value, const Table& table,
                       const Target& target) {
  const auto refuse = [&](std::string_view key, std::string text, std::string hint = {}) {
    const Entry* entry = table.find(key);
    if (entry != nullptr) reader.error(entry->value, std::move(text), std::move(hint));
  };
  if (target.text.empty()) {
    reader.error(value, "this target has no \"address\"",
                 "write it like { address = \"ldap.example.com:636\", weight = 2 }");
  }
  if (target.expand && target.form != Target::Form::name && !target.text.empty()) {
    refuse("expand", "\"expand\" is for names, and " + in_quotes(target.text) + " is none");
  }
  if (target.form == Target::Form::srv) {
    refuse("weight", "the weights of \"srv:\" targets come from DNS");
  }
}

// Reads a target: its text, or a table. One that is wrong keeps its place, empty, so that those
// behind it are found in the file at theirs.
void read_target(Reader& reader, const Value& value, std::vector<Target>& group) {
  Target target;
  const auto* table = value.as<Table>();
  if (table == nullptr) {
    const bool is_right = read_address(reader, value, target);
    return group.push_back(is_right ? std::move(target) : Target());
  }
  check_keys<Target>(reader, value);
  read_rows(reader, Setting(&value), target);
  check_combination(reader, value, *table, target);
  group.push_back(std::move(target));
}

void read_group(Reader& reader, const Value& value, TargetGroups& groups) {
  const Array& array = *value.as<Array>();
  if (array.empty()) return reader.error(value, "this group has no target");
  if (!reader.spend(value, array.size())) return;
  std::vector<Target> group;
  for (const Value& element : array) read_target(reader, element, group);
  if (!group.empty()) groups.push_back(std::move(group));
}

std::string print_target(const Target& target) {
  const Printed printed = print_rows(target);
  // Nothing but the address differs from the defaults.
  if (printed.children.size() == 1) return toml_quoted(target.text);
  std::string result;
  for (const auto& [key, value] : printed.children) {
    result += (result.empty() ? "{ " : ", ") + key + " = " + value.value;
  }
  return result + " }";
}

std::string print_group(const std::vector<Target>& group) {
  std::string result;
  for (const Target& target : group) result += (result.empty() ? "[" : ", ") + print_target(target);
  return result + "]";
}

void read_target_address(Reader& reader, const Option&, const Setting& setting, Target& target) {
  (void)read_address(reader, setting.value(), target);
}

Printed print_target_address(const Target& target) { return Printed(toml_quoted(target.text)); }

constexpr auto kTargetRows = std::to_array<Row<Target>>({
    {{.key = "address",
      .help = "Where the target is: \"HOST:PORT\", \"srv:NAME\", or the path of a unix socket. "
              "It must be given.",
      .type = Type::target},
     read_target_address,
     print_target_address},
    row<Type::integer, &Target::weight>(
        {.key = "weight",
         .standard = "1",
         .help =
             "Its share of the connections of its group, from 0 to 65535. 0 drains it: it keeps "
             "what it has and gets nothing new.",
         .max = 65'535}),
    row<Type::integer, &Target::max_connections>(
        {.key = "max_connections",
         .help = "Connections that this target may have at a time, attempts included. When all "
                 "targets of a group are full, the next group serves; when all are, "
                 "connections wait, until timeouts.dial.",
         .min = 1}),
    row<Type::text, &Target::name>(
        {.key = "name",
         .help = "The name that the certificate of this target must carry, instead of tls.name."}),
    row<Type::boolean, &Target::expand>(
        {.key = "expand",
         .standard = "false",
         .help = "Makes every address of the name a target of its own. They are then balanced and "
                 "watched one by one."}),
});

}  // namespace

template <>
std::span<const Row<Target>> rows<Target>() {
  return kTargetRows;
}

// A text or a table is one target, an array of those is one group, an array of such arrays is
// several groups. Targets are counted before any is read, so that a list of a million is refused at
// once.
void Codec<Type::connect>::read(Reader& reader, const Option& option, const Value& value,
                                TargetGroups& target) {
  (void)option;
  target.clear();
  const auto* array = value.as<Array>();
  if (array == nullptr) {
    std::vector<Target> group;
    read_target(reader, value, group);
    if (!group.empty()) target.push_back(std::move(group));
    return;
  }
  if (array->empty()) return reader.error(value, "\"connect\" is empty");
  std::size_t count = 0;
  for (const Value& element : *array) {
    const auto* group = element.as<Array>();
    count += group != nullptr ? group->size() : 1;
  }
  if (count > kMostTargets) {
    return reader.error(value,
                        "a service has at most " + std::to_string(kMostTargets) + " targets");
  }
  const auto is_group = [](const Value& element) { return element.as<Array>() != nullptr; };
  const auto first_group = std::find_if(array->begin(), array->end(), is_group);
  if (first_group == array->end()) return read_group(reader, value, target);
  const auto stray = std::find_if_not(array->begin(), array->end(), is_group);
  if (stray != array->end()) {
    return reader.error(*stray, "\"connect\" mixes targets and groups of targets",
                        "put this target into brackets to make it a group of its own");
  }
  for (const Value& element : *array) read_group(reader, element, target);
}

std::string Codec<Type::connect>::print(const TargetGroups& value) {
  if (value.empty()) return "";
  if (value.size() == 1) {
    return value[0].size() == 1 ? print_target(value[0][0]) : print_group(value[0]);
  }
  std::string result;
  for (const auto& group : value) result += (result.empty() ? "[" : ", ") + print_group(group);
  return result + "]";
}

}  // namespace tunnel::config
