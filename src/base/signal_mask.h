// SPDX-License-Identifier: MIT
#pragma once

namespace tunnel {

// Blocks all signals in the calling thread: they are for the main thread, whose loop waits for them.
void block_signals();

}  // namespace tunnel
