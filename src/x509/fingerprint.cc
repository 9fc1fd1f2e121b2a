// SPDX-License-Identifier: MIT
#include "x509/fingerprint.h"

#include <gnutls/crypto.h>

namespace tunnel::x509 {

Fingerprinter::~Fingerprinter() { gnutls_memset(text_.data(), 0, text_.size()); }

Fingerprinter& Fingerprinter::add(std::string_view part) {
  (void)add_count(part.size());
  text_ += part;
  return *this;
}

Fingerprinter& Fingerprinter::add_count(std::size_t parts) {
  text_.append(reinterpret_cast<const char*>(&parts), sizeof parts);
  return *this;
}

std::optional<Fingerprint> Fingerprinter::finish() const {
  Fingerprint print;
  if (gnutls_hash_fast(GNUTLS_DIG_SHA256, text_.data(), text_.size(), print.data()) < 0) {
    return std::nullopt;
  }
  return print;
}

}  // namespace tunnel::x509
