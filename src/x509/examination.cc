// SPDX-License-Identifier: MIT
#include "x509/examination.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/encoding.h"
#include "base/text.h"
#include "x509/ocsp.h"
#include "x509/revocation.h"
#include "x509/steps.h"
#include "x509/verifier.h"

namespace tunnel::x509 {
namespace {

// ---- one certificate

// The names by which people ask for curves.
std::string curve_name(gnutls_ecc_curve_t curve) {
  switch (curve) {
    case GNUTLS_ECC_CURVE_SECP256R1:
      return "P-256";
    case GNUTLS_ECC_CURVE_SECP384R1:
      return "P-384";
    case GNUTLS_ECC_CURVE_SECP521R1:
      return "P-521";
    default:
      break;
  }
  const char* name = gnutls_ecc_curve_get_name(curve);
  return name != nullptr ? name : "an unknown curve";
}

std::string key_text(gnutls_x509_crt_t crt) {
  unsigned bits = 0;
  const int algorithm = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
  if (algorithm < 0) return "a key that cannot be read";
  if (algorithm == GNUTLS_PK_ECDSA) {
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    Datum x;
    Datum y;
    if (gnutls_x509_crt_get_pk_ecc_raw(crt, &curve, x.get(), y.get()) == 0) {
      return curve_name(curve);
    }
  }
  const char* name = gnutls_pk_get_name(static_cast<gnutls_pk_algorithm_t>(algorithm));
  const std::string text = name != nullptr ? name : "unknown";
  const bool has_one_size =
      algorithm == GNUTLS_PK_EDDSA_ED25519 || algorithm == GNUTLS_PK_EDDSA_ED448;
  return has_one_size ? text : text + " " + std::to_string(bits);
}

std::vector<std::string> names_in(gnutls_x509_crt_t crt) {
  std::vector<std::string> names;
  for (const auto& [type, value] : alternative_names(crt)) {
    switch (type) {
      case GNUTLS_SAN_DNSNAME:
        names.push_back("DNS:" + printable(value));
        break;
      case GNUTLS_SAN_IPADDRESS:
        names.push_back("IP:" + address_text(value));
        break;
      case GNUTLS_SAN_RFC822NAME:
        names.push_back("email:" + printable(value));
        break;
      case GNUTLS_SAN_URI:
        names.push_back("uri:" + printable(value, 500));
        break;
      default:
        break;
    }
  }
  return names;
}

// ---- what could be missing

std::string issuer_url_of(gnutls_x509_crt_t crt) {
  for (unsigned i = 0;; ++i) {
    Datum url;
    const int error = gnutls_x509_crt_get_authority_info_access(crt, i, GNUTLS_IA_CAISSUERS_URI,
                                                                url.get(), nullptr);
    if (error == 0) return printable(url.view());
    if (error != GNUTLS_E_UNKNOWN_ALGORITHM) return {};  // that one is an OCSP responder
  }
}

// Loads all of the store, which only a report may cost: megabytes, and milliseconds.
bool is_in_system_store(gnutls_x509_crt_t crt) {
  gnutls_x509_trust_list_t raw = nullptr;
  if (gnutls_x509_trust_list_init(&raw, 0) < 0) return false;
  const TrustListHandle list(raw);
  if (gnutls_x509_trust_list_add_system_trust(raw, 0, 0) <= 0) return false;
  const auto issuer = anchor_above(raw, crt);
  return issuer != nullptr && has_signed(issuer, crt);
}

void find_missing(const Judgement& judgement, Examination& found) {
  const auto anchors = judgement.policy.anchors ? judgement.anchors() : nullptr;
  const auto top = judgement.chain.path_of_names(anchors).back();
  const bool is_root = is_self_issued(top);
  found.missing_issuer = is_root ? subject_of(top) : issuer_of(top);
  found.is_self_signed = is_root && top == judgement.chain.leaf();
  found.lacks_intermediate = !is_root && judgement.chain.size() == 1;
  found.issuer_url = issuer_url_of(top);
  const bool uses_system = judgement.policy.anchors->name() == "the system's trust store";
  found.system_has_issuer = !uses_system && is_in_system_store(top);
}

// ---- all faults

class Faults {
 public:
  void add(const Reason& reason) {
    if (reason) add(reason->failure);
  }
  void add(const Failure& failure) {
    const bool is_known = std::ranges::any_of(list_, [&](const Failure& known) {
      return known.kind == failure.kind && known.text == failure.text;
    });
    if (!is_known) list_.push_back(failure);
  }
  [[nodiscard]] std::vector<Failure> take() { return std::move(list_); }

 private:
  std::vector<Failure> list_;
};

// GnuTLS ends at the first fault of a chain, and says no more than that there was one: the dates
// and keys of the certificates are looked at whatever it says.
void add_chain_faults(Judgement& judgement, Faults& faults) {
  faults.add(chain_fails(judgement));
  const unsigned status = judgement.path.status();
  if (status == 0) return;
  for (const unsigned bit :
       {GNUTLS_CERT_SIGNER_NOT_FOUND, GNUTLS_CERT_PURPOSE_MISMATCH, GNUTLS_CERT_SIGNATURE_FAILURE,
        GNUTLS_CERT_SIGNER_NOT_CA, GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE,
        GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS}) {
    if ((status & bit) != 0) faults.add(explain(judgement, bit).failure);
  }
  for (const auto crt : suspects(judgement)) {
    faults.add(outside_its_dates(judgement, crt));
    faults.add(too_weak(judgement, crt));
  }
}

// In the order of verify_peer, so that the first one is what a connection would be refused for.
std::vector<Failure> all_faults(Judgement& judgement) {
  using config::Verify;
  const auto& policy = judgement.policy;
  Faults faults;
  if (policy.verify == Verify::none) return {};
  if (policy.verify == Verify::pin) {
    faults.add(outside_its_dates(judgement, judgement.chain.leaf()));
    faults.add(pin_fails(judgement));
    return faults.take();
  }
  add_chain_faults(judgement, faults);
  if (policy.verify == Verify::full) faults.add(name_fails(judgement));
  if (!policy.pins.empty() || !policy.peers.empty()) faults.add(pin_fails(judgement));
  if (!judgement.path.certificates().empty()) faults.add(revocation_fails(judgement));
  return faults.take();
}

// ---- the path

void describe_path(const Judgement& judgement, Examination& found) {
  const auto& verified = judgement.path.certificates();
  found.is_trusted = !verified.empty();
  const auto anchors = judgement.policy.anchors ? judgement.anchors() : nullptr;
  const auto path = found.is_trusted ? verified : judgement.chain.path_of_names(anchors);
  for (const auto crt : path) found.path.push_back(facts_of(crt));
  if (found.is_trusted) found.anchor = judgement.policy.anchors->name();
  const auto shown = judgement.chain.pointers();
  found.is_used.assign(shown.size(), false);
  std::ptrdiff_t last = -1;
  for (const auto crt : path) {
    const auto at = std::ranges::find(shown, crt);
    if (at == shown.end()) continue;
    const auto index = std::distance(shown.begin(), at);
    // Nobody needs to be sent the root; the leaf may be its own anchor.
    const bool is_root = crt != path.front() && is_self_issued(crt);
    if (is_root) continue;
    found.is_used[static_cast<std::size_t>(index)] = true;
    found.is_out_of_order |= index < last;
    last = index;
  }
}

// When a stapled response was made; 0 when there is none.
std::time_t staple_made(gnutls_session_t session) {
  gnutls_datum_t response{};
  if (gnutls_ocsp_status_request_get2(session, 0, &response) < 0 || response.size == 0) return 0;
  gnutls_ocsp_resp_t raw = nullptr;
  if (gnutls_ocsp_resp_init(&raw) < 0) return 0;
  const OcspResponse parsed(raw);
  if (gnutls_ocsp_resp_import(raw, &response) < 0) return 0;
  return std::max<std::time_t>(gnutls_ocsp_resp_get_produced(raw), 0);
}

}  // namespace

CertificateFacts facts_of(gnutls_x509_crt_t crt) {
  CertificateFacts facts;
  facts.subject = subject_of(crt);
  facts.issuer = issuer_of(crt);
  facts.names = names_in(crt);
  facts.key = key_text(crt);
  facts.not_before = gnutls_x509_crt_get_activation_time(crt);
  facts.not_after = gnutls_x509_crt_get_expiration_time(crt);
  facts.spki = base64(spki_sha256(crt));
  facts.der = der_of(crt);
  return facts;
}

std::string pem_of(const CertificateFacts& certificate) {
  const auto der = lend(certificate.der);
  Datum pem;
  if (gnutls_pem_base64_encode2("CERTIFICATE", &der, pem.get()) < 0) return {};
  return std::string(pem.view());
}

// GnuTLS's verification is made once, as in verify_peer; what follows from it is looked at to the
// end instead of to the first fault.
Examination examine(gnutls_session_t session, const VerifyPolicy& policy, const Peer& peer,
                    std::time_t now) {
  Examination found;
  const Chain chain(session);
  if (policy.needs_psk || chain.empty()) {
    found.faults = {verify_peer(session, policy, peer, now).failure};
    if (found.faults.front().kind == Kind::ok) found.faults.clear();
    return found;
  }
  for (const auto crt : chain.pointers()) found.shown.push_back(facts_of(crt));
  Verdict good;
  Judgement judgement{session, policy, peer, chain, now, good, {}};
  found.faults = all_faults(judgement);
  describe_path(judgement, found);
  if ((judgement.path.status() & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0) {
    find_missing(judgement, found);
  }
  found.staple_made = staple_made(session);
  found.ocsp_until = good.ocsp_until;
  return found;
}

}  // namespace tunnel::x509
