// SPDX-License-Identifier: MIT
// What this room does not know by itself and is lent by those who load a file: another language to
// read it in, and what other programs call things, for hints. Constant data; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/remark.h"
#include "config/value.h"

namespace tunnel::config {

class Diagnostics;
class Reader;

// A file of another language in the keys that TOML has: a table for each service, what stands above
// them global keys.
struct Translation {
  Value root;  // a table
  std::vector<Remark> remarks;
};

// An option of another program.
struct ForeignOption {
  std::string_view name;     // as that program spells it: "CAfile"
  std::string_view key;      // what it is here, with its table: "tls.ca"; empty: nothing
  std::string verdict = {};  // of one that is nothing here: "has no meaning here: ..."
};

// Without anything lent, a file is TOML and a foreign word just an unknown one.
struct Foreign {
  // Reads the main file, which `file` is among the diagnostics' sources, and everything that it
  // includes; reports problems there and goes on. Nothing when it was given up, with an error.
  // Null: the file is TOML.
  std::optional<Translation> (*read)(Diagnostics& diagnostics, Reader& reader,
                                     std::uint32_t file) = nullptr;
  std::optional<ForeignOption> (*find_stunnel_option)(std::string_view name) =
      [](std::string_view) -> std::optional<ForeignOption> { return std::nullopt; };
  // The standard name of a cipher suite by OpenSSL's; "" for none.
  std::string_view (*standard_suite)(std::string_view openssl_name) = [](std::string_view) {
    return std::string_view();
  };
};

}  // namespace tunnel::config
