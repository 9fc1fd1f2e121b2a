// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "preamble/starttls.h"
#include "talking.h"

namespace tunnel::preamble::coded_test {
namespace {

std::unique_ptr<Conversation> smtp() { return smtp_starttls(mail(), "client.example.com"); }

std::unique_ptr<Conversation> lmtp() { return lmtp_starttls(mail(), "me"); }
std::unique_ptr<Conversation> nntp() { return nntp_starttls(mail()); }
std::unique_ptr<Conversation> ftp() { return ftp_starttls(mail()); }

const std::string kGreeting = "220-mail.example.com ESMTP\r\n220 be nice\r\n";
const std::string kHello =
    "250-mail.example.com\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 SIZE 1\r\n";

}  // namespace

TEST_CASE("smtp: asks for STARTTLS after EHLO and passes the whole greeting on") {
  const Course course = talk(smtp, {kGreeting, kHello, "220 2.0.0 Ready\r\n"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == "EHLO client.example.com\r\nSTARTTLS\r\n");
  CHECK(course.greeting == kGreeting);
  CHECK(course.to_client.empty());  // not before the target is established
}

TEST_CASE("smtp: keywords in any case, and lines that end in LF alone, are understood") {
  const Course course = talk(smtp, {"220 hi\n", "250-x\n250 starttls\n", "220\n"});
  CHECK(course.status == Status::done);
  CHECK(course.greeting == "220 hi\r\n");
}

TEST_CASE("smtp: a server without STARTTLS is refused, and its own name is no keyword") {
  const Course course = talk(smtp, {kGreeting, "250-STARTTLS\r\n250-XSTARTTLS\r\n250 SIZE\r\n"});
  CHECK(course.status == Status::failed);
  CHECK(course.failure.kind == Kind::starttls_refused);
  CHECK(course.failure.text == "mail.example.com:25 does not offer STARTTLS");
  CHECK_FALSE(course.failure.is_local);
}

TEST_CASE("smtp: refusals carry the server's own words") {
  const Course greeting = talk(smtp, {"554-No\r\n554 5.7.1 not \x1b[31mwelcome\r\n"});
  CHECK(greeting.failure.text ==
        "mail.example.com:25 greeted us with a refusal: 554 No 5.7.1 not \\x1b[31mwelcome");
  const Course hello = talk(smtp, {kGreeting, "502 what?\r\n"});
  CHECK(hello.failure.text == "mail.example.com:25 refused EHLO: 502 what?");
  const Course command = talk(smtp, {kGreeting, kHello, "454 4.7.0 TLS not available\r\n"});
  CHECK(command.failure.text ==
        "mail.example.com:25 refused STARTTLS: 454 4.7.0 TLS not available");
  CHECK(command.failure.kind == Kind::starttls_refused);
}

TEST_CASE("smtp: words are cut before they fill the log") {
  const Course course = talk_once(smtp, {server("554 " + std::string(4000, 'x') + "\r\n")});
  CHECK(course.failure.text.size() < 300);
  CHECK(course.failure.text.ends_with("..."));
}

TEST_CASE("smtp: plaintext behind the go-ahead is refused") {
  const Course course =
      talk_once(smtp, {server(kGreeting), server(kHello), server("220 go\r\n250 injected\r\n")});
  CHECK(course.status == Status::failed);
  CHECK(course.failure.kind == Kind::starttls_refused);
  CHECK(contains(course.failure.text, "sent 14 bytes in the clear"));
  CHECK(contains(course.failure.text, "250 injected"));
  CHECK(course.greeting.empty());
}

TEST_CASE("smtp: a peer of another protocol is named") {
  CHECK(contains(talk(smtp, {"* OK IMAP4rev1\r\n"}).failure.text, "looks like an IMAP server"));
  CHECK(contains(talk(smtp, {"SSH-2.0-OpenSSH\r\n"}).failure.text, "an SSH server"));
  CHECK(contains(talk(smtp, {"2200 no\r\n"}).failure.text, "said \"2200 no\""));
  CHECK(contains(talk(smtp, {"\r\n"}).failure.text, "SMTP greeting"));
}

TEST_CASE("smtp: an end in the middle says what was awaited, and recognises a TLS alert") {
  for (const End end : {End::eof, End::reset}) {
    auto conversation = smtp();
    (void)conversation->on_start();
    const Step step = conversation->on_server_end(end);
    CHECK(step.status == Status::failed);
    CHECK(contains(step.failure.text, end == End::eof ? "closed" : "reset"));
    CHECK(contains(step.failure.text, "waiting for its SMTP greeting"));
  }
  auto conversation = smtp();
  (void)conversation->on_start();
  CHECK(conversation->on_server(as_bytes(hex("15 03 01 00 02 02 46"))).status == Status::again);
  CHECK(contains(conversation->on_server_end(End::eof).failure.text, "remove starttls"));
}

TEST_CASE("smtp: a line over 8 KiB and a reply over 64 KiB fail, however they are cut") {
  const std::string long_line = "220 " + std::string(kMaxLine, 'x') + "\r\n";
  const Course whole = talk_once(smtp, {server(long_line)});
  CHECK(whole.status == Status::failed);
  CHECK(contains(whole.failure.text, "a line of more than 8 KiB"));
  const Course unended = talk_once(smtp, {server(std::string(kMaxLine + 1, '2'))});
  CHECK(unended.status == Status::failed);

  auto conversation = smtp();
  (void)conversation->on_start();
  std::size_t sent = 0;
  Step step;
  while (step.status == Status::again) {
    step = conversation->on_server(as_bytes("220-and so on and so on and so on\r\n"));
    ++sent;
    REQUIRE(sent < 10'000);
  }
  CHECK(step.status == Status::failed);
  CHECK(contains(step.failure.text, "more than 64 KiB"));
  CHECK(sent == kMaxConversation / 35 + 1);
}

TEST_CASE("smtp: a line of just 8 KiB is fine") {
  const std::string line = "220 " + std::string(kMaxLine - 6, 'x') + "\r\n";
  REQUIRE(line.size() == kMaxLine);
  const Course course = talk_once(smtp, {server(line), server(kHello), server("220 go\r\n")});
  CHECK(course.status == Status::done);
  CHECK(course.greeting == line);
}

TEST_CASE("lmtp: greets with LHLO") {
  const Course course = talk(lmtp, {"220 lmtp\r\n", "250-x\r\n250 STARTTLS\r\n", "220 go\r\n"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == "LHLO me\r\nSTARTTLS\r\n");
}

TEST_CASE("nntp: both greetings are welcome, and 382 means go") {
  for (const std::string greeting : {"200 posting allowed\r\n", "201 read only\r\n"}) {
    const Course course = talk(nntp, {greeting, "382 Continue\r\n"});
    CHECK(course.status == Status::done);
    CHECK(course.to_server == "STARTTLS\r\n");
    CHECK(course.greeting == greeting);
  }
  CHECK(talk(nntp, {"400 busy\r\n"}).failure.text ==
        "mail.example.com:25 greeted us with a refusal: 400 busy");
  CHECK(talk(nntp, {"200 hi\r\n", "580 no key\r\n"}).failure.text ==
        "mail.example.com:25 refused STARTTLS: 580 no key");
}

TEST_CASE("ftp: waits through 120, takes free text inside a reply, and asks for AUTH TLS") {
  const std::string greeting = "220-Welcome\r\n 230 files here\r\n42 x\r\n220-\r\n220 go on\r\n";
  const Course course = talk(ftp, {"120 in 2 minutes\r\n", greeting, "234 AUTH TLS OK\r\n"});
  CHECK(course.status == Status::done);
  CHECK(course.to_server == "AUTH TLS\r\n");
  // The application would take the second reply for the answer to its first command.
  CHECK(course.greeting == greeting);
  CHECK(talk(ftp, {"220 hi\r\n", "504 no\r\n"}).failure.text ==
        "mail.example.com:25 refused AUTH TLS: 504 no");
  CHECK(talk(ftp, {"220 hi\r\n", "200 sure\r\n"}).status == Status::failed);
}

// Whoever is on the way may add to what comes in the clear; the application, which is talking to a
// server without STARTTLS, must not take any of it for an answer to a question of its own.
TEST_CASE("greetings: lines that are replies of their own to the application are refused") {
  const struct {
    Make make;
    std::string greeting;
    std::string refused;
  } kCases[] = {
      {smtp, "220-mx\r\n250-AUTH PLAIN\r\n220 mx\r\n", "250-AUTH PLAIN"},
      {smtp, "220-mx\r\nfree text\r\n220 mx\r\n", "free text"},
      {smtp, "220-mx\r\n220x\r\n220 mx\r\n", "220x"},
      {smtp, "220-mx\r\n221\r\n220 mx\r\n", "221"},
      {smtp, "220-mx\r\n\r\n220 mx\r\n", ""},
      {lmtp, "220-mx\r\n235 welcome\r\n220 mx\r\n", "235 welcome"},
      {nntp, "200-news\r\n281 welcome\r\n200 news\r\n", "200-news"},
      {nntp, "200-news\r\n200 news\r\n", "200-news"},
      {ftp, "220-ftp\r\n230 logged in\r\n220 ftp\r\n", "230 logged in"},
      {ftp, "220-ftp\r\n230-logged in\r\n220 ftp\r\n", "230-logged in"},
      {ftp, "220-ftp\r\n220x\r\n220 ftp\r\n", "220x"},
      {ftp, "220-ftp\r\n2200\r\n220 ftp\r\n", "2200"},
  };
  for (const auto& one : kCases) {
    CAPTURE(one.greeting);
    const Course course = talk_once(one.make, {server(one.greeting)});
    CHECK(course.status == Status::failed);
    CHECK(course.failure.kind == Kind::starttls_refused);
    CHECK(contains(course.failure.text, "said \"" + one.refused + "\""));
    CHECK(course.greeting.empty());
    CHECK(course.to_client.empty());
  }
}

TEST_CASE("greetings: a refused line inside one is told from a server of another protocol") {
  CHECK(talk_once(smtp, {server("220-mx\r\n250 AUTH PLAIN\r\n")}).failure.text ==
        "mail.example.com:25 said \"250 AUTH PLAIN\" inside a reply that began with 220; it may "
        "have been inserted on the way, so it is refused");
}

TEST_CASE("greetings: a code without any text ends a reply") {
  CHECK(talk(smtp, {"220-mx\r\n220\r\n", kHello, "220 go\r\n"}).greeting == "220-mx\r\n220\r\n");
}

TEST_CASE("greetings: control characters are shown as blanks, so that no client sees a line end") {
  const std::string tail = "\r\n";
  const std::string evil = std::string(" a\r230 in\x0b\x0c\0\x7f z", 15);
  const std::string shown = " a 230 in     z";
  CHECK(talk(ftp, {"220" + evil + tail, "234 go\r\n"}).greeting == "220" + shown + tail);
  CHECK(talk(nntp, {"200" + evil + tail, "382 go\r\n"}).greeting == "200" + shown + tail);
  CHECK(talk(smtp, {"220" + evil + tail, kHello, "220 go\r\n"}).greeting == "220" + shown + tail);
  CHECK(talk(ftp, {"220-a\r\n\r230 in\r\n220 b\r\r\n", "234 go\r\n"}).greeting ==
        "220-a\r\n 230 in\r\n220 b\r\n");
}

}  // namespace tunnel::preamble::coded_test
