// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/outcome.h"
#include "tunnel/dial.h"
#include "tunnel/phase.h"

namespace tunnel {

// The targets that were dialled in vain for one connection, in their order, and why each failed.
// A value; owned by the Connection while it dials.
class FailedAttempts {
 public:
  void add(std::string target, DialFailure failure);
  [[nodiscard]] bool empty() const { return attempts_.empty(); }

  // For machines: "10.1.1.1:636=connect_refused, 10.1.1.2:636=tls_timeout".
  [[nodiscard]] std::string kinds() const;
  // For people: each target's sentence.
  [[nodiscard]] std::string sentences() const;
  // How the connection ends for them: as the last one failed. Not when it is empty.
  [[nodiscard]] Outcome outcome() const;
  // What is left to be said where the sentences have been said.
  [[nodiscard]] std::string summary() const;

 private:
  struct Attempt {
    std::string target;
    DialFailure failure;
  };
  std::vector<Attempt> attempts_;
};

// A target whose dial had come to `phase` when timeouts.dial, `limit`, was over.
[[nodiscard]] DialFailure gave_up_on(std::string_view target, Phase phase, Millis limit);

}  // namespace tunnel
