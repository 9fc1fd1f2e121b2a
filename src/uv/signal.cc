// SPDX-License-Identifier: MIT
#include "uv/signal.h"

#include <utility>

#include "uv/handle.h"

namespace tunnel::uv {

struct Signal::Block {
  uv_signal_t handle{};
  Signal* owner = nullptr;
  std::function<void()> on_signal;
};

void Signal::Closer::operator()(Block* block) const { close_block(block); }

Signal::Signal(Loop& loop, int signal_number, std::function<void()> on_signal) {
  loop.assert_here();
  block_.reset(new_block<Block>());
  must(uv_signal_init(loop.raw(), &block_->handle), "uv_signal_init");
  block_->owner = this;
  block_->on_signal = std::move(on_signal);
  must(uv_signal_start(
           &block_->handle,
           [](uv_signal_t* handle, int) noexcept {
             auto* block = block_of<Block>(handle);
             if (block->owner != nullptr) block->on_signal();
           },
           signal_number),
       "uv_signal_start");
}

Signal::~Signal() = default;

}  // namespace tunnel::uv
