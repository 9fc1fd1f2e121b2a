// SPDX-License-Identifier: MIT
#include "x509/ocsp.h"

#include <algorithm>
#include <array>
#include <utility>

#include "x509/clock_tolerance.h"

namespace tunnel::x509 {
namespace {

// How long an answer without nextUpdate is believed. Responders give days; three is what GnuTLS
// uses.
constexpr std::time_t kMaxAge = 3 * 86400;
constexpr unsigned kStatusRequestFeature = 5;  // the TLS extension's number

// The entry of a response that is about this certificate, or -1. A server may staple what it likes:
// a response with more entries than this is not looked through.
int entry_about(gnutls_ocsp_resp_t response, gnutls_x509_crt_t leaf) {
  for (unsigned i = 0;; ++i) {
    const int match = gnutls_ocsp_resp_check_crt(response, i, leaf);
    if (match == 0) return static_cast<int>(i);
    if (match == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE || i > 64) return -1;
    unsigned status = 0;  // past the end check_crt and get_single fail alike
    if (gnutls_ocsp_resp_get_single(response, i, nullptr, nullptr, nullptr, nullptr, &status,
                                    nullptr, nullptr, nullptr, nullptr) < 0) {
      return -1;
    }
  }
}

OcspFinding judge_entry(gnutls_ocsp_resp_t response, unsigned entry, std::time_t now) {
  unsigned status = GNUTLS_OCSP_CERT_UNKNOWN;
  std::time_t this_update = -1, next_update = -1, revoked_at = -1;
  if (gnutls_ocsp_resp_get_single(response, entry, nullptr, nullptr, nullptr, nullptr, &status,
                                  &this_update, &next_update, &revoked_at, nullptr) < 0) {
    return {.state = OcspFinding::State::invalid,
            .why = "stapled an OCSP response that cannot be read"};
  }
  if (status == GNUTLS_OCSP_CERT_REVOKED) {  // even an old one: what is revoked stays so
    return {.state = OcspFinding::State::revoked, .revoked_at = revoked_at == -1 ? 0 : revoked_at};
  }
  if (this_update == -1 || this_update > now + kClockTolerance) {
    return {.state = OcspFinding::State::invalid,
            .why = "stapled an OCSP response from the future"};
  }
  if (next_update == -1 ? now - this_update > kMaxAge : next_update < now) {
    return {.state = OcspFinding::State::invalid,
            .why = "stapled an OCSP response that is out of date"};
  }
  if (status != GNUTLS_OCSP_CERT_GOOD) {
    return {.state = OcspFinding::State::invalid,
            .why = "stapled an OCSP response that does not know its certificate"};
  }
  return {.state = OcspFinding::State::good,
          .good_until = next_update == -1 ? this_update + kMaxAge : next_update};
}

// The end of the first to end of the certificates that came with a response: one of them may be its
// signer's.
std::time_t first_end_of_certificates(gnutls_ocsp_resp_t response) {
  auto end = std::numeric_limits<std::time_t>::max();
  gnutls_x509_crt_t* raw = nullptr;
  std::size_t count = 0;
  if (gnutls_ocsp_resp_get_certs(response, &raw, &count) < 0) return end;
  for (std::size_t i = 0; i < count; ++i) {
    const Certificate owner(raw[i]);
    if (const auto own = gnutls_x509_crt_get_expiration_time(raw[i]); own != -1) {
      end = std::min(end, own);
    }
  }
  gnutls_free(raw);
  return end;
}

}  // namespace

OcspFinding check_ocsp(const gnutls_datum_t& response, gnutls_x509_crt_t leaf,
                       gnutls_x509_crt_t issuer, std::time_t now, unsigned verify_flags) {
  if (response.size == 0)
    return {.state = OcspFinding::State::absent, .why = "stapled no OCSP response"};
  gnutls_ocsp_resp_t raw = nullptr;
  if (gnutls_ocsp_resp_init(&raw) < 0) {
    return {.state = OcspFinding::State::invalid,
            .why = "stapled an OCSP response that cannot be read"};
  }
  const OcspResponse owner(raw);
  if (gnutls_ocsp_resp_import(raw, &response) < 0) {
    return {.state = OcspFinding::State::invalid,
            .why = "stapled an OCSP response that cannot be read"};
  }
  if (gnutls_ocsp_resp_get_status(raw) != GNUTLS_OCSP_RESP_SUCCESSFUL) {
    return {.state = OcspFinding::State::absent,
            .why = "stapled an OCSP response in which the responder gives no answer"};
  }
  // Before the signature, which is what costs: a server may staple anything.
  const int entry = entry_about(raw, leaf);
  if (entry < 0) {
    return {.state = OcspFinding::State::invalid,
            .why = "stapled an OCSP response about another certificate"};
  }
  unsigned status = 0;
  // By the CA itself, or by a signer with a certificate of this CA for it (RFC 6960 section
  // 4.2.2.2).
  if (gnutls_ocsp_resp_verify_direct(raw, issuer, &status, verify_flags) < 0 || status != 0) {
    return {.state = OcspFinding::State::invalid,
            .why = "stapled an OCSP response that its CA did not sign"};
  }
  auto finding = judge_entry(raw, static_cast<unsigned>(entry), now);
  finding.good_until = std::min(finding.good_until, first_end_of_certificates(raw));
  return finding;
}

bool must_staple(gnutls_x509_crt_t leaf) {
  gnutls_x509_tlsfeatures_t raw = nullptr;
  if (gnutls_x509_tlsfeatures_init(&raw) < 0) return false;
  const TlsFeatures owner(raw);
  unsigned critical = 0;
  if (gnutls_x509_crt_get_tlsfeatures(leaf, raw, 0, &critical) < 0) return false;
  for (unsigned i = 0;; ++i) {
    unsigned feature = 0;
    if (gnutls_x509_tlsfeatures_get(raw, i, &feature) < 0) return false;
    if (feature == kStatusRequestFeature) return true;
  }
}

}  // namespace tunnel::x509
