// SPDX-License-Identifier: MIT
#pragma once

#include <uv.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace tunnel::uv {

// The lifetime rule, and the place for new and delete of what libuv holds. A libuv handle must stay
// in memory until its close callback has run, which is later than its owner wants to die. So every
// handle is a member `handle` of a heap block, next to `owner` (null once the owner is gone) and
// whatever libuv may still look at. The owner holds the block by a unique_ptr whose deleter is
// close_block. A trampoline fetches the block, and when it still has an owner calls it as the last
// statement.

template <class Handle>
uv_handle_t* as_handle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

// The block's memory, before libuv knows the handle.
template <class Block>
Block* new_block() {
  auto* block = new Block;
  as_handle(&block->handle)->data = block;
  return block;
}

// For a block whose handle libuv refused to initialise.
template <class Block>
void discard_block(Block* block) {
  delete block;
}

template <class Block>
void close_block(Block* block) {
  block->owner = nullptr;
  uv_close(as_handle(&block->handle),
           [](uv_handle_t* handle) noexcept { delete static_cast<Block*>(handle->data); });
}

template <class Block, class Handle>
Block* block_of(Handle* handle) {
  return static_cast<Block*>(handle->data);
}

// For calls that fail only when the process is out of descriptors or memory at its very start,
// which ends it with status 1, or when we call them wrongly, which aborts it: there is nothing to
// fall back to.
inline void must(int uv_status, const char* what) {
  if (uv_status >= 0) return;
  (void)std::fprintf(stderr, "%s: %s\n", what, uv_strerror(uv_status));
  if (uv_status != UV_EMFILE && uv_status != UV_ENFILE && uv_status != UV_ENOMEM) std::abort();
  (void)std::fprintf(stderr,
                     "the process cannot start; raise the limit of open files (ulimit -n, "
                     "LimitNOFILE=) or of memory\n");
  std::_Exit(EXIT_FAILURE);
}

}  // namespace tunnel::uv
