// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <string>

#include "base/address.h"
#include "base/fd.h"

namespace tunnel::test {

// A service manager of the test's own, at NOTIFY_SOCKET=path.
class ServiceManager {
 public:
  explicit ServiceManager(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    const SocketAddress address = SocketAddress::unix_path(path).value();
    REQUIRE(::bind(fd_.get(), address.get(), address.length()) == 0);
  }
  std::string receive() {
    char buffer[4096];
    const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    REQUIRE(n >= 0);
    return {buffer, static_cast<std::size_t>(n)};
  }
  [[nodiscard]] bool has_message() const {
    char byte = 0;
    return ::recv(fd_.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0;
  }

 private:
  Fd fd_;
};

}  // namespace tunnel::test
