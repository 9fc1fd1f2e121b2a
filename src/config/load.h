// SPDX-License-Identifier: MIT
// From a text to a Document: trees, then the model, then what only the whole can tell.
#pragma once

#include <string>

#include "config/document.h"
#include "config/foreign.h"
#include "config/reader.h"

namespace tunnel::config {

// Reads a file with everything that it includes: TOML, unless `foreign` brings another language.
// Never fails as a call: problems are in the result.
[[nodiscard]] Document load(const std::string& path, System system = System::use,
                            const Foreign& foreign = {});
// The same for a text that is at hand; `path` names it in messages and is what relative paths start
// from.
[[nodiscard]] Document parse(std::string text, const std::string& path, System system = System::use,
                             const Foreign& foreign = {});

}  // namespace tunnel::config
