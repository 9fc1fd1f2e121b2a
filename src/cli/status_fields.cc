// SPDX-License-Identifier: MIT
#include "cli/status_fields.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tunnel::cli::fields {

using admin::Json;

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? printable(found->get<std::string>(), 4096)
                                                     : "";
}

double number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

std::string counted(const Json& object, const char* key, std::string_view noun) {
  return count_of(static_cast<std::uint64_t>(number(object, key)), noun);
}

bool has(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && !found->is_null();
}

const Json& list(const Json& object, const char* key) {
  // What is returned is a reference, so the empty list has to outlive the call.
  static const Json kNone = Json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : kNone;
}

std::string count(const Json& object, const char* key) {
  return fmt::format("{:.0f}", number(object, key));
}

std::string joined(const Json& texts) {
  std::string all;
  for (const Json& one : texts) {
    if (one.is_string()) all += (all.empty() ? "" : ", ") + printable(one.get<std::string>(), 4096);
  }
  return all;
}

}  // namespace tunnel::cli::fields
