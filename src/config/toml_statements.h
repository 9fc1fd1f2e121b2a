// SPDX-License-Identifier: MIT
// Where the statements of a TOML text begin that the parser refused, so that the broken one can be
// blanked and the rest be read: a file's other problems are then reported in the same run. Knows
// strings, comments and brackets, and nothing else of TOML. A value; owned by one reading.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tunnel::config {

class TomlStatements {
 public:
  explicit TomlStatements(std::string_view text);

  // What was blanked for an error.
  struct Dropped {
    enum class Extent {
      setting,  // one, over all its lines
      table,    // a broken header, and everything up to the next one
      rest,     // everything that follows: a text or a bracket that does not end
    };
    Extent extent = Extent::setting;
    std::string table;  // the top table that misses something now; empty: the global keys
    // Of a setting whose array, inline table or long string is not closed: where that begins.
    std::optional<std::size_t> unclosed;
  };
  // Overwrites the statement at `offset` of `text` with blanks, so that every other one keeps its
  // place. `text` is the one given to the constructor, but for what was dropped already. Nothing
  // when there is nothing left to drop.
  [[nodiscard]] std::optional<Dropped> drop(std::string& text, std::size_t offset) const;

 private:
  struct Start {
    std::size_t offset;
    // A bracket before it is still open, but this can only be the next statement.
    std::optional<std::size_t> unclosed;
  };
  [[nodiscard]] bool is_header(std::string_view text, std::size_t index) const;
  [[nodiscard]] std::size_t end(std::string_view text, std::size_t index) const;
  [[nodiscard]] std::string table_of(std::string_view text, std::size_t index) const;

  std::vector<Start> starts_;
  std::optional<std::size_t> open_string_;  // a """ that has no end
};

}  // namespace tunnel::config
