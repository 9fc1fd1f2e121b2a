// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>

#include "uv/loop.h"

namespace tunnel::uv {

// Calls back on the loop's thread whenever the process gets the signal. Supervisor's loop only.
class Signal {
 public:
  Signal(Loop& loop, int signal_number, std::function<void()> on_signal);
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  struct Block;

 private:
  struct Closer {
    void operator()(Block* block) const;
  };
  std::unique_ptr<Block, Closer> block_;
};

}  // namespace tunnel::uv
