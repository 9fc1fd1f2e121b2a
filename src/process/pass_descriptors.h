// SPDX-License-Identifier: MIT
// Descriptors from one process to another, by a unix socket (SCM_RIGHTS, unix(7)). No state; any
// thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace tunnel::process {

// In one message; the kernel's limit is 253.
inline constexpr std::size_t kMostDescriptors = 128;

// As send(2) with MSG_NOSIGNAL: -1 and errno. The other process gets copies of the descriptors, at
// most kMostDescriptors, with the message, which must not be empty.
[[nodiscard]] ssize_t send_descriptors(int socket, std::string_view message,
                                       std::span<const int> descriptors);

struct Received {
  std::string message;          // empty: the other end has gone
  std::vector<Fd> descriptors;  // closed on exec
  bool is_cut = false;          // there were more: no room in the message, or in this process
};
// As recv(2) with `flags`, of at most `longest` octets: nothing, and errno, when it fails.
[[nodiscard]] std::optional<Received> receive_descriptors(int socket, std::size_t longest,
                                                          int flags = 0);

}  // namespace tunnel::process
