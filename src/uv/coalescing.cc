// SPDX-License-Identifier: MIT
#include "uv/coalescing.h"

#include <memory>

namespace tunnel::uv {

Coalescing& Coalescing::of(Loop& loop) {
  // The only kind of Extension that there is; see Loop.
  if (loop.extension() == nullptr) loop.extend(std::make_unique<Coalescing>(loop));
  return static_cast<Coalescing&>(*loop.extension());
}

void Coalescing::add(Member& member) {
  members_.push_back(&member);
  if (members_.size() == 1) timer_.start(kLook);
}

void Coalescing::remove(Member& member) {
  std::erase(members_, &member);
  if (members_.empty()) timer_.stop();
}

void Coalescing::look() {
  // No member calls add() or remove() in here: it moves its mark, and what the kernel reports then
  // comes with the next poll.
  std::erase_if(members_, [](Member* member) { return !member->goes_on_coalescing(); });
  if (!members_.empty()) timer_.start(kLook);
}

}  // namespace tunnel::uv
