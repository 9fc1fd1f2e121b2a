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
#include <utility>

#include "base/write_all.h"

namespace tunnel::cli {
namespace {

constexpr Millis kRequestPatience{30'000};
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

// From the instance's socket to `out`, until one of them or a signal ends it. What has been
// received is written before more is received, so a reader of `out` that does not keep up is felt
// by the instance, which then drops and counts: here nothing piles up.
class Pump {
 public:
  Pump(admin::ControlClient client, const Fd& out)
      : out_(out), socket_(client.take_socket(first_)), pending_(as_bytes(first_)) {
    count_.feed(pending_);
  }

  Result<void> run(const std::function<void(const PacketCount&)>& on_progress) {
    while (!is_over_) {
      const bool was_full = !pending_.empty();
      turn();
      if (!was_full && !is_over_) on_progress(count_);
    }
    on_progress(count_);
    return std::move(result_);
  }

 private:
  void turn();
  void on_signal();
  void write_some();
  void receive();

  const Fd signals_ = take_signals();
  const Fd& out_;
  std::string first_;  // what came with the answer to the request
  const Fd socket_;
  std::array<std::byte, 256 * 1024> buffer_;
  Bytes pending_;
  PacketCount count_;
  bool is_ending_ = false;
  bool is_over_ = false;
  Result<void> result_;
};

// A reader of `out` that goes is noticed although nothing is captured, and one that does not read
// keeps nobody from ending this.
void Pump::turn() {
  const bool is_full = !pending_.empty();
  std::array<pollfd, 3> wanted{{{is_full ? -1 : socket_.get(), POLLIN, 0},
                                {signals_.get(), POLLIN, 0},
                                {out_.get(), static_cast<short>(is_full ? POLLOUT : 0), 0}}};
  if (::poll(wanted.data(), wanted.size(), kProgressMillis) < 0) {
    is_over_ = errno != EINTR;
    return;
  }
  if ((wanted[1].revents & POLLIN) != 0) on_signal();
  if ((wanted[2].revents & (POLLERR | POLLHUP)) != 0) is_over_ = true;
  if (!is_over_ && (wanted[2].revents & POLLOUT) != 0) write_some();
  if (!is_over_ && (wanted[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) receive();
}

// The first one asks the instance to write the end; the second one does not wait for it.
void Pump::on_signal() {
  signalfd_siginfo taken{};
  is_over_ = is_ending_ || ::read(signals_.get(), &taken, sizeof taken) < 0;
  is_ending_ = true;
  (void)::shutdown(socket_.get(), SHUT_WR);
}

// A pipe that is ready takes PIPE_BUF without blocking, and not one octet more for sure (pipe(7)).
void Pump::write_some() {
  const Bytes part = pending_.first(std::min<std::size_t>(pending_.size(), PIPE_BUF));
  const int error = write_all(out_.get(), as_text(part));
  pending_ = pending_.subspan(part.size());
  is_over_ = error != 0;
  // Wireshark that was closed has seen what it wanted: an end, not a failure.
  if (error != 0 && error != EPIPE) {
    result_ = failed(ErrorCode::system, "cannot write the capture", error);
  }
}

void Pump::receive() {
  const ssize_t received = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
  if (received < 0 && errno == EINTR) return;
  is_over_ = received <= 0;
  if (is_over_) return;
  pending_ = Bytes(buffer_).first(static_cast<std::size_t>(received));
  count_.feed(pending_);
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
  return client.ask(std::move(request), kRequestPatience);
}

Result<void> CaptureReader::pump(admin::ControlClient client, const Fd& out,
                                 const std::function<void(const PacketCount&)>& on_progress) {
  return Pump(std::move(client), out).run(on_progress);
}

}  // namespace tunnel::cli
