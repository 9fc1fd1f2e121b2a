// SPDX-License-Identifier: MIT
// The conversations that turn a plaintext channel into one where TLS may begin, one for each
// protocol of the `starttls` key. Each ends `done` exactly behind the server's go-ahead.
#pragma once

#include <memory>
#include <string>

#include "config/model.h"
#include "preamble/talk.h"

namespace tunnel::preamble {

[[nodiscard]] std::unique_ptr<Conversation> smtp_starttls(Topic topic, std::string helo);
[[nodiscard]] std::unique_ptr<Conversation> lmtp_starttls(Topic topic, std::string helo);
[[nodiscard]] std::unique_ptr<Conversation> nntp_starttls(Topic topic);
[[nodiscard]] std::unique_ptr<Conversation> ftp_starttls(Topic topic);
[[nodiscard]] std::unique_ptr<Conversation> pop3_starttls(Topic topic);
[[nodiscard]] std::unique_ptr<Conversation> imap_starttls(Topic topic);
[[nodiscard]] std::unique_ptr<Conversation> sieve_starttls(Topic topic);
[[nodiscard]] std::unique_ptr<Conversation> ldap_starttls(Topic topic);
[[nodiscard]] std::unique_ptr<Conversation> pgsql_starttls(Topic topic);
[[nodiscard]] std::unique_ptr<Conversation> xmpp_starttls(Topic topic, std::string to);
// For a client: shows it the server's greeting and lets its answer decide; the filter it leaves
// rewrites sequence numbers. For a check: speaks for itself, as `login`.
[[nodiscard]] std::unique_ptr<Conversation> mysql_starttls(Topic topic, Purpose purpose,
                                                           CheckLogin login = {});

// In the relay, until the server asks for the login: answers a local client's SSLRequest or
// GSSENCRequest with `N`, and takes the mechanisms that need TLS out of the server's offer.
[[nodiscard]] std::unique_ptr<Conversation> pgsql_filter();
// In the relay: logs in before the client is served; its bytes wait meanwhile.
[[nodiscard]] std::unique_ptr<Conversation> smtp_login(Topic topic, std::string helo,
                                                       config::SmtpLogin login);

// The IMAP greeting line without STARTTLS and LOGINDISABLED among its capabilities.
[[nodiscard]] std::string imap_greeting_without_starttls(std::string_view line);

}  // namespace tunnel::preamble
