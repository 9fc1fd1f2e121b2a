// SPDX-License-Identifier: MIT
#include "base/signal_mask.h"

#include <signal.h>

namespace tunnel {

void block_signals() {
  sigset_t all;
  (void)::sigfillset(&all);
  (void)::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace tunnel
