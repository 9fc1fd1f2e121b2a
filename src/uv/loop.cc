// SPDX-License-Identifier: MIT
#include "uv/loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "uv/handle.h"

namespace tunnel::uv {

Loop::Loop() : Loop(Raw::yes) { must(init(), "uv_loop_init"); }

Loop::Loop(Raw)
    : input_(std::make_unique_for_overwrite<std::byte[]>(kInputSize)),
      output_(std::make_unique_for_overwrite<std::byte[]>(kOutputSize)) {}

std::unique_ptr<Loop> Loop::make() {
  std::unique_ptr<Loop> loop(new Loop(Raw::yes));
  return loop->init() < 0 ? nullptr : std::move(loop);
}

// Only uv_loop_init can fail: it takes all descriptors that a loop ever has, those that wake it and
// those of signals, too.
int Loop::init() {
  loop_.backend_fd = -1;
  if (const int status = uv_loop_init(&loop_); status < 0) {
    // libuv (1.44 at least) forgets this one when what it makes next fails. Where it does not,
    // there is no epoll at that number any more.
    epoll_event none;
    if (loop_.backend_fd >= 0 && ::epoll_wait(loop_.backend_fd, &none, 1, 0) == 0) {
      (void)::close(loop_.backend_fd);
    }
    return status;
  }
  is_made_ = true;
  loop_.data = this;
  looked_at_ = now();
  must(uv_prepare_init(&loop_, &prepare_), "uv_prepare_init");
  must(uv_check_init(&loop_, &check_), "uv_check_init");
  must(uv_idle_init(&loop_, &idle_), "uv_idle_init");
  must(uv_prepare_start(&prepare_,
                        [](uv_prepare_t* prepare) noexcept {
                          static_cast<Loop*>(prepare->loop->data)->before_poll();
                        }),
       "uv_prepare_start");
  must(uv_check_start(
           &check_,
           [](uv_check_t* check) noexcept { static_cast<Loop*>(check->loop->data)->after_poll(); }),
       "uv_check_start");
  // They alone are not a reason to go on.
  uv_unref(as_handle(&prepare_));
  uv_unref(as_handle(&check_));
  return 0;
}

// What was put off may still close handles, and the extension has a timer: both go before the loop
// looks for handles that are left.
Loop::~Loop() {
  if (!is_made_) return;
  run_deferred();
  extension_.reset();
  uv_close(as_handle(&prepare_), nullptr);
  uv_close(as_handle(&check_), nullptr);
  uv_close(as_handle(&idle_), nullptr);
  // A handle that still has an owner would make the run below last forever; better a clear end.
  uv_walk(
      &loop_,
      [](uv_handle_t* handle, void*) noexcept {
        if (uv_is_closing(handle) != 0) return;
        (void)std::fprintf(stderr, "loop destroyed before its %s handle\n",
                           uv_handle_type_name(handle->type));
        std::abort();
      },
      nullptr);
  (void)uv_run(&loop_, UV_RUN_DEFAULT);
  must(uv_loop_close(&loop_), "uv_loop_close");
}

// Before and after it runs, the loop has no thread of its own: its owner may set things up and take
// them down from any.
void Loop::run() {
  thread_ = std::this_thread::get_id();
  (void)uv_run(&loop_, UV_RUN_DEFAULT);
  thread_ = {};
}

void Loop::stop() {
  assert_here();
  uv_stop(&loop_);
}

void Loop::at_end_of_turn(Deferred& what) {
  assert_here();
  if (what.is_queued_) return;
  what.is_queued_ = true;
  what.next_ = nullptr;
  *last_deferred_ = &what;
  last_deferred_ = &what.next_;
  // An active idle handle keeps the turn from waiting in poll; that matters when we are called from
  // outside of it (a timer, a close callback, before run).
  must(uv_idle_start(&idle_, [](uv_idle_t*) noexcept {}), "uv_idle_start");
}

void Loop::before_poll() {
  const int millis = uv_backend_timeout(&loop_);
  // Without a timer the poll is never late. after_poll() adds kLate to this, which must not
  // overflow.
  poll_due_ = millis < 0 ? TimePoint::max() - kLate : now() + Millis(millis);
}

// A poll that returned long after its time has not looked: epoll_wait is interrupted when the
// process is stopped, and libuv does not ask again once the time is over.
void Loop::after_poll() {
  if (now() <= poll_due_ + kLate) looked_at_ = now();
  return run_deferred();
}

// The check phase: after this turn's callbacks, and before close callbacks delete any block. Runs
// until the queue is empty, so that a block that is queued here cannot be deleted before its call.
void Loop::run_deferred() {
  while (first_deferred_ != nullptr) {
    Deferred* what = first_deferred_;
    first_deferred_ = what->next_;
    if (first_deferred_ == nullptr) last_deferred_ = &first_deferred_;
    what->is_queued_ = false;
    what->on_end_of_turn();  // may delete it
  }
  (void)uv_idle_stop(&idle_);
}

TimePoint Loop::now() const { return TimePoint{Millis{uv_now(&loop_)}}; }

void Loop::assert_here() const {
#ifndef NDEBUG
  if (thread_ == std::thread::id{} || thread_ == std::this_thread::get_id()) return;
  (void)std::fprintf(stderr, "a loop was used from another thread\n");
  std::abort();
#endif
}

}  // namespace tunnel::uv
