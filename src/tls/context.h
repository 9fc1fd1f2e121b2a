// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/model.h"
#include "tls/trust_store.h"

namespace tunnel::tls {

// A problem of a [NAME.tls] table that only loading could find: which key, which entry of it, what is
// wrong, and what to do. The caller knows the file and line of the key.
struct Problem {
  std::string key;  // "ca", "pin", "ciphers", ...
  int index = -1;   // entry of an array, or -1
  std::string text;
  std::string hint;
};

// Everything one service needs to speak TLS, loaded: trust anchors, CRLs, pins, priorities, client
// keys, key log. Immutable after load; shared by all workers (GnuTLS allows concurrent read-only use
// of credentials). Owned by the Snapshot. Sessions made from it must not outlive it.
class Context {
 public:
  // All problems at once; a context only when there is none. `trust` holds the process's one copy
  // of the system's trust store and is loaded at the first need.
  struct Loaded {
    std::unique_ptr<const Context> context;
    std::vector<Problem> problems;
    std::vector<std::string> warnings;  // "tls.verify = \"none\": ...": for each start's log
  };
  static Loaded load(const config::Tls& tls, TrustStore& trust);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  struct Impl;  // gnutls types, for session.cc only
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  explicit Context(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tunnel::tls
