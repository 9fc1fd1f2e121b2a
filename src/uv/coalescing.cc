// SPDX-License-Identifier: MIT
#include "uv/coalescing.h"

#include <algorithm>

#include "uv/stream_block.h"

namespace tunnel::uv {

void Coalescing::add(Stream::Block& block) {
  blocks_.push_back(&block);
  if (blocks_.size() == 1) timer_.start(kLook);
}

void Coalescing::remove(Stream::Block& block) {
  std::erase(blocks_, &block);
  if (blocks_.empty()) timer_.stop();
}

void Coalescing::look() {
  std::erase_if(blocks_, [](Stream::Block* block) { return !block->goes_on_coalescing(); });
  if (!blocks_.empty()) timer_.start(kLook);
}

}  // namespace tunnel::uv
