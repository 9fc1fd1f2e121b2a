// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "preamble/starttls.h"
#include "preamble/xml_scanner.h"
#include "talking.h"

namespace tunnel::preamble::xmpp_test {
namespace {

std::unique_ptr<Conversation> xmpp() {
  return xmpp_starttls({.who = "im.example.com:5222"}, "it's <example>.com");
}

const std::string kHeader =
    "<?xml version='1.0'?>\n<stream:stream xmlns='jabber:client' "
    "xmlns:stream=\"http://etherx.jabber.org/streams\" id='a>b' version='1.0'>";
const std::string kFeatures =
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"
    "</stream:features>";
const std::string kProceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

}  // namespace

TEST_CASE("xmpp: opens a stream, asks for TLS, and shows the client nothing") {
  const Course course = talk(xmpp, {kHeader + kFeatures, kProceed});
  CHECK(course.status == Status::done);
  CHECK(course.to_server ==
        "<?xml version='1.0'?><stream:stream to='it&apos;s &lt;example>.com' xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  CHECK(course.greeting.empty());
}

TEST_CASE("xmpp: empty elements, comments, white space and other prefixes are understood") {
  const Course course =
      talk(xmpp, {" <?xml version='1.0'?><!-- <starttls> -- > -->\r\n<s:stream>",
                  "\n<s:features>\t<t:starttls\n/> <![CDATA[</s:features>]]></s:features >\n",
                  "\n<t:proceed></t:proceed>"});
  CHECK(course.status == Status::done);
}

TEST_CASE("xmpp: a server that does not offer TLS is refused") {
  CHECK(talk(xmpp, {kHeader + "<stream:features/>"}).failure.text ==
        "im.example.com:5222 does not offer STARTTLS");
  // Elsewhere than right inside the features it is no offer.
  CHECK(talk(xmpp, {kHeader + "<features><x><starttls/></x></features>"}).failure.text ==
        "im.example.com:5222 does not offer STARTTLS");
  CHECK(talk(xmpp, {kHeader + "<starttls/>"}).status == Status::failed);
}

TEST_CASE("xmpp: failures and stream errors carry the server's own words") {
  CHECK(
      talk(xmpp, {kHeader + kFeatures, "<failure xmlns='urn:x'/></stream:stream>"}).failure.text ==
      "im.example.com:5222 refused STARTTLS (failure)");
  const Course course =
      talk(xmpp, {kHeader + "<stream:error><host-unknown xmlns='urn:x'/><text xml:lang='en'>This "
                            "server does not serve it</text></stream:error></stream:stream>"});
  CHECK(course.failure.text ==
        "im.example.com:5222 refused us: host-unknown (This server does not serve it)");
  CHECK(contains(talk(xmpp, {kHeader + "</stream:stream>"}).failure.text, "closed the stream"));
  CHECK(contains(talk(xmpp, {"<stream:stream/>"}).failure.text, "closed the stream"));
  CHECK(contains(talk(xmpp, {"</x>"}).failure.text, "had not opened"));
}

TEST_CASE("xmpp: proceed before it was asked for is no go-ahead") {
  CHECK(talk(xmpp, {kHeader + kProceed}).status == Status::failed);
  CHECK(talk(xmpp, {kHeader + "<a><proceed/></a>"}).status == Status::failed);
}

TEST_CASE("xmpp: plaintext behind proceed is refused") {
  const Course course =
      talk_once(xmpp, {server(kHeader + kFeatures), server(kProceed + "<stream:features/>")});
  CHECK(course.failure.kind == Kind::starttls_refused);
  CHECK(contains(course.failure.text, "18 bytes in the clear"));
}

TEST_CASE("xmpp: another server is told apart") {
  CHECK(contains(talk_once(xmpp, {server("HTTP/1.1 400 Bad\r\n")}).failure.text, "HTTP server"));
  CHECK(contains(talk(xmpp, {"<html>"}).failure.text, "with <html>"));
  CHECK(talk_once(xmpp, {server("* OK imap <stream:stream>")}).status == Status::failed);
}

TEST_CASE("xmpp: a tag over 8 KiB and 64 KiB of features fail") {
  const Course tag =
      talk_once(xmpp, {server("<stream:stream x='" + std::string(9000, '>') + "'>")});
  CHECK(contains(tag.failure.text, "an XML tag of more than 8 KiB"));
  std::string many = kHeader + "<features>";
  while (many.size() < 70'000) many += "<x>text that nobody needs</x>";
  const Course course = talk_once(xmpp, {server(many)});
  CHECK(contains(course.failure.text, "more than 64 KiB"));
  // Text without any tag counts as well.
  CHECK(talk_once(xmpp, {server(kHeader), server(std::string(70'000, ' '))}).status ==
        Status::failed);
}

TEST_CASE("xml scanner: quotation marks hide brackets in tags but not in comments") {
  XmlScanner scanner;
  const std::string text = "<!-- it's --><a b='>' c=\"'>\" d/>rest";
  Bytes bytes = as_bytes(text);
  const auto tag = scanner.next(bytes);
  REQUIRE(tag);
  CHECK(tag->name == "a");
  CHECK(tag->form == XmlScanner::Form::empty);
  CHECK(as_text(bytes) == "rest");
}

}  // namespace tunnel::preamble::xmpp_test
