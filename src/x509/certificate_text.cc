// SPDX-License-Identifier: MIT
#include "x509/certificate_text.h"

#include "x509/x509_text.h"

namespace tunnel::x509 {
namespace {

std::string text(std::string_view a) { return std::string(a); }

// Names come printable and cut where they were read.
std::string named(std::string_view a) { return '"' + std::string(a) + '"'; }

// `"a"`, `"a" or "b"`, `"a", "b" or "c"`.
std::string any_of(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += i + 1 == names.size() ? " or " : ", ";
    list += named(names[i]);
  }
  return list;
}

}  // namespace

std::string certificate_of(std::string_view target) { return "certificate of " + text(target); }

std::string ca_certificate_of(std::string_view target, std::string_view subject) {
  return "CA certificate " + named(subject) + " above the certificate of " + text(target);
}

Failure no_certificate(std::string_view target) {
  return {Kind::cert_untrusted, text(target) + " showed no certificate that can be read"};
}

Failure psk_not_used(std::string_view target) {
  return {Kind::cert_untrusted,
          text(target) +
              " passed over the pre-shared key and showed a certificate, which nothing was "
              "configured to check; it may not know the identity (tls.psk_identity), or set tls.ca "
              "if certificates are to be trusted, too"};
}

Failure expired(std::string_view certificate, std::time_t end, std::time_t now) {
  return {Kind::cert_expired, text(certificate) + " expired on " + date_text(end) + " (" +
                                  span_text(now - end) +
                                  " ago); it has to be renewed on the server"};
}

Failure not_yet_valid(std::string_view certificate, std::time_t begin, std::time_t now) {
  return {Kind::cert_not_yet_valid, text(certificate) + " is not valid before " + date_text(begin) +
                                        " (in " + span_text(begin - now) +
                                        "); is the clock right? Here it is " + date_text(now)};
}

Failure weak(std::string_view certificate, std::string_view what, gnutls_sec_param_t level) {
  const auto bits = gnutls_sec_param_to_symmetric_bits(level);
  const auto rsa = gnutls_sec_param_to_pk_bits(GNUTLS_PK_RSA, level);
  const auto curve = gnutls_sec_param_to_pk_bits(GNUTLS_PK_ECDSA, level);
  std::string sentence = text(certificate) + ' ' + text(what) + ", which is too weak (" +
                         std::to_string(bits) +
                         " bits of strength are required); it has to be replaced by one with an "
                         "RSA key of at least " +
                         std::to_string(rsa) + " bits or an elliptic curve key";
  // No smaller curve is in use, so a smaller bound would not help the reader.
  constexpr unsigned kSmallestInUse = 256;
  if (curve >= kSmallestInUse) sentence += " of at least " + std::to_string(curve) + " bits";
  sentence += bits <= 128   ? ", signed with SHA-256"
              : bits <= 192 ? ", signed with SHA-384"
                            : ", signed with SHA-512";
  return {Kind::cert_weak, std::move(sentence)};
}

Failure weak_somewhere(std::string_view target) {
  return {Kind::cert_weak,
          certificate_of(target) +
              " has a key or a signature in its chain that is too weak for GnuTLS as it is set up "
              "on this machine; it has to be replaced by a stronger one"};
}

Failure costly(std::string_view certificate, std::string_view what) {
  return {Kind::cert_weak,
          text(certificate) + ' ' + text(what) +
              ", which would hold up all other connections while it is used; RSA keys of at most "
              "16384 bits with an exponent of at most 64 bits are accepted: it has to be replaced"};
}

Failure too_many_certificates(std::string_view target, std::size_t count, std::size_t most) {
  return {Kind::cert_untrusted,
          text(target) + " showed " + std::to_string(count) + " certificates, and at most " +
              std::to_string(most) +
              " are accepted; it should send its own and the intermediate CAs' that lead to the "
              "root, and no others"};
}

Failure self_signed(std::string_view target, std::string_view subject, std::string_view anchors,
                    std::string_view pin) {
  return {Kind::cert_untrusted,
          certificate_of(target) + " is self-signed (" + named(subject) + ") and not in " +
              text(anchors) + "; if it is the right one, put it in tls.ca, or set tls.verify = " +
              "\"pin\" and tls.pin = \"sha256:" + text(pin) + "\""};
}

Failure unknown_issuer(std::string_view target, std::string_view issuer, std::string_view anchors,
                       std::size_t chain_length) {
  std::string sentence = certificate_of(target) + " leads to the issuer " + named(issuer) +
                         ", which is not in " + text(anchors) +
                         "; put the certificate of that CA in tls.ca";
  if (chain_length == 1) {
    sentence += " (or, if that is an intermediate CA, make the server send its certificate)";
  }
  return {Kind::cert_untrusted, std::move(sentence)};
}

Failure bad_chain(std::string_view target, std::string_view why) {
  return {Kind::cert_untrusted, certificate_of(target) + " is not trusted: " + text(why)};
}

Failure wrong_purpose(std::string_view target) {
  return {Kind::cert_untrusted,
          certificate_of(target) +
              " may not be used by a TLS server: its extended key usage lacks serverAuth; it has "
              "to be issued anew for a server"};
}

Failure wrong_name(std::string_view target, std::string_view names_in_certificate,
                   const std::vector<std::string>& wanted) {
  std::string sentence = certificate_of(target);
  sentence += names_in_certificate.empty() ? " names no host at all"
                                           : " is for " + text(names_in_certificate);
  sentence += ", not " + (wanted.empty() ? "any expected name" : any_of(wanted));
  return {Kind::cert_name_mismatch, sentence + "; set tls.name if that is the server you mean"};
}

Failure address_as_text(std::string_view target, std::string_view address) {
  return {Kind::cert_name_mismatch,
          certificate_of(target) + " has the address " + named(address) +
              " only as text, in its common name or as a DNS name, where an address does not "
              "count: it has to be among the subject alternative names as an IP address (OpenSSL: "
              "subjectAltName = IP:" +
              text(address) + "); have it issued anew, or set tls.name to a DNS name that it has"};
}

Failure wrong_key_usage(std::string_view target, std::string_view usage,
                        std::string_view exchange) {
  return {Kind::cert_key_usage,
          certificate_of(target) + " may not be used for " + text(exchange) +
              ": its key usage lacks " + text(usage) +
              "; have it issued anew with digitalSignature (and keyEncipherment, for old clients), "
              "or set tls.allow_key_usage_violation = true"};
}

Failure wrong_pin(std::string_view target, std::string_view actual_sha256_base64) {
  return {Kind::pin_mismatch, certificate_of(target) +
                                  " has the public key sha256:" + text(actual_sha256_base64) +
                                  ", which is not in tls.pin; if the server got a new key on "
                                  "purpose, put it there"};
}

Failure wrong_peer(std::string_view target, std::string_view subject,
                   std::string_view actual_sha256_base64, std::string_view instead) {
  return {Kind::pin_mismatch, certificate_of(target) + " is " +
                                  (subject.empty() ? "without a subject" : text(subject)) +
                                  " with the key sha256:" + text(actual_sha256_base64) + ", but " +
                                  text(instead) +
                                  "; if the server's certificate was changed on purpose, put the "
                                  "new one there"};
}

Failure revoked(std::string_view certificate, std::time_t when, std::string_view by) {
  std::string sentence = text(certificate) + " was revoked";
  if (when > 0) sentence += " on " + date_text(when);
  return {Kind::cert_revoked,
          sentence + ", says " + text(by) + "; the server needs a new certificate"};
}

Failure crl_missing(std::string_view certificate, std::string_view issuer) {
  return {Kind::crl_unusable, "tls.crl holds no CRL of " + named(issuer) + ", so the " +
                                  text(certificate) + " cannot be checked; add the CRL of that CA"};
}

Failure crl_unusable(std::string_view certificate, std::string_view issuer, std::string_view why) {
  return {Kind::crl_unusable, "the CRL of " + named(issuer) + " " + text(why) + ", so the " +
                                  text(certificate) + " cannot be checked; fetch a new CRL"};
}

Failure ocsp_failed(std::string_view target, std::string_view why, std::string_view what_to_do) {
  return {Kind::ocsp_failed, text(target) + ' ' + text(why) + "; " + text(what_to_do)};
}

}  // namespace tunnel::x509
