// SPDX-License-Identifier: MIT
#include "cli/validators.h"

#include "base/address.h"
#include "base/text.h"

namespace tunnel::cli {
namespace {

template <class Wrong>
CLI::Validator validator(Wrong wrong, const char* name) {
  return CLI::Validator([wrong](std::string& text) -> std::string { return wrong(text); }, "",
                        name);
}

}  // namespace

std::string with_unit(std::string duration) {
  return is_digits(duration) ? duration + "s" : duration;
}

CLI::Validator to_duration() {
  return validator(
      [](std::string& text) {
        text = with_unit(text);
        const auto duration = parse_duration(text);
        return duration ? "" : duration.error().text;
      },
      "duration");
}

CLI::Validator to_duration_above_zero() {
  return validator(
      [](std::string& text) {
        text = with_unit(text);
        const auto duration = parse_duration(text);
        if (!duration) return duration.error().text;
        return std::string(duration->count() > 0 ? "" : "a timeout is more than 0");
      },
      "duration");
}

CLI::Validator is_size_above_zero() {
  return validator(
      [](const std::string& text) {
        const auto size = parse_size(text);
        if (!size) return size.error().text;
        return std::string(*size > 0 ? "" : "a size of 0 captures nothing");
      },
      "size");
}

CLI::Validator is_range() {
  return validator(
      [](const std::string& text) {
        const auto range = Cidr::parse(text);
        return range ? "" : range.error().text;
      },
      "range");
}

}  // namespace tunnel::cli
