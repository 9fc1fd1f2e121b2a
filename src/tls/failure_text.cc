// SPDX-License-Identifier: MIT
#include "tls/failure_text.h"

#include <gnutls/gnutls.h>

#include "base/text.h"
#include "tls/plaintext_text.h"

namespace tunnel::tls {
namespace {

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

// Their numbers are no range of their own: between and behind them are those of other things.
bool is_of_token(int gnutls_error) {
  return (gnutls_error <= GNUTLS_E_PKCS11_ERROR && gnutls_error >= GNUTLS_E_PKCS11_USER_ERROR &&
          gnutls_error != GNUTLS_E_PARSING_ERROR && gnutls_error != GNUTLS_E_LOCKING_ERROR) ||
         gnutls_error == GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE;
}

}  // namespace

Failure wrong_version(std::string_view target, unsigned server_version) {
  const auto name = version_name(server_version);
  std::string sentence(target);
  sentence += name.empty() ? " chose a TLS version that was not offered"
                           : " speaks " + name + ", which is not accepted";
  return {Kind::tls_version, sentence + "; see tls.min_version and tls.max_version"};
}

Failure handshake_failed(std::string_view target, int gnutls_error) {
  std::string sentence =
      "TLS handshake with " + std::string(target) + " failed: " + gnutls_strerror(gnutls_error);
  if (is_of_token(gnutls_error)) {
    return {.kind = Kind::tls_failed,
            .text = sentence +
                    "; the token with the client key (tls.key) could not sign: is it still there, "
                    "and may the user that the tunnel runs as use it?",
            .is_local = true};
  }
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
    case GNUTLS_E_NO_APPLICATION_PROTOCOL:
      sentence += "; the server chose one that is not in tls.alpn";
      break;
    case GNUTLS_E_UNEXPECTED_PACKET:
    case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
    case GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET:
    case GNUTLS_E_RECORD_OVERFLOW:
    case GNUTLS_E_DECRYPTION_FAILED:
    case GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER:
    case GNUTLS_E_ILLEGAL_PARAMETER:
      sentence += "; the server, or something on the way to it, does not keep to the protocol";
      break;
    default:
      break;
  }
  return {Kind::tls_failed, std::move(sentence)};
}

Failure record_failed(std::string_view target, int gnutls_error) {
  return {Kind::tls_failed, "TLS session with " + std::string(target) +
                                " broke: " + gnutls_strerror(gnutls_error) +
                                "; the server, or something on the way to it, changed the bytes"};
}

Failure protocol_broken(std::string_view target, std::string_view sent) {
  return {Kind::tls_failed,
          "TLS session with " + std::string(target) + " broke: the server sent " +
              std::string(sent) +
              "; it, or something on the way to it, does not keep to the protocol"};
}

Failure renegotiation_began(std::string_view target) {
  return {Kind::tls_failed, "TLS session with " + std::string(target) +
                                " broke: the server began a TLS 1.2 renegotiation in "
                                "mid-connection" +
                                std::string(kNoRenegotiation)};
}

std::string renegotiation_ignored(std::string_view target) {
  return std::string(target) + " asked for a TLS 1.2 renegotiation" + std::string(kNoRenegotiation);
}

Failure resumed_without_fresh_keys(std::string_view target) {
  return {
      Kind::tls_failed,
      std::string(target) +
          " resumed a TLS 1.3 session without fresh keys (psk_ke), which is not accepted: let it "
          "use psk_dhe_ke, or set tls.resumption = false"};
}

Failure not_in_list(std::string_view target, std::string_view what, std::string_view chosen,
                    std::string_view key) {
  return {Kind::tls_failed, std::string(target) + " chose the " + std::string(what) + ' ' +
                                std::string(chosen) + ", which is not in " + std::string(key)};
}

Failure no_fresh_keys(std::string_view target) {
  return {Kind::tls_failed,
          std::string(target) +
              " wants to use the pre-shared key of TLS 1.3 without fresh keys, so that "
              "all traffic could be read by anyone who learns it later"};
}

Failure too_many_warnings(std::string_view target) {
  return {Kind::tls_failed, std::string(target) + " sends warning alerts without end"};
}

Failure out_of_room(std::string_view target) {
  return {Kind::tls_failed, "TLS session with " + std::string(target) +
                                " had to send more than its output buffer holds"};
}

Failure cannot_begin(std::string_view target, int gnutls_error) {
  return {Kind::tls_failed, "TLS session with " + std::string(target) +
                                " cannot begin: " + gnutls_strerror(gnutls_error)};
}

Failure closed_in_handshake(std::string_view target, Silence how, bool said_anything) {
  std::string sentence(target);
  sentence += how == Silence::reset ? " reset the connection" : " closed the connection";
  sentence += said_anything ? " in the middle of the TLS handshake"
                            : " during the TLS handshake without a word";
  if (!said_anything) sentence += port_advice(target);
  return {Kind::tls_closed, std::move(sentence)};
}

Failure ended_without_goodbye(std::string_view target, Silence how, Renegotiation renegotiation) {
  const std::string after =
      renegotiation == Renegotiation::ignored
          ? "; before, it asked for a TLS 1.2 renegotiation" + std::string(kNoRenegotiation)
          : std::string();
  if (how == Silence::reset) {
    return {Kind::reset_by_server, std::string(target) + " reset the connection" + after};
  }
  return {Kind::truncated, std::string(target) +
                               " closed the connection without TLS's close_notify; what it sent "
                               "may have been cut off" +
                               after};
}

Failure handshake_timeout(std::string_view target, Millis after, bool said_anything) {
  std::string sentence(target);
  sentence += said_anything ? " did not finish the TLS handshake within "
                            : " accepted the connection but said nothing to the TLS handshake for ";
  sentence += format_duration(after);
  if (!said_anything) sentence += port_advice(target);
  return {Kind::tls_timeout, std::move(sentence)};
}

}  // namespace tunnel::tls
