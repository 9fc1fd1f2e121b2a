// SPDX-License-Identifier: MIT
#include "base/thread.h"

#include <doctest/doctest.h>
#include <pthread.h>
#include <signal.h>

#include <array>

namespace tunnel {

TEST_CASE("a thread has its name and no signals, and the one that makes it keeps its own") {
  sigset_t its;
  (void)::sigemptyset(&its);
  std::array<char, 16> name{};
  auto thread = start_thread("worker-7", [&] {
    (void)::pthread_sigmask(SIG_BLOCK, nullptr, &its);
    (void)::pthread_getname_np(::pthread_self(), name.data(), name.size());
  });
  REQUIRE(thread);
  thread->join();
  CHECK(std::string(name.data()) == "worker-7");
  CHECK(::sigismember(&its, SIGTERM) == 1);
  CHECK(::sigismember(&its, SIGHUP) == 1);
  sigset_t ours;
  (void)::pthread_sigmask(SIG_BLOCK, nullptr, &ours);
  CHECK(::sigismember(&ours, SIGTERM) == 0);
}

}  // namespace tunnel
