// SPDX-License-Identifier: MIT
// Descriptors for another process, by a unix socket (SCM_RIGHTS, unix(7)). No state; any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string_view>

namespace tunnel::process {

// In one message; the kernel's limit is 253.
inline constexpr std::size_t kMostDescriptors = 128;

// As send(2) with MSG_NOSIGNAL: -1 and errno. The other process gets copies of the descriptors, at
// most kMostDescriptors, with the message, which must not be empty.
[[nodiscard]] ssize_t send_descriptors(int socket, std::string_view message,
                                       std::span<const int> descriptors);

}  // namespace tunnel::process
