// SPDX-License-Identifier: MIT
// What was meant by a key that is unknown where it stands: one of another table, of stunnel, of
// another program, or one that is misspelled. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/foreign.h"

namespace tunnel::config {

// `known` are the keys of the table at hand, `service` the name of the service that it belongs to
// or, among the global keys, of any service of the file. "" for no idea.
[[nodiscard]] std::string key_hint(std::string_view key, std::span<const std::string_view> known,
                                   std::string_view service, const Foreign& foreign);

// "[web.tls]": the header of a service's table (or of the service itself, without one).
[[nodiscard]] std::string header_of(std::string_view service, std::string_view table = {});

}  // namespace tunnel::config
