// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "base/file_owner.h"
#include "config/model.h"
#include "keys/wrong_pins.h"
#include "tls/aead_provider.h"
#include "x509/problem.h"
#include "x509/trust_store.h"

namespace tunnel::tls {

// Everything one service needs to speak TLS, loaded: trust anchors, CRLs, pins, priorities, client
// keys, key log. Immutable after load; shared by all workers (GnuTLS allows concurrent read-only
// use of credentials). Owned by the Snapshot. Sessions made from it must not outlive it.
class Context {
 public:
  // What it is loaded for: a check makes no file (the key log).
  enum class Purpose : std::uint8_t { run, check };

  // What the contexts of one configuration share while they are loaded.
  struct Shared {
    x509::TrustStore trust;  // loaded at the first need
    keys::WrongPins wrong_pins;
    FileOwner owner;                                     // of the key logs that are made
    const AeadChoice* aead = &AeadChoice::of_process();  // of the records
  };

  // All problems at once; a context only when there is none. Blocking.
  struct Loaded {
    std::unique_ptr<const Context> context;
    std::vector<x509::Problem> problems;
    std::vector<std::string> warnings;  // "tls.verify = \"none\": ...": for each start's log
  };
  [[nodiscard]] static Loaded load(const config::Tls& tls, Shared& shared,
                                   Purpose purpose = Purpose::run);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // The certificate that servers are shown; both empty without one.
  struct Shown {
    std::string fingerprint;  // "sha256:9f3c..."
    std::string not_after;
  };
  [[nodiscard]] Shown client_certificate() const;
  // When what the files of the configuration hold ends, in seconds since 1970; 0: there is no such
  // file, or no end.
  struct Ends {
    std::time_t client = 0;  // the certificate that servers are shown
    std::time_t ca = 0;      // the first certificate of tls.ca
    std::time_t crl = 0;     // the first list of tls.crl that nothing newer stands beside
  };
  [[nodiscard]] const Ends& ends() const { return ends_; }

  struct Impl;  // gnutls types, for the sessions made from it
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  explicit Context(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  Ends ends_;
};

}  // namespace tunnel::tls
