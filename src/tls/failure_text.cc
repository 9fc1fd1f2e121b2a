// SPDX-License-Identifier: MIT
#include "tls/failure_text.h"

#include <gnutls/gnutls.h>

#include <charconv>

#include "base/text.h"

namespace tunnel::tls {
namespace {

constexpr std::size_t kExcerptLimit = 120;

std::string text(std::string_view a) { return std::string(a); }

std::uint16_t port_of(std::string_view target) {
  const auto colon = target.rfind(':');
  std::uint16_t port = 0;
  if (colon == std::string_view::npos) return 0;
  const auto digits = target.substr(colon + 1);
  (void)std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return port;
}

// What is to be said about a protocol that turned up in the place of TLS.
struct Plaintext {
  Protocol protocol;
  std::string_view name;
  std::string_view tls_port;  // where it speaks TLS from the first byte; "" for nowhere usual
};
constexpr Plaintext kPlaintexts[] = {
    {Protocol::ssl2, "SSL 2.0", ""},    {Protocol::smtp, "SMTP", "465"},
    {Protocol::lmtp, "LMTP", ""},       {Protocol::ftp, "FTP", "990"},
    {Protocol::imap, "IMAP", "993"},    {Protocol::pop3, "POP3", "995"},
    {Protocol::nntp, "NNTP", "563"},    {Protocol::sieve, "ManageSieve", ""},
    {Protocol::ssh, "SSH", ""},         {Protocol::http, "HTTP", "443"},
    {Protocol::ldap, "LDAP", "636"},    {Protocol::pgsql, "PostgreSQL", ""},
    {Protocol::mysql, "MySQL", ""},     {Protocol::xmpp, "XMPP", "5223"},
    {Protocol::redis, "Redis", "6380"}, {Protocol::vnc, "VNC", ""},
};

// The word of the `starttls` key; "" where there is no such upgrade.
std::string_view starttls_word(Protocol protocol) {
  switch (protocol) {
    case Protocol::smtp:
      return "smtp";
    case Protocol::lmtp:
      return "lmtp";
    case Protocol::ftp:
      return "ftp";
    case Protocol::imap:
      return "imap";
    case Protocol::pop3:
      return "pop3";
    case Protocol::nntp:
      return "nntp";
    case Protocol::sieve:
      return "sieve";
    case Protocol::ldap:
      return "ldap";
    case Protocol::pgsql:
      return "pgsql";
    case Protocol::mysql:
      return "mysql";
    case Protocol::xmpp:
      return "xmpp";
    default:
      return "";
  }
}

// The one place that says what to do about a plaintext protocol.
std::string advice(const Plaintext& plaintext) {
  std::string hint;
  if (!plaintext.tls_port.empty()) hint = "; its usual TLS port is " + text(plaintext.tls_port);
  if (const std::string_view word = starttls_word(plaintext.protocol); !word.empty()) {
    hint += "; if the server upgrades to TLS on this port, set starttls = \"" + std::string(word) +
            "\"";
  }
  return hint;
}

const Plaintext* find(Protocol protocol) {
  for (const auto& entry : kPlaintexts)
    if (entry.protocol == protocol) return &entry;
  return nullptr;
}

// For silence on a port where something else than TLS usually lives; "" for other ports.
std::string port_advice(std::string_view target) {
  const auto port = port_of(target);
  const auto* plaintext = find(protocol_of_port(port));
  if (plaintext == nullptr) return {};
  return "; port " + std::to_string(port) + " is usually plaintext " + text(plaintext->name) +
         advice(*plaintext);
}

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

std::string version_name(unsigned version) {
  switch (version) {
    case 0x0300:
      return "SSL 3.0";
    case 0x0301:
      return "TLS 1.0";
    case 0x0302:
      return "TLS 1.1";
    case 0x0303:
      return "TLS 1.2";
    case 0x0304:
      return "TLS 1.3";
    default:
      return {};
  }
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
  if (context.certificate.empty())
    return {Kind::client_cert_rejected,
            text(target) +
                (context.certificate_requested ? " wants a client certificate and refused to go on "
                                                 "without one"
                                               : " probably wants a client certificate: it refused "
                                                 "to go on") +
                with_alert + "; set tls.cert and tls.key"};
  if (!context.certificate_requested)
    return {Kind::client_cert_rejected, text(target) + " refused the connection" + with_alert +
                                            ", before it asked for the client certificate " +
                                            text(context.certificate)};
  return {Kind::client_cert_rejected, text(target) + " refused the client certificate " +
                                          text(context.certificate) + with_alert +
                                          text(complaint(alert))};
}

}  // namespace

// Behind "a TLS 1.2 renegotiation".
constexpr std::string_view kNoRenegotiation =
    ", which is never done: if it wants a client certificate, it has to ask for it in the "
    "handshake";

Failure alert_received(std::string_view target, std::uint8_t alert, const AlertContext& context) {
  const auto name = alert_name(alert);
  if (context.renegotiation == Renegotiation::ignored)
    return {Kind::tls_alert, text(target) + " ended the session with the alert " + name +
                                 ", after it had asked for a TLS 1.2 renegotiation" +
                                 text(kNoRenegotiation)};
  // Servers that want a certificate and get none, or one they do not like, use one of the alerts
  // about certificates, or vague ones: OpenSSL says handshake_failure and GnuTLS decode_error in
  // TLS 1.2, where our certificate is the only thing left to dislike once it was asked for.
  const bool vague = context.certificate_requested &&
                     (!context.established || alert == GNUTLS_A_HANDSHAKE_FAILURE);
  if (!context.data_received && (is_about_client_certificate(alert) || vague))
    return certificate_rejected(target, alert, context);
  if (!context.psk_identity.empty() && !context.data_received) {
    const auto about = about_psk(alert, context.psk_identity);
    if (!about.empty())
      return {Kind::tls_alert,
              text(target) + " refused the handshake with the alert " + name + ": " + about};
  }
  const Kind kind = alert == GNUTLS_A_PROTOCOL_VERSION ? Kind::tls_version : Kind::tls_alert;
  if (context.data_received)
    return {kind, text(target) + " ended the session with the alert " + name + ": " +
                      text(meaning(alert))};
  return {kind, text(target) +
                    (context.established ? " ended the session" : " refused the handshake") +
                    " with the alert " + name + ": " + text(meaning(alert))};
}

Failure wrong_version(std::string_view target, unsigned server_version) {
  const auto name = version_name(server_version);
  std::string sentence = text(target);
  sentence += name.empty() ? " chose a TLS version that was not offered"
                           : " speaks " + name + ", which is not accepted";
  return {Kind::tls_version, sentence + "; see tls.min_version and tls.max_version"};
}

Failure handshake_failed(std::string_view target, int gnutls_error) {
  std::string sentence =
      "TLS handshake with " + text(target) + " failed: " + gnutls_strerror(gnutls_error);
  if (gnutls_error <= GNUTLS_E_PKCS11_ERROR && gnutls_error > GNUTLS_E_PKCS11_ERROR - 30)
    return {.kind = Kind::tls_failed,
            .text = sentence +
                    "; the token with the client key (tls.key) could not sign: is it still there, "
                    "and may the user that the tunnel runs as use it?",
            .is_local = true};
  switch (gnutls_error) {
    case GNUTLS_E_UNKNOWN_CIPHER_SUITE:
    case GNUTLS_E_NO_CIPHER_SUITES:
    case GNUTLS_E_INSUFFICIENT_SECURITY:
    case GNUTLS_E_DH_PRIME_UNACCEPTABLE:
    case GNUTLS_E_ECC_UNSUPPORTED_CURVE:
    case GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM:
    case GNUTLS_E_UNWANTED_ALGORITHM:
      sentence +=
          "; the server insists on algorithms that are not accepted: see tls.ciphers and "
          "tls.groups";
      break;
    case GNUTLS_E_UNEXPECTED_PACKET:
    case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
    case GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET:
    case GNUTLS_E_RECORD_OVERFLOW:
    case GNUTLS_E_DECRYPTION_FAILED:
    case GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER:
      sentence += "; the server, or something on the way to it, does not keep to the protocol";
      break;
    default:
      break;
  }
  return {Kind::tls_failed, std::move(sentence)};
}

Failure record_failed(std::string_view target, int gnutls_error) {
  return {Kind::tls_failed, "TLS session with " + text(target) +
                                " broke: " + gnutls_strerror(gnutls_error) +
                                "; the server, or something on the way to it, changed the bytes"};
}

Failure protocol_broken(std::string_view target, std::string_view sent) {
  return {Kind::tls_failed,
          "TLS session with " + text(target) + " broke: the server sent " + text(sent) +
              "; it, or something on the way to it, does not keep to the protocol"};
}

Failure renegotiation_began(std::string_view target) {
  return {Kind::tls_failed, "TLS session with " + text(target) +
                                " broke: the server began a TLS 1.2 renegotiation in "
                                "mid-connection" +
                                text(kNoRenegotiation)};
}

std::string renegotiation_ignored(std::string_view target) {
  return text(target) + " asked for a TLS 1.2 renegotiation" + text(kNoRenegotiation);
}

Failure resumed_without_fresh_keys(std::string_view target) {
  return {Kind::tls_failed,
          text(target) +
              " resumed a TLS 1.3 session without fresh keys (psk_ke), which is not accepted: let it "
              "use psk_dhe_ke, or set tls.resumption = false"};
}

Failure not_in_list(std::string_view target, std::string_view what, std::string_view chosen,
                    std::string_view key) {
  return {Kind::tls_failed, text(target) + " chose the " + text(what) + ' ' + text(chosen) +
                                ", which is not in " + text(key)};
}

Failure no_fresh_keys(std::string_view target) {
  return {Kind::tls_failed,
          text(target) +
              " wants to use the pre-shared key of TLS 1.3 without fresh keys, so that "
              "all traffic could be read by anyone who learns it later"};
}

Failure too_many_warnings(std::string_view target) {
  return {Kind::tls_failed, text(target) + " sends warning alerts without end"};
}

Failure out_of_room(std::string_view target) {
  return {Kind::tls_failed,
          "TLS session with " + text(target) + " had to send more than its output buffer holds"};
}

Failure cannot_begin(std::string_view target, int gnutls_error) {
  return {Kind::tls_failed,
          "TLS session with " + text(target) + " cannot begin: " + gnutls_strerror(gnutls_error)};
}

Failure not_tls(std::string_view target, Bytes said) {
  const auto* plaintext = find(protocol_of_greeting(said, port_of(target)));
  const auto excerpt = as_text(said);
  const auto line = excerpt.substr(0, excerpt.find_first_of("\r\n"));
  std::string sentence =
      text(target) + " does not speak TLS: it said \"" + printable(line, kExcerptLimit) + "\"";
  if (plaintext != nullptr)
    sentence += ", which looks like plaintext " + text(plaintext->name) + advice(*plaintext);
  return {Kind::not_tls, std::move(sentence)};
}

Failure closed_in_handshake(std::string_view target, Silence how, bool said_anything) {
  std::string sentence = text(target);
  sentence += how == Silence::reset ? " reset the connection" : " closed the connection";
  sentence += said_anything ? " in the middle of the TLS handshake"
                            : " during the TLS handshake without a word";
  if (!said_anything) sentence += port_advice(target);
  return {Kind::tls_closed, std::move(sentence)};
}

Failure ended_without_goodbye(std::string_view target, Silence how, Renegotiation renegotiation) {
  const std::string after =
      renegotiation == Renegotiation::ignored
          ? "; before, it asked for a TLS 1.2 renegotiation" + text(kNoRenegotiation)
          : std::string();
  if (how == Silence::reset)
    return {Kind::reset_by_server, text(target) + " reset the connection" + after};
  return {Kind::truncated, text(target) +
                               " closed the connection without TLS's close_notify; what it sent "
                               "may have been cut off" +
                               after};
}

Failure handshake_timeout(std::string_view target, Millis after, bool said_anything) {
  std::string sentence = text(target);
  sentence += said_anything ? " did not finish the TLS handshake within "
                            : " accepted the connection but said nothing to the TLS handshake for ";
  sentence += format_duration(after);
  if (!said_anything) sentence += port_advice(target);
  return {Kind::tls_timeout, std::move(sentence)};
}

}  // namespace tunnel::tls
