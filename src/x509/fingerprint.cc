// SPDX-License-Identifier: MIT
#include "x509/fingerprint.h"

#include <gnutls/crypto.h>

#include "base/bytes.h"
#include "base/encoding.h"
#include "base/wipe.h"

namespace tunnel::x509 {

namespace {

std::optional<Fingerprint> sha256(std::string_view text) {
  Fingerprint print;
  if (gnutls_hash_fast(GNUTLS_DIG_SHA256, text.data(), text.size(), print.data()) < 0) {
    return std::nullopt;
  }
  return print;
}

}  // namespace

std::string sha256_text(std::string_view der) {
  const auto print = sha256(der);
  return print ? "sha256:" + hex(as_text(Bytes(*print))) : "";
}

Fingerprinter::~Fingerprinter() { wipe(text_); }

Fingerprinter& Fingerprinter::add(std::string_view part) {
  (void)add_count(part.size());
  text_ += part;
  return *this;
}

Fingerprinter& Fingerprinter::add_count(std::size_t parts) {
  // In this machine's byte order: no fingerprint leaves the process.
  text_.append(reinterpret_cast<const char*>(&parts), sizeof parts);
  return *this;
}

std::optional<Fingerprint> Fingerprinter::finish() const { return sha256(text_); }

}  // namespace tunnel::x509
