// SPDX-License-Identifier: MIT
#include "x509/peer_certificates.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/encoding.h"
#include "x509/pem_files.h"
#include "x509/x509_text.h"

namespace tunnel::x509 {

PeerCertificates PeerCertificates::load(const std::vector<std::string>& paths, Problems& problems) {
  PeerCertificates peers;
  if (paths.empty()) return peers;
  for (const auto& path : paths) peers.paths_ += (peers.paths_.empty() ? "" : ", ") + path;
  auto contents = read_pem_files(find_pem_files("peer_certs", paths), PemType::certificate);
  problems.add(contents.problems);
  for (const auto& object : contents.objects) {
    gnutls_x509_crt_t raw = nullptr;
    if (gnutls_x509_crt_init(&raw) < 0) continue;
    const Certificate certificate(raw);
    const auto der = lend(object.der);
    const int error = gnutls_x509_crt_import(raw, &der, GNUTLS_X509_FMT_DER);
    auto entry = error < 0 ? Entry{} : entry_of(raw);
    if (entry.key.empty()) {
      problems.error("peer_certs", object.index,
                     object.origin + ": the certificate that begins here cannot be read" +
                         (error < 0 ? std::string(": ") + gnutls_strerror(error) : ""));
      continue;
    }
    peers.entries_.push_back(std::move(entry));
  }
  return peers;
}

PeerCertificates::Entry PeerCertificates::entry_of(gnutls_x509_crt_t certificate) {
  Datum subject;
  if (gnutls_x509_crt_get_raw_dn(certificate, subject.get()) < 0) return {};
  return {std::string(subject.view()), spki_sha256(certificate), subject_of(certificate)};
}

bool PeerCertificates::accept(gnutls_x509_crt_t certificate) const {
  const auto wanted = entry_of(certificate);
  return !wanted.key.empty() && std::ranges::any_of(entries_, [&wanted](const Entry& entry) {
    return entry.subject == wanted.subject && entry.key == wanted.key;
  });
}

std::string PeerCertificates::instead_of(gnutls_x509_crt_t certificate) const {
  constexpr std::size_t kMostShown = 3;
  const auto wanted = entry_of(certificate);
  const std::string place = "tls.peer_certs (" + paths_ + ") has ";
  const auto same_name = std::ranges::find(entries_, wanted.subject, &Entry::subject);
  if (same_name != entries_.end()) {
    return place + same_name->name + " with another key, sha256:" + base64(same_name->key);
  }
  const auto same_key = std::ranges::find(entries_, wanted.key, &Entry::key);
  if (same_key != entries_.end()) return place + "that key for " + same_key->name;
  std::string names;
  for (std::size_t i = 0; i < std::min(entries_.size(), kMostShown); ++i) {
    names += (i == 0 ? "" : ", ") + entries_[i].name;
  }
  if (entries_.size() > kMostShown) {
    names += " and " + std::to_string(entries_.size() - kMostShown) + " more";
  }
  return place + names;
}

}  // namespace tunnel::x509
