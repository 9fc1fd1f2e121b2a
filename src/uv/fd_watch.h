// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>

#include "uv/loop.h"

namespace tunnel::uv {

// Watches a descriptor it does not own (listening sockets, c-ares' sockets). Loop-bound. The owner
// stops or destroys the watch before it closes the descriptor. One watch per descriptor and loop.
// `on_ready` may destroy the watch.
class FdWatch {
 public:
  struct Ready {
    bool readable = false;
    bool writable = false;
    // UV_EBADF on POLLERR: the owner reads SO_ERROR itself. Watching has stopped.
    int uv_error = 0;
  };
  FdWatch(Loop& loop, int fd, std::function<void(Ready)> on_ready);
  ~FdWatch();
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;

  enum class Read : bool { no, yes };
  enum class Write : bool { no, yes };
  void watch(Read read, Write write);  // no, no: stop
  struct Block;

 private:
  struct Closer {
    void operator()(Block* block) const;
  };
  std::unique_ptr<Block, Closer> block_;
};

}  // namespace tunnel::uv
