// SPDX-License-Identifier: MIT
// What is behind Context, for the sessions made from it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "keys/client_certificate.h"
#include "keys/psk.h"
#include "tls/aead_provider.h"
#include "tls/context.h"
#include "tls/evidence.h"
#include "tls/handles.h"
#include "tls/key_log.h"
#include "tls/offer.h"
#include "x509/verifier.h"

namespace tunnel::tls {

// Constant after load.
struct Context::Impl {
  explicit Impl(const AeadProvider& its_aead) : aead(its_aead) {}

  const AeadProvider& aead;  // of the records
  // Random: what is remembered under it belongs to this context alone, and lives no longer.
  std::shared_ptr<const std::string> identity;
  bool resumption = true;
  bool allows_key_usage_violation = false;  // of the server's certificate
  Offer offer;
  x509::VerifyPolicy policy;
  std::unique_ptr<const keys::ClientCertificate> certificate;  // null: none to show
  Credentials credentials;  // hold nothing themselves; GnuTLS wants them, and asks `certificate`
  std::unique_ptr<const keys::PresharedKey> psk;  // null: none to offer
  std::vector<std::string> alpn;                  // in order of preference
  KeyLog key_log;
};

// What the pointer of every session of a context (gnutls_session_set_ptr) points to: a function of
// the credentials, which are the context's, is given the session and nothing else.
struct SessionOwner {
  const Context::Impl& context;
  Evidence* evidence = nullptr;  // null: nobody asks for it
};

}  // namespace tunnel::tls
