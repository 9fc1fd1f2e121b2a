// SPDX-License-Identifier: MIT
// What values of options must look like, for CLI11: each says what is wrong in a sentence.
#pragma once

#include <CLI/CLI.hpp>

namespace tunnel::cli {

[[nodiscard]] CLI::Validator is_duration();           // "10s"
[[nodiscard]] CLI::Validator is_duration_above_zero();
[[nodiscard]] CLI::Validator is_size_above_zero();    // "64MiB"
[[nodiscard]] CLI::Validator is_range();              // "10.0.0.0/8"

}  // namespace tunnel::cli
