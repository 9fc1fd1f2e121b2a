// SPDX-License-Identifier: MIT
#include "uv/timer.h"

#include <utility>

#include "uv/handle.h"

namespace tunnel::uv {

struct Timer::Block final : Deferred {
  void expired();
  void on_end_of_turn() override;

  uv_timer_t handle{};
  Timer* owner = nullptr;
  bool is_overdue = false;  // has expired, and is told after the next poll
  // Here and not in the Timer while there is a block: the Timer may be destroyed while this runs.
  std::function<void()> on_expired;
};

// libuv runs the timers of a turn before its sockets. After a pause of the process (SIGSTOP, a
// frozen container) every deadline is over and the bytes that were in time are still unread: so the
// turn's sockets are read first, and the deadline is judged at its end, unless the owner has
// stopped or moved the timer by then.
void Timer::Block::expired() {
  auto& loop = *static_cast<Loop*>(handle.loop->data);
  if (loop.has_looked_lately()) return on_expired();
  is_overdue = true;
  loop.at_end_of_turn(*this);
}

void Timer::Block::on_end_of_turn() {
  if (std::exchange(is_overdue, false) && owner != nullptr) return on_expired();
}

void Timer::Closer::operator()(Block* block) const { close_block(block); }

Timer::Timer(Loop& loop, std::function<void()> on_expired)
    : loop_(loop), on_expired_(std::move(on_expired)) {}

Timer::~Timer() = default;

void Timer::start(Millis after) {
  loop_.assert_here();
  if (!block_) {
    block_.reset(new_block<Block>());
    must(uv_timer_init(loop_.raw(), &block_->handle), "uv_timer_init");
    block_->owner = this;
    block_->on_expired = std::move(on_expired_);
  }
  // libuv counts from its cached time, which may be old after long work or before the loop runs:
  // the timer would expire early.
  uv_update_time(loop_.raw());
  block_->is_overdue = false;
  const auto millis = static_cast<std::uint64_t>(after.count() > 0 ? after.count() : 0);
  must(uv_timer_start(
           &block_->handle,
           [](uv_timer_t* timer) noexcept {
             auto* block = block_of<Block>(timer);
             if (block->owner != nullptr) block->expired();
           },
           millis, 0),
       "uv_timer_start");
}

void Timer::stop() {
  loop_.assert_here();
  if (!block_) return;
  block_->is_overdue = false;
  (void)uv_timer_stop(&block_->handle);
}

void Timer::release() {
  loop_.assert_here();
  if (!block_) return;
  on_expired_ = std::move(block_->on_expired);
  block_.reset();
}

bool Timer::is_active() const {
  return block_ && (block_->is_overdue || uv_is_active(as_handle(&block_->handle)) != 0);
}

}  // namespace tunnel::uv
