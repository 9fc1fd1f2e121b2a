// SPDX-License-Identifier: MIT
#include "tls/greeting.h"

#include <doctest/doctest.h>

#include <string>

namespace tunnel::tls::greeting_test {
namespace {

Protocol greets(std::string_view text, std::uint16_t port = 12345) {
  return protocol_of_greeting(as_bytes(text), port);
}

}  // namespace

TEST_CASE("greetings give their protocol away") {
  CHECK(greets("220 mail.example.com ESMTP Postfix (Debian)\r\n") == Protocol::smtp);
  CHECK(greets("220 mx ready\r\n", 587) == Protocol::smtp);
  CHECK(greets("554 5.7.1 mx SMTP go away\r\n") == Protocol::smtp);
  CHECK(greets("220 mail LMTP server ready\r\n") == Protocol::lmtp);
  CHECK(greets("220 (vsFTPd 3.0.3)\r\n") == Protocol::ftp);
  CHECK(greets("220 ready\r\n", 21) == Protocol::ftp);
  CHECK(greets("* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n") == Protocol::imap);
  CHECK(greets("+OK Dovecot ready.\r\n") == Protocol::pop3);
  CHECK(greets("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n") == Protocol::ssh);
  CHECK(greets("HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n") == Protocol::http);
  CHECK(greets("<html><head><title>400</title>") == Protocol::http);
  CHECK(greets("200 news.example.com InterNetNews ready\r\n") == Protocol::nntp);
  CHECK(greets("201 no posting\r\n") == Protocol::nntp);
  CHECK(greets("\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n") == Protocol::sieve);
  CHECK(greets("<?xml version='1.0'?><stream:stream") == Protocol::xmpp);
  CHECK(greets("-ERR unknown command\r\n", 6379) == Protocol::redis);
  CHECK(greets("RFB 003.008\n") == Protocol::vnc);
  // Packet of 0x4a bytes, sequence 0, protocol 10.
  CHECK(greets(std::string("\x4a\x00\x00\x00\x0a", 5) + "5.5.5-10.11.6-MariaDB") ==
        Protocol::mysql);
  CHECK(greets(std::string("\x45\x00\x00\x00\xff\x6a\x04", 7) + "Host is not allowed") ==
        Protocol::mysql);
  CHECK(greets(std::string("E\x00\x00\x00\x8fSFATAL", 11)) == Protocol::pgsql);
  // A notice of disconnection (RFC 4511).
  CHECK(greets(std::string("\x30\x24\x02\x01\x00\x78\x1f", 7)) == Protocol::ldap);
  CHECK(greets(std::string("\x80\x2e\x04\x00\x01\x00\x02", 7)) == Protocol::ssl2);
}

TEST_CASE("what gives nothing away stays unknown") {
  CHECK(greets("") == Protocol::unknown);
  CHECK(greets("hello") == Protocol::unknown);
  CHECK(greets(std::string(300, '\0')) == Protocol::unknown);
  CHECK(greets("2") == Protocol::unknown);
}

TEST_CASE("records may be TLS as far as they go") {
  CHECK(may_be_tls(as_bytes("")));
  CHECK(may_be_tls(as_bytes("\x16")));
  CHECK(may_be_tls(as_bytes("\x16\x03")));
  CHECK(may_be_tls(as_bytes("\x15\x03\x01")));
  CHECK_FALSE(may_be_tls(as_bytes("\x16\x02")));
  CHECK_FALSE(may_be_tls(as_bytes("\x18\x03")));
  CHECK_FALSE(may_be_tls(as_bytes("HTTP")));
}

TEST_CASE("ports have their usual protocol") {
  CHECK(protocol_of_port(389) == Protocol::ldap);
  CHECK(protocol_of_port(5432) == Protocol::pgsql);
  CHECK(protocol_of_port(3306) == Protocol::mysql);
  CHECK(protocol_of_port(587) == Protocol::smtp);
  CHECK(protocol_of_port(636) == Protocol::unknown);
}

}  // namespace tunnel::tls::greeting_test
