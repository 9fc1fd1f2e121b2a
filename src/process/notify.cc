// SPDX-License-Identifier: MIT
#include "process/notify.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/address.h"
#include "base/fd.h"
#include "base/text.h"
#include "process/pass_descriptors.h"

namespace tunnel::process {
namespace {

constexpr int kRoomWithinMs = 500;

// A queue of datagrams that is full, as at a start with many listeners.
bool has_room(int socket) {
  if (errno != EAGAIN) return false;
  pollfd wait{.fd = socket, .events = POLLOUT, .revents = 0};
  return ::poll(&wait, 1, kRoomWithinMs) == 1;
}

}  // namespace

Result<void> Notifier::ready(std::string_view status) const {
  return send("READY=1\nMAINPID=" + std::to_string(::getpid()) + "\nSTATUS=" + printable(status));
}

Result<void> Notifier::stopping() const { return send("STOPPING=1"); }

Result<void> Notifier::main_process(pid_t pid) const {
  return send("MAINPID=" + std::to_string(pid));
}

// One datagram: systemd takes the stamp of the message that says RELOADING.
Result<void> Notifier::reloading() const {
  timespec now{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
  return send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds.count()));
}

Result<void> Notifier::status(std::string_view text) const {
  return send("STATUS=" + printable(text));
}

Result<void> Notifier::watchdog() const { return send("WATCHDOG=1"); }

// Polling by the manager would only find that clients wait, which is what a listener is for.
Result<void> Notifier::keep(int descriptor, const std::string& name) const {
  return send("FDSTORE=1\nFDNAME=" + name + "\nFDPOLL=0", descriptor);
}

Result<void> Notifier::drop(const std::string& name) const {
  return send("FDSTOREREMOVE=1\nFDNAME=" + name);
}

Result<void> Notifier::send(const std::string& message, int descriptor) const {
  if (socket_.empty()) return {};
  const Result<SocketAddress> address = SocketAddress::unix_path(socket_);
  if (!address) return tl::unexpected(Error(address.error()).in("NOTIFY_SOCKET"));
  // Non-blocking: a service manager that does not read must not stop us.
  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return failed(ErrorCode::system, "socket", errno);
  const std::span<const int> descriptors(&descriptor, descriptor >= 0 ? 1 : 0);
  const auto try_to_send = [&] { return send_descriptors(fd.get(), message, descriptors) >= 0; };
  // Connected, so that poll() tells when there is room again.
  // Only a descriptor is worth the wait: a status is followed by the next one, while a listener
  // that was not kept is missing after a restart.
  const bool is_sent = ::connect(fd.get(), address->get(), address->length()) == 0 &&
                       (try_to_send() || (descriptor >= 0 && has_room(fd.get()) && try_to_send()));
  if (!is_sent) {
    return failed(ErrorCode::system, "NOTIFY_SOCKET " + printable(socket_), errno);
  }
  return {};
}

Millis watchdog_interval() {
  const char* interval = std::getenv("WATCHDOG_USEC");
  const char* pid = std::getenv("WATCHDOG_PID");
  if (interval == nullptr) return Millis(0);
  if (pid != nullptr && pid != std::to_string(::getpid())) return Millis(0);
  std::int64_t microseconds = 0;
  const std::string_view text(interval);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), microseconds);
  if (error != std::errc() || microseconds <= 0) return Millis(0);
  return std::max(Millis(2), std::chrono::floor<Millis>(std::chrono::microseconds(microseconds)));
}

}  // namespace tunnel::process
