// SPDX-License-Identifier: MIT
// What a Session makes of the server's certificates beside judging them: what must not reach
// GnuTLS, what GnuTLS is asked to overlook, and what is told afterwards.

#include "tls/session_impl.h"
#include "x509/certificate_text.h"
#include "x509/chain.h"
#include "x509/examination.h"
#include "x509/fingerprint.h"
#include "x509/shown_certificates.h"
#include "x509/x509_text.h"

namespace tunnel::tls {

int Session::Impl::certificates_came(std::string_view message) {
  const auto raw = session.get();
  const auto form = gnutls_protocol_get_version(raw) >= GNUTLS_TLS1_3
                        ? x509::CertificateForm::tls13
                        : x509::CertificateForm::tls12;
  if (auto verdict = x509::refuse_at_sight(message, form, target)) {
    (void)fail_with_alert(std::move(verdict->failure), verdict->alert);
    return GNUTLS_E_CERTIFICATE_ERROR;
  }
  if (context.allows_key_usage_violation) {
    // What GnuTLS calls compatibility holds more than this. By now the hellos have been exchanged,
    // so that none of the rest has an effect: extensions, padding, record sizes.
    gnutls_session_enable_compatibility_mode(raw);
    is_lenient = true;
  }
  return 0;
}

// The server's key has been used. Setting the priorities anew takes all of the mode back.
void Session::Impl::end_leniency() {
  if (!is_lenient) return;
  is_lenient = false;
  (void)gnutls_priority_set(session.get(), context.offer.attempts[attempt].priority.get());
}

Failure Session::Impl::key_usage_failure() const {
  const auto raw = session.get();
  if (gnutls_protocol_get_version(raw) >= GNUTLS_TLS1_3) {
    return x509::wrong_key_usage(target, "digitalSignature", "TLS 1.3");
  }
  const auto exchange = gnutls_kx_get(raw);
  const std::string name = gnutls_kx_get_name(exchange);
  const bool encrypts = exchange == GNUTLS_KX_RSA || exchange == GNUTLS_KX_RSA_PSK;
  return x509::wrong_key_usage(target, encrypts ? "keyEncipherment" : "digitalSignature",
                               "the key exchange " + name);
}

std::time_t Session::certificate_not_after() const {
  const auto raw = impl_->session.get();
  if (!impl_->established || gnutls_auth_get_type(raw) != GNUTLS_CRD_CERTIFICATE) return 0;
  const std::time_t end = gnutls_certificate_expiration_time_peers(raw);
  return end == static_cast<std::time_t>(-1) ? 0 : end;
}

std::optional<x509::CertificateFacts> Session::certificate() const {
  const auto raw = impl_->session.get();
  if (!impl_->established || gnutls_auth_get_type(raw) != GNUTLS_CRD_CERTIFICATE) return {};
  const x509::Chain chain(raw);
  if (chain.empty()) return {};
  return x509::facts_of(chain.leaf());
}

const std::shared_ptr<const x509::TrustedPath>& Session::trusted_path() const {
  return impl_->path;
}

std::string Session::certificate_fingerprint() const {
  const auto raw = impl_->session.get();
  if (!impl_->established || gnutls_auth_get_type(raw) != GNUTLS_CRD_CERTIFICATE) return {};
  unsigned count = 0;
  const gnutls_datum_t* certificates = gnutls_certificate_get_peers(raw, &count);
  if (count == 0) return {};
  return x509::sha256_text(
      {reinterpret_cast<const char*>(certificates->data), std::size_t{certificates->size}});
}

std::string ocsp_text(const Negotiated& negotiated) {
  return negotiated.ocsp_until == 0 ? "none"
                                    : "good until " + x509::timestamp(negotiated.ocsp_until);
}

}  // namespace tunnel::tls
