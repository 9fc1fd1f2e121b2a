// SPDX-License-Identifier: MIT
#include "tls/alert_text.h"

#include <gnutls/gnutls.h>

#include "base/text.h"

namespace tunnel::tls {
namespace {

bool is_about_client_certificate(std::uint8_t alert) {
  switch (alert) {
    case GNUTLS_A_BAD_CERTIFICATE:
    case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
    case GNUTLS_A_CERTIFICATE_REVOKED:
    case GNUTLS_A_CERTIFICATE_EXPIRED:
    case GNUTLS_A_CERTIFICATE_UNKNOWN:
    case GNUTLS_A_UNKNOWN_CA:
    case GNUTLS_A_ACCESS_DENIED:
    case GNUTLS_A_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

// What an alert usually means for the one who gets it.
std::string_view meaning(std::uint8_t alert) {
  switch (alert) {
    case GNUTLS_A_HANDSHAKE_FAILURE:
    case GNUTLS_A_INSUFFICIENT_SECURITY:
      return "it accepts nothing of what was offered: see tls.ciphers, tls.groups and "
             "tls.min_version";
    case GNUTLS_A_PROTOCOL_VERSION:
      return "it speaks none of the TLS versions offered: see tls.min_version and tls.max_version";
    case GNUTLS_A_UNRECOGNIZED_NAME:
      return "it does not know the server name it was asked for: see tls.sni";
    case GNUTLS_A_NO_APPLICATION_PROTOCOL:
      return "it speaks none of the protocols in tls.alpn";
    case GNUTLS_A_UNKNOWN_PSK_IDENTITY:
      return "it does not know the PSK identity";
    case GNUTLS_A_DECRYPT_ERROR:
      return "a signature or a key did not check out on its side";
    case GNUTLS_A_RECORD_OVERFLOW:
    case GNUTLS_A_UNEXPECTED_MESSAGE:
    case GNUTLS_A_DECODE_ERROR:
    case GNUTLS_A_ILLEGAL_PARAMETER:
    case GNUTLS_A_BAD_RECORD_MAC:
      return "it could not make sense of what it received: something between us may have changed "
             "it, or the server has a bug";
    case GNUTLS_A_INTERNAL_ERROR:
      return "something went wrong inside it: its log should say what";
    case GNUTLS_A_USER_CANCELED:
      return "it gave the connection up";
    case GNUTLS_A_MISSING_EXTENSION:
    case GNUTLS_A_UNSUPPORTED_EXTENSION:
      return "it wants other TLS extensions";
    default:
      return "its log should say why";
  }
}

std::string alert_name(std::uint8_t alert) {
  std::string name;
  // GnuTLS's enumeration has no room for more.
  const bool may_have_name = alert < 128;
  const char* symbol =
      may_have_name ? gnutls_alert_get_strname(static_cast<gnutls_alert_description_t>(alert))
                    : nullptr;
  if (symbol != nullptr) {
    // GNUTLS_A_HANDSHAKE_FAILURE: the RFC's name in capitals, after a prefix.
    std::string_view rest(symbol);
    if (rest.starts_with("GNUTLS_A_")) rest.remove_prefix(9);
    for (const char c : rest) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  const auto number = std::to_string(static_cast<int>(alert));
  return name.empty() ? "number " + number : name + " (" + number + ")";
}

// What an alert usually means for the one who offered a pre-shared key; "" when nothing special.
std::string about_psk(std::uint8_t alert, std::string_view identity) {
  const std::string name = '"' + printable(identity) + '"';
  switch (alert) {
    case GNUTLS_A_UNKNOWN_PSK_IDENTITY:
      return "it does not know the identity " + name + ": see tls.psk_identity and tls.psk_file";
    case GNUTLS_A_DECRYPT_ERROR:
    case GNUTLS_A_BAD_RECORD_MAC:
    case GNUTLS_A_ILLEGAL_PARAMETER:
      return "it probably has another key for the identity " + name + " than tls.psk_file";
    case GNUTLS_A_HANDSHAKE_FAILURE:
    case GNUTLS_A_INSUFFICIENT_SECURITY:
      return "it probably does not know the identity " + name +
             " (tls.psk_identity), or accepts nothing of what was offered (tls.ciphers)";
    default:
      return {};
  }
}

// What an alert says about the certificate that the server was shown; "" when it says nothing.
std::string_view complaint(std::uint8_t alert) {
  switch (alert) {
    case GNUTLS_A_UNKNOWN_CA:
      return ": it does not trust the CA that issued it, or lacks a certificate between the two "
             "(tls.cert may hold those, too)";
    case GNUTLS_A_CERTIFICATE_EXPIRED:
      return ": it has expired";
    case GNUTLS_A_CERTIFICATE_REVOKED:
      return ": it was revoked";
    case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
      return ": it is of a kind that the server does not accept, or is not meant for clients";
    case GNUTLS_A_ACCESS_DENIED:
      return ": it is valid, but its holder may not connect";
    case GNUTLS_A_CERTIFICATE_REQUIRED:
      return ": as if it had got none";
    default:
      return ": the server's log should say why";
  }
}

Failure certificate_rejected(std::string_view target, std::uint8_t alert,
                             const AlertContext& context) {
  const std::string with_alert = " with the alert " + alert_name(alert);
  if (context.certificate.empty()) {
    return {Kind::client_cert_rejected,
            std::string(target) +
                (context.certificate_requested ? " wants a client certificate and refused to go on "
                                                 "without one"
                                               : " probably wants a client certificate: it refused "
                                                 "to go on") +
                with_alert + "; set tls.cert and tls.key"};
  }
  if (!context.certificate_requested) {
    return {Kind::client_cert_rejected,
            std::string(target) + " refused the connection" + with_alert +
                ", before it asked for the client certificate " + std::string(context.certificate)};
  }
  return {Kind::client_cert_rejected, std::string(target) + " refused the client certificate " +
                                          std::string(context.certificate) + with_alert +
                                          std::string(complaint(alert))};
}

}  // namespace

Failure alert_received(std::string_view target, std::uint8_t alert, const AlertContext& context) {
  const auto name = alert_name(alert);
  if (context.renegotiation == Renegotiation::ignored) {
    return {Kind::tls_alert, std::string(target) + " ended the session with the alert " + name +
                                 ", after it had asked for a TLS 1.2 renegotiation" +
                                 std::string(kNoRenegotiation)};
  }
  // Servers that want a certificate and get none, or one they do not like, use one of the alerts
  // about certificates, or vague ones: OpenSSL says handshake_failure and GnuTLS decode_error in
  // TLS 1.2, where our certificate is the only thing left to dislike once it was asked for.
  const bool vague = context.certificate_requested &&
                     (!context.established || alert == GNUTLS_A_HANDSHAKE_FAILURE);
  if (!context.data_received && (is_about_client_certificate(alert) || vague)) {
    return certificate_rejected(target, alert, context);
  }
  if (!context.psk_identity.empty() && !context.data_received) {
    const auto about = about_psk(alert, context.psk_identity);
    if (!about.empty()) {
      return {Kind::tls_alert,
              std::string(target) + " refused the handshake with the alert " + name + ": " + about};
    }
  }
  const Kind kind = alert == GNUTLS_A_PROTOCOL_VERSION && !context.established ? Kind::tls_version
                                                                               : Kind::tls_alert;
  return {kind, std::string(target) +
                    (context.established ? " ended the session" : " refused the handshake") +
                    " with the alert " + name + ": " + std::string(meaning(alert))};
}

}  // namespace tunnel::tls
