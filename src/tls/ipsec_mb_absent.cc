// SPDX-License-Identifier: MIT
// In place of ipsec_mb.cc where the library is not there.
#include "tls/ipsec_mb.h"

namespace tunnel::tls {

Result<IpsecMb> IpsecMb::load(Processors) {
  return failed(ErrorCode::unavailable, "this build was made without intel-ipsec-mb");
}

}  // namespace tunnel::tls
