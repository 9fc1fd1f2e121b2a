// SPDX-License-Identifier: MIT
#include "process/notify.h"

#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "base/address.h"
#include "base/fd.h"
#include "base/text.h"

namespace tunnel::process {

Result<void> Notifier::ready(std::string_view status) const {
  return send("READY=1\nMAINPID=" + std::to_string(::getpid()) + "\nSTATUS=" + printable(status));
}

Result<void> Notifier::stopping() const { return send("STOPPING=1"); }

// One datagram: systemd takes the stamp of the message that says RELOADING.
Result<void> Notifier::reloading() const {
  timespec now{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(
          std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
  return send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds.count()));
}

Result<void> Notifier::status(std::string_view text) const {
  return send("STATUS=" + printable(text));
}

Result<void> Notifier::send(const std::string& message) const {
  if (socket_.empty()) return {};
  const Result<SocketAddress> address = SocketAddress::unix_path(socket_);
  if (!address) return tl::unexpected(Error(address.error()).in("NOTIFY_SOCKET"));
  // Non-blocking: a service manager that does not read must not stop us.
  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return failed(ErrorCode::system, "socket", errno);
  if (::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL, address->get(),
               address->length()) < 0) {
    return failed(ErrorCode::system, "NOTIFY_SOCKET " + printable(socket_), errno);
  }
  return {};
}

}  // namespace tunnel::process
