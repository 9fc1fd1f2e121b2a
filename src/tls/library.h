// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace tunnel::tls {

// The libraries in use at run time: "GnuTLS 3.7.9, AES-GCM by intel-ipsec-mb 1.3.0". Any thread.
[[nodiscard]] std::string library_version();

}  // namespace tunnel::tls
