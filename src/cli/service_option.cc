// SPDX-License-Identifier: MIT
#include "cli/service_option.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "config/print.h"

namespace tunnel::cli {
namespace {

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  for (;;) {
    const std::size_t comma = text.find(',');
    words.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return words;
    text.remove_prefix(comma + 1);
  }
}

struct Parts {
  std::string name;
  std::vector<std::string> addresses;  // where to accept, then the targets
};

Result<Parts> parts_of(const std::string& option) {
  const auto wrong = [&](const std::string& why) {
    return failed(ErrorCode::invalid, "--service " + in_quotes(option) + " " + why +
                                          "; it is NAME=ACCEPT,TARGET, as in "
                                          "ldap=127.0.0.1:389,ldap.example.com:636");
  };
  const std::size_t equals = option.find('=');
  if (equals == std::string::npos) return wrong("has no \"=\"");
  Parts parts{option.substr(0, equals), split(std::string_view(option).substr(equals + 1))};
  if (parts.name.empty()) return wrong("has no name");
  if (parts.name == "defaults") return wrong("has a name that no service can have");
  const auto& addresses = parts.addresses;
  if (addresses.size() < 2) return wrong("has no target");
  if (std::find(addresses.begin(), addresses.end(), "") != addresses.end()) {
    return wrong("has nothing between two commas");
  }
  return parts;
}

}  // namespace

Result<ServiceOptions> read_service_options(const std::vector<std::string>& options) {
  ServiceOptions result;
  std::vector<std::string> names;
  for (const std::string& option : options) {
    const auto parts = parts_of(option);
    if (!parts) return tl::unexpected(parts.error());
    if (std::find(names.begin(), names.end(), parts->name) != names.end()) {
      return failed(ErrorCode::invalid, "there are two services " + in_quotes(parts->name));
    }
    names.push_back(parts->name);
    const std::vector<std::string> targets(parts->addresses.begin() + 1, parts->addresses.end());
    result.toml += "[" + config::printed_key(parts->name) + "]\n" +
                   "accept = " + config::printed_texts({parts->addresses.front()}) + "\n" +
                   "connect = " + config::printed_texts(targets) + "\n";
  }
  result.name = names.front();
  return result;
}

}  // namespace tunnel::cli
