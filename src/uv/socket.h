// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"

// The system calls around a stream socket that libuv does not make for us. No state; any thread.
namespace tunnel::uv::socket {

// A non-blocking stream socket for connecting to `to`.
Result<Fd> open_towards(const SocketAddress& to);
// Binds it to the source address `from`, port 0.
Result<void> bind_source(int fd, const SocketAddress& to, const SocketAddress& from);

// A link-local address does not say of which interface it is, unless it has a zone
// ("fe80::1%eth0").
[[nodiscard]] bool lacks_interface(const SocketAddress& address);
// `to`, with the interface that the socket is bound to (by its source address or its options) where
// it lacks one; null when neither has one, so that connect(2) would refuse it.
[[nodiscard]] std::optional<SocketAddress> with_interface(int fd, const SocketAddress& to);

// SO_RCVLOWAT: how many bytes must be there before the socket counts as readable. When fewer than
// before are asked for and there, that is an event at once (since Linux 4.18). 0: unknown.
[[nodiscard]] int low_water(int fd);
void set_low_water(int fd, std::uint32_t bytes);

// SIOCOUTQ; also counts a FIN not yet acknowledged.
[[nodiscard]] std::size_t undelivered_bytes(int fd);
[[nodiscard]] bool is_tcp_closed(int fd);
[[nodiscard]] bool has_error_or_hangup(int fd, bool is_unix);

[[nodiscard]] bool has_unread_bytes(int fd);  // leaves errors and ends to be read

// The error that ended it, as errno; 0: none. The kernel tells it once.
[[nodiscard]] int take_error(int fd);

// What a read would say, without taking anything. The kernel's error is taken.
struct Peeked {
  enum class What { bytes, eof, error, nothing } what = What::nothing;
  int system_errno = 0;
};
[[nodiscard]] Peeked peek(int fd);

}  // namespace tunnel::uv::socket
