// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "runtime/file_watch.h"

namespace tunnel::runtime::testing {

// A credential file that is there, last written at that time.
inline FileIdentities files(std::int64_t version) {
  FileIdentity one;
  one.path = "/etc/robot.pem";
  one.exists = true;
  one.modified_ns = version;
  return {one};
}

}  // namespace tunnel::runtime::testing
