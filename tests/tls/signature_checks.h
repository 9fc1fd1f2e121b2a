// SPDX-License-Identifier: MIT
// Counts what this program asks of GnuTLS that costs work with keys: a test is not to depend on how
// fast the machine is. The functions are replaced for the whole test program, and pass on.
#pragma once

namespace tunnel::tls::test {

struct SignatureChecks {
  int of_certificates = 0;  // gnutls_x509_crt_verify
  int of_lists = 0;         // gnutls_x509_crl_verify
  int of_chains = 0;        // gnutls_x509_trust_list_verify_crt2, by itself bounded
};
extern SignatureChecks signature_checks;

}  // namespace tunnel::tls::test
