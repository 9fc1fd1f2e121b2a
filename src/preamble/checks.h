// SPDX-License-Identifier: MIT
// What active health checks ask over the established channel. Each ends politely, so that the
// server's log holds no complaint, and takes every answer of a server that is at work for a yes: a
// refusal of somebody unknown is one, a refusal of everybody (full, starting, stopping) is not.
#pragma once

#include <memory>
#include <string>

#include "preamble/talk.h"

namespace tunnel::preamble {

// Whether the server has yet to greet us on this channel, or did so before STARTTLS.
enum class Channel : std::uint8_t { fresh, after_starttls };

// `hello` is EHLO, or LHLO for LMTP.
[[nodiscard]] std::unique_ptr<Conversation> smtp_check(Topic topic, Channel channel,
                                                       std::string hello, std::string helo);
[[nodiscard]] std::unique_ptr<Conversation> imap_check(Topic topic, Channel channel);
[[nodiscard]] std::unique_ptr<Conversation> pop3_check(Topic topic, Channel channel);
[[nodiscard]] std::unique_ptr<Conversation> redis_check(Topic topic);
[[nodiscard]] std::unique_ptr<Conversation> ldap_check(Topic topic);
// With a user: its start-up, never with a password. Without: MySQL's as nobody, PostgreSQL's not
// at all, so that a server which refuses everybody may look well.
[[nodiscard]] std::unique_ptr<Conversation> mysql_check(Topic topic, Channel channel,
                                                        CheckLogin login = {});
[[nodiscard]] std::unique_ptr<Conversation> pgsql_check(Topic topic, Channel channel,
                                                        CheckLogin login = {});

}  // namespace tunnel::preamble
