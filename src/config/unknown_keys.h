// SPDX-License-Identifier: MIT
// Keys that the option table does not have, reported with what was probably meant.
#pragma once

#include <span>
#include <string_view>

#include "config/schema.h"

namespace tunnel::config {

// Reports keys that are not among `known`, with what was probably meant.
void check_known(Reader& reader, const Value& table, std::span<const std::string_view> known);
// Reports keys that no row of the table has.
template <class T>
void check_keys(Reader& reader, const Value& table);

}  // namespace tunnel::config
