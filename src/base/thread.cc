// SPDX-License-Identifier: MIT
#include "base/thread.h"

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <utility>

namespace tunnel {
namespace {

Result<std::thread> made(std::function<void()> body) {
  try {
    return std::thread(std::move(body));
  } catch (const std::system_error& error) {
    // std::thread has no other way to say that pthread_create(3) failed.
    return failed(ErrorCode::exhausted,
                  "cannot start a thread; look at the limits of processes (ulimit -u, TasksMax=)",
                  error.code().value());
  }
}

}  // namespace

// A new thread has the mask of the one that makes it: there is no moment in which it takes a
// signal.
Result<std::thread> start_thread(std::string name, std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  (void)::sigfillset(&all);
  (void)::pthread_sigmask(SIG_BLOCK, &all, &before);
  auto thread = made([name = std::move(name), run = std::move(body)] {
    (void)::pthread_setname_np(::pthread_self(), name.c_str());
    run();
  });
  (void)::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace tunnel
