// SPDX-License-Identifier: MIT
#include "tls/greeting.h"

#include <strings.h>

#include <algorithm>

namespace tunnel::tls {
namespace {

unsigned octet_or_zero(Bytes bytes, std::size_t i) {
  return i < bytes.size() ? std::to_integer<unsigned>(bytes[i]) : 0;
}

bool contains_word(std::string_view text, std::string_view word) {
  const auto equal = [](char a, char b) { return ::strncasecmp(&a, &b, 1) == 0; };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), equal) != text.end();
}

// SMTP, LMTP and FTP all greet with 220.
Protocol protocol_of_220(std::string_view line, std::uint16_t port) {
  if (contains_word(line, "lmtp")) return Protocol::lmtp;
  if (contains_word(line, "smtp") || contains_word(line, "mail")) return Protocol::smtp;
  if (contains_word(line, "ftp") || contains_word(line, "filezilla")) return Protocol::ftp;
  return port == 21 ? Protocol::ftp : Protocol::smtp;
}

// A server's first packet: length (3 bytes, little endian), sequence 0, then protocol 10 and the
// version as text, or an error (0xff), for instance about a host that may not connect.
bool is_mysql(Bytes greeting) {
  if (greeting.size() < 5 || octet_or_zero(greeting, 1) > 3 || octet_or_zero(greeting, 2) != 0 ||
      octet_or_zero(greeting, 3) != 0) {
    return false;
  }
  return octet_or_zero(greeting, 4) == 10 || octet_or_zero(greeting, 4) == 0xff;
}

// ErrorResponse: 'E', a length (4 bytes, big endian), then fields that begin with 'S' (severity).
bool is_pgsql(Bytes greeting) {
  return octet_or_zero(greeting, 0) == 'E' && greeting.size() > 5 &&
         octet_or_zero(greeting, 1) == 0 && octet_or_zero(greeting, 2) == 0 &&
         octet_or_zero(greeting, 5) == 'S';
}

}  // namespace

bool may_be_tls(Bytes first) {
  if (first.empty()) return true;
  const unsigned type = octet_or_zero(first, 0);
  return type >= 20 && type <= 23 && (first.size() < 2 || octet_or_zero(first, 1) == 3);
}

Protocol protocol_of_greeting(Bytes greeting, std::uint16_t port) {
  const auto text = as_text(greeting);
  const auto line = text.substr(0, text.find_first_of("\r\n"));
  if (text.starts_with("220")) return protocol_of_220(line, port);
  // Refusals of mail and FTP servers, which may come in place of the greeting.
  if (text.starts_with("421") || text.starts_with("554")) return protocol_of_220(line, port);
  if (text.starts_with("* OK") || text.starts_with("* PREAUTH") || text.starts_with("* BYE")) {
    return Protocol::imap;
  }
  if (text.starts_with("+OK")) return Protocol::pop3;
  if (text.starts_with("-ERR")) {
    return port == 110 || port == 995 ? Protocol::pop3 : Protocol::redis;
  }
  if (text.starts_with("SSH-")) return Protocol::ssh;
  if (text.starts_with("HTTP/") || contains_word(line, "<html") ||
      contains_word(line, "<!doctype html")) {
    return Protocol::http;
  }
  if (text.starts_with("200 ") || text.starts_with("201 ")) return Protocol::nntp;
  if (text.starts_with("\"IMPLEMENTATION\"")) return Protocol::sieve;
  if (text.starts_with("<?xml") || text.starts_with("<stream")) return Protocol::xmpp;
  if (text.starts_with("RFB ")) return Protocol::vnc;
  if (is_mysql(greeting)) return Protocol::mysql;
  if (is_pgsql(greeting)) return Protocol::pgsql;
  if (octet_or_zero(greeting, 0) == 0x30) return Protocol::ldap;  // a BER SEQUENCE
  // A two-byte length with the high bit set, then SERVER-HELLO.
  if (octet_or_zero(greeting, 0) >= 0x80 && octet_or_zero(greeting, 2) == 4) return Protocol::ssl2;
  return Protocol::unknown;
}

Protocol protocol_of_port(std::uint16_t port) {
  switch (port) {
    case 21:
      return Protocol::ftp;
    case 22:
      return Protocol::ssh;
    case 24:
      return Protocol::lmtp;
    case 25:
    case 587:
      return Protocol::smtp;
    case 80:
    case 8080:
      return Protocol::http;
    case 110:
      return Protocol::pop3;
    case 119:
      return Protocol::nntp;
    case 143:
      return Protocol::imap;
    case 389:
      return Protocol::ldap;
    case 3306:
      return Protocol::mysql;
    case 4190:
      return Protocol::sieve;
    case 5222:
    case 5269:
      return Protocol::xmpp;
    case 5432:
      return Protocol::pgsql;
    case 5900:
      return Protocol::vnc;
    case 6379:
      return Protocol::redis;
    default:
      return Protocol::unknown;
  }
}

}  // namespace tunnel::tls
