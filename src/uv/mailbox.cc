// SPDX-License-Identifier: MIT
#include "uv/mailbox.h"

#include "uv/handle.h"

namespace tunnel::uv {

struct Bell::Block {
  uv_async_t handle{};
  Bell* owner = nullptr;
  std::function<void()> on_ring;
};

void Bell::Closer::operator()(Block* block) const { close_block(block); }

Bell::Bell(Loop& loop, std::function<void()> on_ring) {
  loop.assert_here();
  block_.reset(new_block<Block>());
  must(uv_async_init(loop.raw(), &block_->handle,
                     [](uv_async_t* async) noexcept {
                       auto* block = block_of<Block>(async);
                       if (block->owner != nullptr) block->on_ring();
                     }),
       "uv_async_init");
  block_->owner = this;
  block_->on_ring = std::move(on_ring);
}

Bell::~Bell() = default;

// uv_async_send is the one call on a handle that libuv allows any thread. `block_` stays the same
// as long as the Bell lives.
void Bell::ring() { must(uv_async_send(&block_->handle), "uv_async_send"); }

}  // namespace tunnel::uv
