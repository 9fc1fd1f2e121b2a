// SPDX-License-Identifier: MIT
#include "config/option.h"

#include <vector>

#include "base/text.h"

namespace tunnel::config {
namespace {

std::string described_words(const Option& option) {
  std::vector<std::string> words;
  for (const Word& word : option.words) {
    if (word.availability == Availability::now) words.push_back(in_quotes(word.word));
  }
  return enumerated(words, " or ");
}

}  // namespace

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
    case Type::path_or_off:
      return "a path, or \"off\"";
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
    case Type::size:
      return "a size such as \"64MiB\"";
    case Type::size_or_off:
      return "a size such as \"64KiB\", or \"off\"";
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

}  // namespace tunnel::config
