// SPDX-License-Identifier: MIT
// libFuzzer target for certificates before anything is verified: what a Certificate message shows
// at sight, and what reports, pages and sentences say of a certificate. The first byte chooses what
// the rest is: the body of a message of TLS 1.2 or 1.3, a certificate in DER, or a trusted one of
// OpenSSL.
//
// Found wrong: a crash, anything the sanitizers say, text that is not printable, names without end,
// a certificate that is another one once written and read.
#include <gnutls/x509.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "promise.h"
#include "x509/examination.h"
#include "x509/expected_name.h"
#include "x509/handles.h"
#include "x509/ocsp.h"
#include "x509/shown_certificates.h"
#include "x509/trusted_certificate.h"
#include "x509/x509_text.h"

namespace {

using namespace tunnel::x509;
using tunnel::require;
using tunnel::require_printable;

void look_at_message(std::string_view message, CertificateForm form) {
  if (const auto verdict = refuse_at_sight(message, form, "dc1.example.com:636")) {
    require_printable(verdict->failure.text);
  }
}

void describe(std::string_view der) {
  gnutls_x509_crt_t raw = nullptr;
  require(gnutls_x509_crt_init(&raw) == 0, "there is memory");
  const Certificate certificate(raw);
  const auto data = lend(der);
  if (gnutls_x509_crt_import(raw, &data, GNUTLS_X509_FMT_DER) < 0) return;
  const auto facts = facts_of(raw);
  for (const auto& text : {facts.subject, facts.issuer, facts.key, names_of(raw)}) {
    require_printable(text);
  }
  for (const auto& name : facts.names) require_printable(name);
  require_printable(date_text(facts.not_before));
  require_printable(timestamp(facts.not_after));
  for (const char* name : {"dc1.example.com", "10.0.0.1", "::1", "email:a@example.com", "uri:a:b"})
    require(!bears_name(raw, name) || !facts.names.empty() || !common_name_of(raw).empty(),
            "a name that it bears is one that it shows");
  (void)has_address_as_text(raw, "10.0.0.1");
  (void)must_staple(raw);

  const auto pem = pem_of(facts);
  gnutls_x509_crt_t again_raw = nullptr;
  require(gnutls_x509_crt_init(&again_raw) == 0, "there is memory");
  const Certificate again(again_raw);
  const auto written = lend(pem);
  require(gnutls_x509_crt_import(again_raw, &written, GNUTLS_X509_FMT_PEM) == 0,
          "PEM is read again");
  require(der_of(again_raw) == facts.der, "PEM holds what was there");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // A copy of the exact size, so that reading past it shows.
  const std::vector<char> exact(data + 1, data + size);
  const std::string_view rest(exact.data(), exact.size());
  switch (data[0] % 4) {
    case 0:
      look_at_message(rest, CertificateForm::tls12);
      break;
    case 1:
      look_at_message(rest, CertificateForm::tls13);
      break;
    case 2:
      describe(rest);
      break;
    default:
      if (const auto trusted = split_trusted(rest)) {
        require(rest.starts_with(trusted->der), "the certificate is the first part");
        describe(trusted->der);
      }
      break;
  }
  return 0;
}
