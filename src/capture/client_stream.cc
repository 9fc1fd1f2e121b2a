// SPDX-License-Identifier: MIT
#include "capture/client_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace tunnel::capture {
namespace {

constexpr int kLookMillis = 200;
// With a client that does not read the rest: when the process is to go on without this capture, and
// when the capture is over by itself.
constexpr Millis kHurry{1'000};
constexpr Millis kPatience{30'000};

TimePoint now() { return SystemClock().now(); }

}  // namespace

Result<void> ClientStream::wait_for_room() {
  pollfd ready{.fd = socket_.get(), .events = POLLOUT, .revents = 0};
  // Not for longer: a capture that is told to leave, or whose time is over, is to be noticed while
  // its reader stands still.
  (void)::poll(&ready, 1, kLookMillis);
  const bool is_leaving = is_leaving_.load();
  const TimePoint time = now();
  if (!is_leaving && !(until_ && time >= *until_)) return {};
  if (!waiting_since_) waiting_since_ = time;
  if (time - *waiting_since_ < (is_leaving ? kHurry : kPatience)) return {};
  return failed(ErrorCode::unavailable, "the client did not read the rest");
}

Result<void> ClientStream::write(Bytes octets) {
  while (!octets.empty()) {
    const ssize_t sent = ::send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      size_ += static_cast<std::uint64_t>(sent);
      octets = octets.subspan(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (auto waited = wait_for_room(); !waited) return waited;
    } else if (errno != EINTR) {
      // EPIPE and ECONNRESET. For people that is how a live capture ends.
      return failed(ErrorCode::unavailable, "its reader has left");
    }
  }
  return {};
}

std::optional<std::uint64_t> ClientStream::room() const {
  if (!max_size_) return std::nullopt;
  return size_ >= *max_size_ ? 0 : *max_size_ - size_;
}

// The client says by its own FIN that it has enough, and still reads the last blocks.
std::string ClientStream::why_over() {
  char octet = 0;
  const ssize_t received = ::recv(socket_.get(), &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  const bool is_there = received > 0 || (received < 0 && (errno == EAGAIN || errno == EINTR));
  return is_there ? "" : "its reader has left";
}

}  // namespace tunnel::capture
