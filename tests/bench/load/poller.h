// SPDX-License-Identifier: MIT
#pragma once

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace load {

// There is nothing to recover: the run must not be reported.
[[noreturn]] inline void die(const char* what) {
  (void)std::fprintf(stderr, "load: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}
[[noreturn]] inline void refuse(const char* why) {
  (void)std::fprintf(stderr, "load: %s\n", why);
  std::exit(1);
}

// epoll, level-triggered. What is watched is told by its address.
class Poller {
 public:
  Poller() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (fd_ < 0) die("epoll_create1");
  }
  ~Poller() { (void)::close(fd_); }
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void add(int fd, std::uint32_t events, void* what) { control(EPOLL_CTL_ADD, fd, events, what); }
  void change(int fd, std::uint32_t events, void* what) {
    control(EPOLL_CTL_MOD, fd, events, what);
  }

  // Calls `handle(what, events)` for all that is ready. A load that hears nothing for this long is
  // stuck.
  static constexpr int kPatienceMillis = 60'000;
  template <class Handle>
  void wait(Handle handle, int patience = kPatienceMillis) {
    std::array<epoll_event, 256> ready;  // NOLINT
    const int count = ::epoll_wait(fd_, ready.data(), static_cast<int>(ready.size()), patience);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    if (count == 0) refuse("nothing has happened for a minute");
    for (int i = 0; i < count; ++i)
      handle(ready[static_cast<std::size_t>(i)].data.ptr,
             ready[static_cast<std::size_t>(i)].events);
  }

 private:
  void control(int operation, int fd, std::uint32_t events, void* what) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = what;
    if (::epoll_ctl(fd_, operation, fd, &event) < 0) die("epoll_ctl");
  }
  int fd_;
};

}  // namespace load
