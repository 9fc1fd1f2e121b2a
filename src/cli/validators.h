// SPDX-License-Identifier: MIT
// What values of options must look like, for CLI11: each says what is wrong in a sentence.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace tunnel::cli {

// A number alone is seconds, as in the configuration: "10" becomes "10s".
[[nodiscard]] std::string with_unit(std::string duration);
// For Option::transform: what is stored has its unit.
[[nodiscard]] CLI::Validator to_duration();  // "10s", "10"
[[nodiscard]] CLI::Validator to_duration_above_zero();
[[nodiscard]] CLI::Validator is_size_above_zero();  // "64MiB"
[[nodiscard]] CLI::Validator is_range();            // "10.0.0.0/8"

}  // namespace tunnel::cli
