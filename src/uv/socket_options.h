// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/model.h"

// The user's options of sockets. No state; any thread.
namespace tunnel::uv {

// Sets what applies to a socket of this family: a unix socket has no TCP and IP options, an IPv4
// one none of IPv6, and on IPv6 IP_TOS and IP_TTL mean its traffic class and hop limit. SO_LINGER
// is never set: how a connection ends is not for an option to change. Returns a sentence for each
// that the system refuses, all others are set.
[[nodiscard]] std::vector<std::string> set_socket_options(
    int fd, int family, std::span<const config::SocketOption> options);

// Sets those again that the tunnel has set by itself meanwhile: keepalive and TCP_NODELAY. What is
// refused was reported by set_socket_options.
void restore_socket_options(int fd, std::span<const config::SocketOption> options);

}  // namespace tunnel::uv
