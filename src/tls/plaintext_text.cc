// SPDX-License-Identifier: MIT
#include "tls/plaintext_text.h"

#include <charconv>
#include <cstdint>

#include "base/text.h"
#include "tls/greeting.h"

namespace tunnel::tls {
namespace {

constexpr std::size_t kExcerptLimit = 120;

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
  if (!plaintext.tls_port.empty()) {
    hint = "; its usual TLS port is " + std::string(plaintext.tls_port);
  }
  if (const std::string_view word = starttls_word(plaintext.protocol); !word.empty()) {
    hint += "; if the server upgrades to TLS on this port, set starttls = \"" + std::string(word) +
            "\"";
  }
  return hint;
}

const Plaintext* find(Protocol protocol) {
  for (const auto& entry : kPlaintexts) {
    if (entry.protocol == protocol) return &entry;
  }
  return nullptr;
}

}  // namespace

std::string port_advice(std::string_view target) {
  const auto port = port_of(target);
  const auto* plaintext = find(protocol_of_port(port));
  if (plaintext == nullptr) return {};
  return "; port " + std::to_string(port) + " is usually plaintext " +
         std::string(plaintext->name) + advice(*plaintext);
}

std::string_view fitting_starttls(Bytes said, std::string_view target) {
  const auto* plaintext = find(protocol_of_greeting(said, port_of(target)));
  if (plaintext == nullptr) plaintext = find(protocol_of_port(port_of(target)));
  return plaintext == nullptr ? std::string_view() : starttls_word(plaintext->protocol);
}

Failure not_tls(std::string_view target, Bytes said) {
  const auto* plaintext = find(protocol_of_greeting(said, port_of(target)));
  const auto excerpt = as_text(said);
  const auto line = excerpt.substr(0, excerpt.find_first_of("\r\n"));
  std::string sentence = std::string(target) + " does not speak TLS: it said \"" +
                         printable(line, kExcerptLimit) + "\"";
  if (plaintext != nullptr) {
    sentence += ", which looks like plaintext " + std::string(plaintext->name) + advice(*plaintext);
  }
  return {Kind::not_tls, std::move(sentence)};
}

}  // namespace tunnel::tls
