// SPDX-License-Identifier: MIT
#include <string>
#include <string_view>

#include "config/cross_checks.h"

namespace tunnel::config {
namespace {

// What is said or decided for a client cannot be before there is one.
void check_preconnect(Document& document, const Service& service) {
  if (service.preconnect == 0) {
    if (document.is_set(service.name, "preconnect_age")) {
      document.warning(service.name, "preconnect_age", -1,
                       "\"preconnect_age\" is about connections of \"preconnect\", which is 0");
    }
    return;
  }
  // At the other key, so that each of several is told.
  const auto problem = [&](std::string_view key, std::string_view setting, std::string_view why) {
    document.problem(
        service.name, key, -1,
        "\"preconnect\" and " + std::string(setting) + " exclude each other: " + std::string(why),
        "remove one of the two");
  };
  if (service.send_proxy != SendProxy::none) {
    problem("send_proxy", "\"send_proxy\"",
            "the header with the client's address goes first, and there is no client yet");
  }
  if (service.starttls == Starttls::mysql) {
    problem("starttls", "starttls = \"mysql\"",
            "its server is upgraded with what the client has answered");
  }
  if (service.balance == Balance::hash) {
    problem("balance", "balance = \"hash\"",
            "the client's address chooses the target, and there is no client yet");
  }
}

// Whether a server of the dialect speaks first, before TLS.
bool greets(Starttls dialect) {
  switch (dialect) {
    case Starttls::smtp:
    case Starttls::lmtp:
    case Starttls::imap:
    case Starttls::pop3:
    case Starttls::nntp:
    case Starttls::mysql:
    case Starttls::ftp:
    case Starttls::sieve:
      return true;
    case Starttls::none:
    case Starttls::ldap:
    case Starttls::pgsql:
    case Starttls::xmpp:
      return false;
  }
  return false;
}

// Both wait for the first word of a side that must then be the one to speak first.
void check_sockets(Document& document, const Service& service) {
  if (service.defer_accept && greets(service.starttls)) {
    document.problem(service.name, "defer_accept", -1,
                     "\"defer_accept\" waits for the client's first bytes, and clients of this "
                     "\"starttls\" wait for the server's greeting",
                     "remove defer_accept");
  }
  // To a proxy, and with a PROXY header, the first word is ours, whatever protocol follows.
  const bool we_speak_first = !service.proxies.empty() || service.send_proxy != SendProxy::none ||
                              (service.tls && !greets(service.starttls));
  if (service.fast_open && !we_speak_first) {
    document.problem(service.name, "fast_open", -1,
                     service.tls ? "\"fast_open\" connects with the first bytes that are sent, and "
                                   "a server of this \"starttls\" speaks first"
                                 : "\"fast_open\" connects with the first bytes that are sent, and "
                                   "without TLS the server may be the first to speak",
                     "remove fast_open");
  }
}

}  // namespace

void cross_check_first_word(Document& document, const Service& service) {
  check_preconnect(document, service);
  check_sockets(document, service);
}

}  // namespace tunnel::config
