// SPDX-License-Identifier: MIT
// The address in a URL, for hints: people paste URLs where HOST:PORT is wanted. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace tunnel::config {

// With a scheme in front: "https://host", or "unix:/path" as in other programs.
[[nodiscard]] bool is_url(std::string_view text);
// "host:443" of "https://host/path" or of "host:443/path", "/run/x.sock" of "unix:///run/x.sock"
// or "unix:/run/x.sock";
// "" when no address can be made out.
[[nodiscard]] std::string address_in_url(std::string_view url);
// "host:443/": the port is followed by a path.
[[nodiscard]] bool has_path_after_port(std::string_view text);

}  // namespace tunnel::config
