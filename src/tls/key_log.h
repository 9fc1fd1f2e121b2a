// SPDX-License-Identifier: MIT
#pragma once

#include <gnutls/gnutls.h>

#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/file_owner.h"
#include "base/result.h"

namespace tunnel::tls {

// The secrets of sessions as NSS key log lines, for Wireshark. Any thread: a line is one write to a
// file opened for appending, which the kernel keeps whole, so there is no lock. (It is a blocking
// write on a worker, as a debugging aid may be.)
class KeyLog {
 public:
  KeyLog() = default;  // none

  // Opens or makes the file, readable by its owner only: us, or who the process is about to become.
  // One that is there must be like that already.
  [[nodiscard]] static Result<KeyLog> open(const std::string& path, const FileOwner& owner);
  // Whether open() would work, changing nothing.
  [[nodiscard]] static Result<void> check(const std::string& path, const FileOwner& owner);

  [[nodiscard]] bool is_open() const { return fd_.valid(); }
  void write(std::string_view line) const;

 private:
  Fd fd_;
};

// A secret of `session` as a line of the log, with its newline.
[[nodiscard]] std::string key_log_line(gnutls_session_t session, const char* label,
                                       const gnutls_datum_t& secret);

}  // namespace tunnel::tls
