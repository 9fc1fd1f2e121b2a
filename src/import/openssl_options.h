// SPDX-License-Identifier: MIT
// The names of stunnel's `options`, and of the command Options of OpenSSL's configuration modules.
// Constant data, any thread.
#pragma once

#include <optional>
#include <string_view>

namespace tunnel::import {

enum class OpensslEffect {
  no_tls1_0,
  no_tls1_1,
  no_tls1_2,
  no_tls1_3,
  no_tickets,
  always,      // so it is here in any case
  never,       // asks for something weaker than what is done here
  workaround,  // for bugs of old peers or of OpenSSL, a wish about its inside
  server,      // means something for servers only
};

// "NO_TLSv1_3", in any case.
[[nodiscard]] std::optional<OpensslEffect> find_openssl_option(std::string_view name);
// The name that was probably meant, or "".
[[nodiscard]] std::string_view guess_openssl_option(std::string_view name);

// "SessionTicket", "-SessionTicket", in any case; the effect of it as it stands.
[[nodiscard]] std::optional<OpensslEffect> find_openssl_conf_option(std::string_view name);

}  // namespace tunnel::import
