// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "preamble/starttls.h"
#include "talking.h"

namespace tunnel::preamble::mailbox_test {
namespace {

std::unique_ptr<Conversation> pop3() { return pop3_starttls(mail()); }
std::unique_ptr<Conversation> imap() { return imap_starttls(mail()); }
std::unique_ptr<Conversation> sieve() { return sieve_starttls(mail()); }

const std::string kSieveGreeting =
    "\"IMPLEMENTATION\" \"Example\"\r\n\"SASL\" \"\"\r\n\"STARTTLS\"\r\nOK \"ready\"\r\n";

}  // namespace

TEST_CASE("pop3: the greeting is passed on as it is, APOP timestamp and all") {
  const Course course = talk(pop3, {"+OK ready <1896.697170952@example>\r\n", "+OK Begin TLS\r\n"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == "STLS\r\n");
  CHECK(course.greeting == "+OK ready <1896.697170952@example>\r\n");
}

TEST_CASE("pop3: refusals carry the server's own words") {
  CHECK(talk(pop3, {"-ERR [SYS/TEMP] later\r\n"}).failure.text ==
        "mail.example.com:25 greeted us with a refusal: -ERR [SYS/TEMP] later");
  CHECK(talk(pop3, {"+OK\r\n", "-ERR TLS support is not enabled\r\n"}).failure.text ==
        "mail.example.com:25 refused STLS: -ERR TLS support is not enabled");
  CHECK(contains(talk(pop3, {"220 smtp\r\n"}).failure.text, "SMTP or FTP"));
  CHECK(talk(pop3, {"+OK\r\n", "* what\r\n"}).status == Status::failed);
}

TEST_CASE("pop3 and imap: plaintext behind the go-ahead is refused") {
  const Course p = talk_once(pop3, {server("+OK\r\n"), server("+OK\r\n+OK\r\n")});
  CHECK(contains(p.failure.text, "5 bytes in the clear"));
  const Course i = talk_once(imap, {server("* OK\r\n"), server("tunnel1 OK\r\n* 1 EXISTS\r\n")});
  CHECK(contains(i.failure.text, "12 bytes in the clear"));
  CHECK(i.failure.kind == Kind::starttls_refused);
}

TEST_CASE("imap: STARTTLS and LOGINDISABLED vanish from the greeting's capabilities") {
  const Course course =
      talk(imap, {"* OK [CAPABILITY IMAP4rev1 STARTTLS ID LOGINDISABLED] ready STARTTLS\r\n",
                  "* CAPABILITY IMAP4rev1\r\n* OK still here\r\ntunnel1 OK Begin TLS\r\n"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == "tunnel1 STARTTLS\r\n");
  CHECK(course.greeting == "* OK [CAPABILITY IMAP4rev1 ID] ready STARTTLS\r\n");
}

TEST_CASE("imap: greetings without a capability list pass unchanged") {
  for (const std::string line : {"* OK ready\r\n", "* ok [ALERT] CAPABILITY STARTTLS]\r\n",
                                 "* OK [CAPABILITY STARTTLS\r\n", "* OK\r\n"}) {
    CAPTURE(line);
    CHECK(imap_greeting_without_starttls(line) == line);
    CHECK(talk(imap, {line, "tunnel1 OK\r\n"}).greeting == line);
  }
  CHECK(imap_greeting_without_starttls("* OK [capability starttls loginDisabled] x\r\n") ==
        "* OK [capability ] x\r\n");
}

// Python's imaplib reads what follows as the literal: a piece of the server's first answer.
TEST_CASE("imap: a greeting that announces a literal is refused") {
  for (const std::string line : {"* OK hi {300}\r\n", "* OK [ALERT] {7+}\r\n", "* OK {1} \r\n"}) {
    const Course course = talk_once(imap, {server(line)});
    CHECK(course.failure.kind == Kind::starttls_refused);
    CHECK(contains(course.failure.text, "announces a literal where none can be"));
  }
  for (const std::string line : {"* OK {x}\r\n", "* OK {}\r\n", "* OK }\r\n", "* OK {1} x\r\n"}) {
    CHECK(talk(imap, {line, "tunnel1 OK\r\n"}).greeting == line);
  }
}

TEST_CASE("pop3 and imap: control characters in a greeting are shown as blanks") {
  CHECK(talk(pop3, {"+OK a\r+OK b\n", "+OK\r\n"}).greeting == "+OK a +OK b\r\n");
  CHECK(talk(imap, {"* OK a\r* BYE b\r\n", "tunnel1 OK\r\n"}).greeting == "* OK a * BYE b\r\n");
}

TEST_CASE("imap: PREAUTH, BYE, NO and BAD are refusals") {
  CHECK(contains(talk(imap, {"* PREAUTH welcome\r\n"}).failure.text, "PREAUTH"));
  CHECK(talk(imap, {"* BYE overloaded\r\n"}).failure.text ==
        "mail.example.com:25 refused us: BYE overloaded");
  CHECK(talk(imap, {"* OK hi\r\n", "* BYE going down\r\n"}).failure.text ==
        "mail.example.com:25 refused us: BYE going down");
  CHECK(talk(imap, {"* OK hi\r\n", "tunnel1 NO not today\r\n"}).failure.text ==
        "mail.example.com:25 refused STARTTLS: NO not today");
  CHECK(talk(imap, {"* OK hi\r\n", "tunnel1 BAD command\r\n"}).status == Status::failed);
  CHECK(talk(imap, {"* OK hi\r\n", "tunnel1 OKAY\r\n"}).status == Status::failed);
  CHECK(talk(imap, {"* OK hi\r\n", "tunnel10 OK\r\n"}).status == Status::failed);
  CHECK(talk(imap, {"* OK hi\r\n", "+ go on\r\n"}).status == Status::failed);
}

TEST_CASE("sieve: the greeting in the clear is kept back, for TLS brings another") {
  const Course course = talk(sieve, {kSieveGreeting, "OK \"Begin TLS\"\r\n"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == "STARTTLS\r\n");
  CHECK(course.greeting.empty());
}

TEST_CASE("sieve: literals are read whole, and what stands in them is no answer") {
  const Course course = talk(sieve, {"\"IMPLEMENTATION\" {12+}\r\nOK\r\nNO\r\n\"x\" \r\n"
                                     "\"NOTIFY\" {0}\r\n\r\n"
                                     "{8}\r\nSTARTTLS\r\nOK\r\n",
                                     "OK (TAG {2}\r\nab)\r\n"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == "STARTTLS\r\n");
}

TEST_CASE("sieve: refusals carry the server's own words, quoted or as a literal") {
  CHECK(talk(sieve, {kSieveGreeting, "NO (TRYLATER) \"busy\"\r\n"}).failure.text ==
        "mail.example.com:25 refused STARTTLS: NO (TRYLATER) \"busy\"");
  CHECK(talk(sieve, {kSieveGreeting, "NO {5}\r\nnever\r\n"}).failure.text ==
        "mail.example.com:25 refused STARTTLS: NO \"never\"");
  CHECK(talk(sieve, {"BYE(REFERRAL \"sieve://x\") \"go away\"\r\n"}).failure.text ==
        "mail.example.com:25 greeted us with a refusal: BYE(REFERRAL \"sieve://x\") \"go away\"");
  CHECK(talk(sieve, {"\"SIEVE\" \"fileinto\"\r\nOK\r\n"}).failure.text ==
        "mail.example.com:25 does not offer STARTTLS");
  CHECK(talk(sieve, {"* OK imap\r\n"}).status == Status::failed);
  CHECK(contains(
      talk_once(sieve, {server(kSieveGreeting), server("OK\r\n\"SASL\"\r\n")}).failure.text,
      "8 bytes in the clear"));
}

TEST_CASE("sieve: a literal that never ends fails at 64 KiB") {
  auto conversation = sieve();
  (void)conversation->on_start();
  Step step = conversation->on_server(as_bytes("\"X\" {999999999}\r\n"));
  const std::string line(1000, 'x');
  for (int i = 0; i < 100 && step.status == Status::again; ++i) {
    step = conversation->on_server(as_bytes(line + "\n"));
  }
  CHECK(step.status == Status::failed);
  CHECK(contains(step.failure.text, "more than 64 KiB"));
}

}  // namespace tunnel::preamble::mailbox_test
