// SPDX-License-Identifier: MIT
// The files of a folder that a stunnel.conf includes.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tunnel::import {

// Every file in it, links followed, in the order of their names as bytes; folders are left out.
// Blocking.
[[nodiscard]] Result<std::vector<std::string>> files_of_folder(const std::string& folder);

// What editors and package managers leave behind, and stunnel reads nevertheless.
[[nodiscard]] bool looks_forgotten(std::string_view path);

}  // namespace tunnel::import
