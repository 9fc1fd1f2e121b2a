// SPDX-License-Identifier: MIT
#include "signature_checks.h"

#include <dlfcn.h>
#include <gnutls/x509.h>

namespace tunnel::tls::test {

SignatureChecks signature_checks;

}  // namespace tunnel::tls::test

using tunnel::tls::test::signature_checks;

namespace {

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int gnutls_x509_crt_verify(gnutls_x509_crt_t crt, const gnutls_x509_crt_t* list, unsigned size,
                           unsigned flags, unsigned* status) {
  static auto* const real = next<decltype(gnutls_x509_crt_verify)>("gnutls_x509_crt_verify");
  ++signature_checks.of_certificates;
  return real(crt, list, size, flags, status);
}

int gnutls_x509_crl_verify(gnutls_x509_crl_t crl, const gnutls_x509_crt_t* list, unsigned size,
                           unsigned flags, unsigned* status) {
  static auto* const real = next<decltype(gnutls_x509_crl_verify)>("gnutls_x509_crl_verify");
  ++signature_checks.of_lists;
  return real(crl, list, size, flags, status);
}

int gnutls_x509_trust_list_verify_crt2(gnutls_x509_trust_list_t list, gnutls_x509_crt_t* chain,
                                       unsigned size, gnutls_typed_vdata_st* data,
                                       unsigned elements, unsigned flags, unsigned* status,
                                       gnutls_verify_output_function* function) {
  static auto* const real =
      next<decltype(gnutls_x509_trust_list_verify_crt2)>("gnutls_x509_trust_list_verify_crt2");
  ++signature_checks.of_chains;
  return real(list, chain, size, data, elements, flags, status, function);
}

}  // extern "C"
