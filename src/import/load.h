// SPDX-License-Identifier: MIT
// The way in for a configuration of any language: TOML, which config reads, with hints for the
// words of stunnel and OpenSSL, or a stunnel.conf. Blocking; any thread.
#pragma once

#include <string>

#include "config/document.h"
#include "config/reader.h"

namespace tunnel::import {

// By name: stunnel.conf when it ends in ".conf", TOML otherwise.
enum class Syntax { by_name, stunnel };

// Reads a file with everything that it includes. Never fails as a call: problems are in the result.
[[nodiscard]] config::Document load(const std::string& path,
                                    config::System system = config::System::use,
                                    Syntax syntax = Syntax::by_name);
// The same for a text that is at hand; `path` names it in messages and is what relative paths start
// from.
[[nodiscard]] config::Document parse(std::string text, const std::string& path,
                                     config::System system = config::System::use,
                                     Syntax syntax = Syntax::by_name);

}  // namespace tunnel::import
