// SPDX-License-Identifier: MIT
// The text of one configuration file and its lines. Owned by the Document for as long as problems
// may be reported against it; immutable after construction, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/value.h"

namespace tunnel::config {

inline constexpr std::size_t kLargestFile = std::size_t{16} << 20;

class Source {
 public:
  // A byte order mark at the front is dropped, so that offsets and columns agree with editors.
  Source(std::string path, std::string text);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  // The folder that relative paths of this file start from: absolute, without a final slash.
  [[nodiscard]] const std::string& folder() const { return folder_; }
  // A line without its end; empty when there is no such line. Lines count from 1.
  [[nodiscard]] std::string_view line(std::uint32_t number) const;
  // The line and column (in characters) of a byte.
  [[nodiscard]] Position position(std::uint32_t file, std::size_t offset) const;

 private:
  std::string path_;
  std::string text_;
  std::string folder_;
  std::vector<std::size_t> line_starts_;
};

// Reads a whole file of at most kLargestFile bytes. Regular files, and pipes that another process
// holds open for us (/dev/stdin, bash's <(...)); anything that could be endless or could block for
// ever (devices, named pipes, sockets) is refused, and a pipe that says nothing for five seconds is
// given up.
[[nodiscard]] Result<std::string> read_text(const std::string& path);

// Bytes of the character that starts here; 1 for a byte that is not valid UTF-8.
[[nodiscard]] std::size_t character_length(std::string_view text);
// The first byte that is not valid UTF-8 (RFC 3629), or npos.
[[nodiscard]] std::size_t find_invalid_utf8(std::string_view text);

}  // namespace tunnel::config
