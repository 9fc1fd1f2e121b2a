// SPDX-License-Identifier: MIT
#include "preamble/talk.h"

#include <array>

#include "base/text.h"

namespace tunnel::preamble {
namespace {

struct Signature {
  std::string_view prefix;
  std::string_view name;
};

// The first two are how a TLS record begins: an alert or a handshake message, and the major
// version.
constexpr std::array<Signature, 8> kSignatures = {{
    {"\x15\x03", "TLS"},
    {"\x16\x03", "TLS"},
    {"* OK", "an IMAP server"},
    {"+OK", "a POP3 server"},
    {"SSH-", "an SSH server"},
    {"HTTP/", "an HTTP server"},
    {"220", "an SMTP or FTP server"},
    {"<?xml", "an XMPP server"},
}};

}  // namespace

Step send(std::string bytes) {
  Step step;
  step.to_server = std::move(bytes);
  return step;
}

Step done() {
  Step step;
  step.status = Status::done;
  return step;
}

Step failed(const Topic& topic, std::string_view what) {
  Step step;
  step.status = Status::failed;
  step.failure = {
      .kind = topic.kind, .text = topic.who + " " + std::string(what), .is_local = topic.is_local};
  return step;
}

Step ended(const Topic& topic, End end, const Conversation& conversation) {
  const std::string_view how = end == End::eof ? "closed the connection" : "reset the connection";
  return failed(topic,
                std::string(how) + " while we were waiting for " + conversation.waiting_for());
}

Step go_ahead(const Topic& topic, Bytes behind, std::string greeting) {
  if (!behind.empty()) {
    return failed(topic, "sent " + std::to_string(behind.size()) +
                             " bytes in the clear after it had agreed to TLS (" +
                             printable(as_text(behind), 60) +
                             "); they may have been inserted on the way, so they are refused");
  }
  Step step = done();
  step.greeting = std::move(greeting);
  return step;
}

void append(Step& so_far, Step&& more) {
  so_far.status = more.status;
  so_far.to_server += more.to_server;
  so_far.to_client += more.to_client;
  so_far.greeting += more.greeting;
  so_far.surplus = std::move(more.surplus);
  so_far.failure = std::move(more.failure);
}

std::string looks_like(std::string_view bytes) {
  for (const Signature& signature : kSignatures) {
    if (!bytes.starts_with(signature.prefix)) continue;
    std::string text = ", which looks like " + std::string(signature.name);
    if (signature.name == "TLS") text += ": if the port speaks TLS from the start, remove starttls";
    return text;
  }
  return {};
}

}  // namespace tunnel::preamble
