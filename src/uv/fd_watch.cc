// SPDX-License-Identifier: MIT
#include "uv/fd_watch.h"

#include <utility>

#include "uv/handle.h"

namespace tunnel::uv {

struct FdWatch::Block {
  uv_poll_t handle{};
  FdWatch* owner = nullptr;
  // Here and not in the FdWatch, which may be destroyed while this runs.
  std::function<void(Ready)> on_ready;
  int events = 0;  // what libuv watches now
};

void FdWatch::Closer::operator()(Block* block) const { close_block(block); }

FdWatch::FdWatch(Loop& loop, int fd, std::function<void(Ready)> on_ready) {
  loop.assert_here();
  block_.reset(new_block<Block>());
  must(uv_poll_init(loop.raw(), &block_->handle, fd), "uv_poll_init");
  block_->owner = this;
  block_->on_ready = std::move(on_ready);
}

FdWatch::~FdWatch() = default;

void FdWatch::watch(Read read, Write write) {
  const int events =
      (read == Read::yes ? UV_READABLE : 0) | (write == Write::yes ? UV_WRITABLE : 0);
  if (events == block_->events) return;  // each uv_poll_start costs two system calls
  block_->events = events;
  if (events == 0) {
    (void)uv_poll_stop(&block_->handle);
    return;
  }
  must(uv_poll_start(&block_->handle, events,
                     [](uv_poll_t* poll, int status, int ready) noexcept {
                       auto* block = block_of<Block>(poll);
                       if (status < 0) block->events = 0;  // libuv has stopped watching
                       if (block->owner != nullptr) {
                         block->on_ready({.readable = (ready & UV_READABLE) != 0,
                                          .writable = (ready & UV_WRITABLE) != 0,
                                          .uv_error = status < 0 ? status : 0});
                       }
                     }),
       "uv_poll_start");
}

}  // namespace tunnel::uv
