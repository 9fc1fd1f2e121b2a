// SPDX-License-Identifier: MIT
#include "capture/client_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace tunnel::capture {
namespace {

constexpr int kLookMillis = 200;
constexpr Millis kLastPatience{1'000};

TimePoint now() { return SystemClock().now(); }

}  // namespace

Result<void> ClientStream::wait_for_room() {
  pollfd ready{.fd = socket_.get(), .events = POLLOUT, .revents = 0};
  (void)::poll(&ready, 1, kLookMillis);
  if (!is_leaving_.load()) return {};
  if (!patient_until_) patient_until_ = now() + kLastPatience;
  if (now() < *patient_until_) return {};
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
