// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace tunnel::tls {

// The GnuTLS in use at run time, "GnuTLS 3.7.9". Any thread.
[[nodiscard]] std::string library_version();

}  // namespace tunnel::tls
