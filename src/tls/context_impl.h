// SPDX-License-Identifier: MIT
// What is behind Context, for session.cc.
#pragma once

#include <string>
#include <vector>

#include "tls/context.h"
#include "tls/handles.h"
#include "tls/key_log.h"
#include "tls/offer.h"
#include "tls/verifier.h"

namespace tunnel::tls {

// Constant after load.
struct Context::Impl {
  Offer offer;
  VerifyPolicy policy;
  Credentials credentials;  // empty until client certificates are there; GnuTLS wants them set
  std::vector<std::string> alpn;  // in order of preference
  KeyLog key_log;
};

}  // namespace tunnel::tls
