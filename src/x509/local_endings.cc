// SPDX-License-Identifier: MIT
#include "x509/local_endings.h"

#include <utility>

#include "base/text.h"
#include "x509/handles.h"
#include "x509/pem_files.h"
#include "x509/x509_text.h"

namespace tunnel::x509 {
namespace {

void read_certificate(const gnutls_datum_t& der, LocalEnding& found) {
  gnutls_x509_crt_t raw = nullptr;
  if (gnutls_x509_crt_init(&raw) < 0) return;
  const Certificate certificate(raw);
  if (gnutls_x509_crt_import(raw, &der, GNUTLS_X509_FMT_DER) < 0) return;
  found.subject = subject_of(raw);
  found.end = gnutls_x509_crt_get_expiration_time(raw);
}

void read_crl(const gnutls_datum_t& der, LocalEnding& found) {
  gnutls_x509_crl_t raw = nullptr;
  if (gnutls_x509_crl_init(&raw) < 0) return;
  const CrlHandle crl(raw);
  if (gnutls_x509_crl_import(raw, &der, GNUTLS_X509_FMT_DER) < 0) return;
  Datum issuer;
  if (gnutls_x509_crl_get_issuer_dn3(raw, issuer.get(), 0) == 0) {
    found.subject = printable(issuer.view());
  }
  found.end = gnutls_x509_crl_get_next_update(raw);
}

void add(std::vector<LocalEnding>& list, const std::string& key,
         const std::vector<std::string>& paths, PemType type) {
  if (paths.empty()) return;
  for (const PemObject& object : read_pem_files(find_pem_files(key, paths), type).objects) {
    LocalEnding found{.key = key, .index = object.index, .origin = object.origin, .subject = {}};
    const auto der = lend(object.der);
    if (type == PemType::crl) {
      read_crl(der, found);
    } else {
      read_certificate(der, found);
    }
    if (found.end > 0) list.push_back(std::move(found));
  }
}

}  // namespace

std::vector<LocalEnding> local_endings(const config::Tls& tls) {
  std::vector<LocalEnding> list;
  add(list, "ca", tls.ca, PemType::certificate);
  add(list, "peer_certs", tls.peer_certs, PemType::certificate);
  add(list, "crl", tls.crl, PemType::crl);
  return list;
}

}  // namespace tunnel::x509
