// SPDX-License-Identifier: MIT
#include "x509/trust_store.h"

#include <sys/stat.h>

#include <iterator>
#include <map>
#include <utility>

#include "x509/handles.h"
#include "x509/pem_files.h"
#include "x509/trust_anchors.h"

namespace tunnel::x509 {
namespace {

// GnuTLS does not tell where its build looks for the system's store. These are the places the
// distributions use: their times tell whether a store that was loaded before is still the same.
constexpr const char* kSystemBundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

std::string system_identity() {
  std::string identity = "system\n";
  for (const char* path : kSystemBundles) {
    struct stat info {};
    if (::stat(path, &info) != 0) continue;
    identity += std::to_string(info.st_ino) + ':' + std::to_string(info.st_size) + ':' +
                std::to_string(info.st_mtim.tv_sec) + '.' + std::to_string(info.st_mtim.tv_nsec) +
                '\n';
  }
  return identity;
}

TrustListHandle new_list() {
  gnutls_x509_trust_list_t list = nullptr;
  if (gnutls_x509_trust_list_init(&list, 0) < 0) return nullptr;
  return TrustListHandle(list);
}

struct Loaded {
  TrustListHandle list;          // null: there is a problem
  std::time_t earliest_end = 0;  // of the certificates; 0: not known
};

Loaded load_system(Problems& problems) {
  auto list = new_list();
  const int count =
      list ? gnutls_x509_trust_list_add_system_trust(list.get(), 0, 0) : GNUTLS_E_MEMORY_ERROR;
  if (count > 0) return {std::move(list)};
  std::string why = count < 0 ? std::string(": ") + gnutls_strerror(count) : "";
  problems.error("ca", "the system's trust store holds no certificate" + why,
                 "install ca-certificates, or name the CA's certificate in tls.ca");
  return {};
}

Loaded load_files(const PemContents& contents, Problems& problems) {
  problems.add(contents.problems);
  Loaded loaded{new_list()};
  if (!loaded.list) return {};
  bool good = !contents.problems.has_errors();
  for (const auto& object : contents.objects) {
    gnutls_x509_crt_t raw = nullptr;
    if (gnutls_x509_crt_init(&raw) < 0) return {};
    Certificate crt(raw);
    const auto der = lend(object.der);
    int error = gnutls_x509_crt_import(raw, &der, GNUTLS_X509_FMT_DER);
    const std::time_t end = error == 0 ? gnutls_x509_crt_get_expiration_time(raw) : -1;
    if (error == 0) {
      error = gnutls_x509_trust_list_add_cas(loaded.list.get(), &raw, 1, 0) == 1 ? 0 : -1;
    }
    if (error == 0) {
      (void)crt.release();  // the list's now
      std::time_t& earliest = loaded.earliest_end;
      if (end > 0 && (earliest == 0 || end < earliest)) earliest = end;
      continue;
    }
    // A list that lacks one of its certificates would refuse servers for no visible reason.
    good = false;
    problems.error("ca", object.index,
                   object.origin + ": the certificate that begins here cannot be read: " +
                       gnutls_strerror(error));
  }
  return good ? std::move(loaded) : Loaded{};
}

std::string name_of(const std::vector<std::string>& ca) {
  std::string name = "tls.ca (" + ca.front();
  if (ca.size() > 1) name += " and " + std::to_string(ca.size() - 1) + " more";
  return name + ")";
}

}  // namespace

std::vector<std::string> system_trust_files() {
  return {std::begin(kSystemBundles), std::end(kSystemBundles)};
}

struct TrustStore::Impl {
  std::map<std::string, std::weak_ptr<const TrustAnchors>> loaded;  // by identity of the sources
};

TrustStore::TrustStore() : impl_(std::make_unique<Impl>()) {}
TrustStore::~TrustStore() = default;

std::shared_ptr<const TrustAnchors> TrustStore::anchors(const std::vector<std::string>& ca,
                                                        Problems& problems) {
  // Looked at with stat(2) only: what a living list was made of is not read again.
  const auto files = find_pem_files("ca", ca);
  // Held weakly: the last context that has a list frees it, and what no context has kept is loaded
  // anew.
  std::erase_if(impl_->loaded, [](const auto& entry) { return entry.second.expired(); });
  auto& slot = impl_->loaded[ca.empty() ? system_identity() : files.identity];
  if (auto known = slot.lock(); known && !files.problems.has_errors()) return known;
  Loaded fresh = ca.empty() ? load_system(problems)
                            : load_files(read_pem_files(files, PemType::certificate), problems);
  if (!fresh.list) return nullptr;
  auto anchors = std::make_shared<const TrustAnchors>(
      std::move(fresh.list), ca.empty() ? "the system's trust store" : name_of(ca),
      fresh.earliest_end);
  slot = anchors;
  return anchors;
}

}  // namespace tunnel::x509
