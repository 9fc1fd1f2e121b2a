// SPDX-License-Identifier: MIT
// Between the configuration and the log: where its lines go. No state; main thread.
#pragma once

#include <unistd.h>

#include <string>

#include "config/model.h"
#include "log/options.h"
#include "runtime/start_voice.h"

namespace tunnel::runtime {

// `standard_error` is what standard error will be.
[[nodiscard]] log::Options log_options(const config::Global& global, Voice voice,
                                       int standard_error = STDERR_FILENO);

// In words, for who starts a daemon.
[[nodiscard]] std::string where_the_log_goes(const log::Options& options);

}  // namespace tunnel::runtime
