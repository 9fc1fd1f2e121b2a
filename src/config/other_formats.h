// SPDX-License-Identifier: MIT
// Whether a text is written in another language than its file's name promises. Guesses, made only
// for texts that cannot be read as what they are called. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "config/foreign.h"

namespace tunnel::config {

struct OtherFormat {
  std::size_t offset = 0;  // of what gives it away
  std::string text;
  std::string hint;
};

// For a text that is not TOML: JSON, YAML, XML, or a stunnel.conf, if `foreign` knows one
// by its options; `path` is the file's.
[[nodiscard]] std::optional<OtherFormat> find_other_format(std::string_view text,
                                                           const std::string& path,
                                                           const Foreign& foreign);
// For a file that is called like a stunnel.conf and holds TOML, which stunnel's reader takes for
// many small mistakes.
[[nodiscard]] std::optional<OtherFormat> find_toml(std::string_view text, const std::string& path);

}  // namespace tunnel::config
