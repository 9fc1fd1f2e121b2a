// SPDX-License-Identifier: MIT
#include "x509/crl.h"

#include <algorithm>
#include <array>
#include <utility>

#include "x509/clock_tolerance.h"
#include "x509/pem_files.h"
#include "x509/x509_text.h"

namespace tunnel::x509 {
namespace {

// RFC 5280 section 4.1.2.2 allows 20 bytes. A list with a longer one counts as unreadable, so a
// certificate with a longer one is in no list that is used.
constexpr std::size_t kMaxSerial = 128;

// Serials are compared as numbers, whatever zeros stand in front.
std::string without_leading_zeros(std::string_view serial) {
  const auto first = serial.find_first_not_of('\0');
  return first == std::string_view::npos ? std::string() : std::string(serial.substr(first));
}

// A critical extension that says: this is a delta, or covers some certificates only (section 5.2).
bool is_partial(gnutls_x509_crl_t crl) {
  for (unsigned i = 0;; ++i) {
    std::array<char, 128> oid{};
    std::size_t size = oid.size();
    unsigned critical = 0;
    const int error = gnutls_x509_crl_get_extension_info(crl, i, oid.data(), &size, &critical);
    // There are no more; any other error may hide a critical one.
    if (error < 0) return error != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
    if (critical != 0) return true;
  }
}

// Names are compared byte by byte, as GnuTLS does when it looks for an issuer; RFC 5280 section 7.1
// would overlook case and blanks.
std::string raw_issuer_of(gnutls_x509_crt_t crt) {
  Datum dn;
  if (gnutls_x509_crt_get_raw_issuer_dn(crt, dn.get()) < 0) return {};
  return std::string(dn.view());
}

std::string serial_of(gnutls_x509_crt_t crt) {
  std::array<char, kMaxSerial> serial{};
  std::size_t size = serial.size();
  if (gnutls_x509_crt_get_serial(crt, serial.data(), &size) < 0) return {};
  return without_leading_zeros({serial.data(), size});
}

}  // namespace

RevocationLists RevocationLists::load(const std::vector<std::string>& paths, Problems& problems) {
  RevocationLists lists;
  if (paths.empty()) return lists;
  const auto contents = read_pem_files(find_pem_files("crl", paths), PemType::crl);
  problems.add(contents.problems);
  const auto now = std::time(nullptr);
  for (const auto& object : contents.objects) {
    gnutls_x509_crl_t raw = nullptr;
    if (gnutls_x509_crl_init(&raw) < 0) continue;
    CrlHandle handle(raw);
    const auto der = lend(object.der);
    Datum issuer;
    int error = gnutls_x509_crl_import(raw, &der, GNUTLS_X509_FMT_DER);
    if (error == 0) error = gnutls_x509_crl_get_raw_issuer_dn(raw, issuer.get());
    if (error < 0) {
      problems.error(
          "crl", object.index,
          object.origin + ": the CRL that begins here cannot be read: " + gnutls_strerror(error));
      continue;
    }
    auto list = read(std::move(handle), object.origin);
    if (list.next_update != -1 && list.next_update < now) {
      problems.warning("crl", "tls.crl: " + list.origin + " is out of date since " +
                                  date_text(list.next_update) +
                                  ": connections that need it will fail; fetch a new one");
    }
    lists.by_issuer_[std::string(issuer.view())].push_back(std::move(list));
  }
  return lists;
}

// Of several lists of one issuer any current one does.
std::time_t RevocationLists::next_update() const {
  std::time_t earliest = 0;
  for (const auto& [issuer, lists] : by_issuer_) {
    std::time_t latest = 0;
    bool has_end = true;
    for (const List& list : lists) {
      has_end = has_end && list.next_update != -1;
      latest = std::max(latest, list.next_update);
    }
    if (has_end && (earliest == 0 || latest < earliest)) earliest = latest;
  }
  return earliest;
}

// Entries are taken out once, for GnuTLS would go through the list for every certificate that is
// looked up in it.
RevocationLists::List RevocationLists::read(CrlHandle handle, std::string origin) {
  List list;
  gnutls_x509_crl_t crl = handle.get();
  list.handle = std::move(handle);
  list.origin = std::move(origin);
  list.this_update = gnutls_x509_crl_get_this_update(crl);
  list.next_update = gnutls_x509_crl_get_next_update(crl);
  list.partial = is_partial(crl);
  gnutls_x509_crl_iter_t position = nullptr;
  while (true) {
    std::array<unsigned char, kMaxSerial> serial{};
    std::size_t size = serial.size();
    std::time_t when = 0;
    const int error = gnutls_x509_crl_iter_crt_serial(crl, &position, serial.data(), &size, &when);
    if (error < 0) {
      list.is_read_to_end = error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
      break;
    }
    list.entries.push_back(
        {without_leading_zeros({reinterpret_cast<const char*>(serial.data()), size}), when});
  }
  if (position != nullptr) gnutls_x509_crl_iter_deinit(position);
  // Looked up by halving: a list may have a million entries, and each handshake asks.
  std::ranges::sort(list.entries, {}, &Entry::serial);
  return list;
}

// The signature comes last, since only that costs anything.
std::string RevocationLists::why_unusable(const List& list, gnutls_x509_crt_t issuer,
                                          std::time_t now, unsigned verify_flags) {
  const auto place = " (" + list.origin + ")";
  if (!list.is_read_to_end) return "has an entry that cannot be read" + place;
  if (list.partial) return "covers only a part of its certificates, which is not supported" + place;
  if (list.this_update != -1 && list.this_update > now + kClockTolerance) {
    return "is from the future, " + date_text(list.this_update) + place;
  }
  if (list.next_update == -1) return "does not say how long it is valid" + place;
  if (list.next_update < now) return "is out of date since " + date_text(list.next_update) + place;
  unsigned status = 0;
  const int error = gnutls_x509_crl_verify(
      list.handle.get(), &issuer, 1, verify_flags | GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status);
  if (error < 0) return std::string("cannot be verified: ") + gnutls_strerror(error) + place;
  if ((status & GNUTLS_CERT_INSECURE_ALGORITHM) != 0) {
    return "is signed with an algorithm that is too weak" + place;
  }
  if ((status & GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE) != 0) {
    return "is signed with a key that may not sign CRLs" + place;
  }
  if (status != 0) return "is not signed by that CA" + place;
  return {};
}

const RevocationLists::Entry* RevocationLists::find_entry(const List& list,
                                                          const std::string& serial) {
  const auto entry = std::ranges::lower_bound(list.entries, serial, {}, &Entry::serial);
  return entry != list.entries.end() && entry->serial == serial ? &*entry : nullptr;
}

std::optional<RevocationLists::Finding> RevocationLists::find_revoked(gnutls_x509_crt_t certificate,
                                                                      gnutls_x509_crt_t issuer,
                                                                      std::time_t now,
                                                                      unsigned verify_flags) const {
  const auto lists = by_issuer_.find(raw_issuer_of(certificate));
  if (lists == by_issuer_.end()) return std::nullopt;
  const auto serial = serial_of(certificate);
  for (const auto& list : lists->second) {
    const auto* entry = find_entry(list, serial);
    if (entry != nullptr && why_unusable(list, issuer, now, verify_flags).empty()) {
      return Finding{.state = State::revoked, .revoked_at = entry->revoked_at, .text = list.origin};
    }
  }
  return std::nullopt;
}

// Revoked by one valid list is revoked, whatever the others say. Else one valid list is enough, and
// the others do not matter: an old list may lie beside its successor. Without a valid one the first
// reason is reported.
RevocationLists::Finding RevocationLists::look_up(gnutls_x509_crt_t certificate,
                                                  gnutls_x509_crt_t issuer, std::time_t now,
                                                  unsigned verify_flags) const {
  Finding finding;
  const auto lists = by_issuer_.find(raw_issuer_of(certificate));
  if (lists == by_issuer_.end()) return finding;
  const auto serial = serial_of(certificate);
  auto good_until = finding.good_until;
  for (const auto& list : lists->second) {
    if (auto why = why_unusable(list, issuer, now, verify_flags); !why.empty()) {
      // One from the future will have its say.
      if (list.this_update > now + kClockTolerance) {
        good_until = std::min(good_until, list.this_update - kClockTolerance);
      }
      if (finding.state == State::missing) {
        finding = {.state = State::unusable, .text = std::move(why)};
      }
      continue;
    }
    if (const auto* entry = find_entry(list, serial)) {
      return {.state = State::revoked, .revoked_at = entry->revoked_at, .text = list.origin};
    }
    finding = {.state = State::good};
    good_until = std::min(good_until, list.next_update);
  }
  finding.good_until = good_until;
  return finding;
}

}  // namespace tunnel::x509
