// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "config/model.h"
#include "sandbox/needs.h"
#include "sandbox/part.h"
#include "sandbox/rules.h"

namespace tunnel::sandbox {

// Whether a process in the sandbox will not be able to run anything.
[[nodiscard]] bool keeps_programs_out(const Needs& needs, config::Sandbox mode);

// What the process has given up: entered once, after keys are loaded and ports are bound, while
// there is one thread. There is no way back. Owned by run(); constant, any thread.
class Sandbox {
 public:
  struct Settings {
    config::Sandbox mode = config::Sandbox::automatic;
    bool keeps_abstract_sockets = true;  // none but its own has to be reached
  };
  // Enters as far as the kernel and the needs allow; the report says how far that is.
  [[nodiscard]] static Sandbox enter(const Needs& needs, const Settings& settings);
  // None, for tests.
  Sandbox() = default;

  [[nodiscard]] const Report& report() const { return report_; }
  // Under `require`: a sentence about what is missing; else, or when nothing is, empty.
  [[nodiscard]] std::string failure() const;
  // Why a process in here cannot do what a configuration needs, and what to do; empty when it can.
  [[nodiscard]] std::string refusal(const Needs& needs) const;

 private:
  Report report_;
  Rules rules_;
  // Landlock knows a folder by its inode, and /proc makes a new one when nobody holds the old.
  Fd own_proc_;
};

}  // namespace tunnel::sandbox
