// SPDX-License-Identifier: MIT
#include "cli/capture_reader.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "base/write_all.h"

namespace tunnel::cli {
namespace {

constexpr Millis kPatience{30'000};
constexpr int kProgressMillis = 500;
constexpr std::size_t kHead = 8;
constexpr std::uint32_t kPacketBlock = 6;
constexpr std::size_t kPacketHead = 28;
constexpr std::uint16_t kDropCount = 4;
// No block of ours is longer; one that claims to be is not ours, and is not waited for.
constexpr std::uint32_t kLongestBlock = 1U << 24U;

template <class T>
T number_at(const std::string& octets, std::size_t at) {
  T value{};
  if (at + sizeof value <= octets.size()) std::memcpy(&value, octets.data() + at, sizeof value);
  return value;
}

// SIGINT and SIGTERM as something to wait for; SIGPIPE is an error of write.
Fd take_signals() {
  (void)::signal(SIGPIPE, SIG_IGN);
  sigset_t ending;
  (void)::sigemptyset(&ending);
  (void)::sigaddset(&ending, SIGINT);
  (void)::sigaddset(&ending, SIGTERM);
  (void)::pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  return Fd(::signalfd(-1, &ending, SFD_CLOEXEC));
}

// False: nobody reads it any more.
Result<bool> write_on(int fd, Bytes octets) {
  const int error = write_all(fd, as_text(octets));
  if (error == 0 || error == EPIPE) return error == 0;
  return failed(ErrorCode::system, "cannot write the capture", error);
}

}  // namespace

void PacketCount::feed(Bytes octets) {
  while (!octets.empty()) {
    const std::uint32_t length =
        block_.size() >= kHead ? number_at<std::uint32_t>(block_, 4) : std::uint32_t{kHead};
    if (length < kHead || length > kLongestBlock) return;
    const std::size_t part = std::min<std::size_t>(octets.size(), length - block_.size());
    block_.append(as_text(octets.first(part)));
    octets = octets.subspan(part);
    if (block_.size() >= kHead && block_.size() == number_at<std::uint32_t>(block_, 4)) {
      take_block();
    }
  }
}

void PacketCount::take_block() {
  if (number_at<std::uint32_t>(block_, 0) == kPacketBlock) {
    ++packets_;
    const auto captured = number_at<std::uint32_t>(block_, 20);
    std::size_t at = kPacketHead + captured + (4 - captured % 4) % 4;
    while (at + 4 <= block_.size()) {
      const auto code = number_at<std::uint16_t>(block_, at);
      const auto size = number_at<std::uint16_t>(block_, at + 2);
      if (code == 0) break;
      if (code == kDropCount) dropped_ += number_at<std::uint64_t>(block_, at + 4);
      at += 4U + size + (4U - size % 4U) % 4U;
    }
  }
  block_.clear();
}

Result<admin::Json> CaptureReader::begin(admin::ControlClient& client, admin::Json request) {
  request["command"] = "capture";
  return client.ask(std::move(request), kPatience);
}

Result<void> CaptureReader::pump(admin::ControlClient client, const Fd& out,
                                 const std::function<void(const PacketCount&)>& on_progress) {
  const Fd signals = take_signals();
  std::string first;
  const Fd socket = client.take_socket(first);
  PacketCount count;
  count.feed(as_bytes(first));
  std::array<std::byte, 256 * 1024> buffer;
  Bytes pending = as_bytes(first);  // to be written before more is received
  Result<bool> written = true;
  bool is_ending = false;
  while (written && *written) {
    // A reader of `out` that goes is noticed although nothing is captured, and one that does not
    // read keeps nobody from ending this.
    const bool is_full = !pending.empty();
    std::array<pollfd, 3> wanted{{{is_full ? -1 : socket.get(), POLLIN, 0},
                                  {signals.get(), POLLIN, 0},
                                  {out.get(), static_cast<short>(is_full ? POLLOUT : 0), 0}}};
    if (::poll(wanted.data(), wanted.size(), kProgressMillis) < 0 && errno != EINTR) break;
    if ((wanted[1].revents & POLLIN) != 0) {
      signalfd_siginfo taken{};
      if (is_ending || ::read(signals.get(), &taken, sizeof taken) < 0) break;  // a second one
      is_ending = true;
      (void)::shutdown(socket.get(), SHUT_WR);  // the instance writes the end
    }
    if ((wanted[2].revents & (POLLERR | POLLHUP)) != 0) break;
    if ((wanted[2].revents & POLLOUT) != 0) {
      // A pipe that is ready takes that much without blocking.
      const Bytes part = pending.first(std::min<std::size_t>(pending.size(), PIPE_BUF));
      written = write_on(out.get(), part);
      pending = pending.subspan(part.size());
    }
    if ((wanted[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      const ssize_t received = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
      if (received < 0 && errno == EINTR) continue;
      if (received <= 0) break;
      pending = Bytes(buffer).first(static_cast<std::size_t>(received));
      count.feed(pending);
    }
    if (!is_full) on_progress(count);
  }
  on_progress(count);
  if (!written) return tl::unexpected(written.error());
  return {};
}

}  // namespace tunnel::cli
