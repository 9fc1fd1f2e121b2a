// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "preamble/conversation.h"
#include "preamble/mysql_packet.h"
#include "preamble/talk.h"

namespace tunnel::preamble {

// What a client's HandshakeResponse, whose sequence number was 1, becomes behind our SSLRequest:
// the SSL flag set. nullopt with a client that asks for TLS itself, or that makes no sense.
struct MysqlUpgrade {
  std::string ssl_request;  // the whole packet, sequence 1
  std::string response;     // the whole packet, sequence 2
};
[[nodiscard]] std::optional<MysqlUpgrade> upgrade_mysql_response(std::string_view payload);

// What a check says for itself: its SSLRequest (sequence 1), and its login without a password,
// which the server may grant or refuse: both are signs of life, and unlike hanging up they do not
// count towards the server's max_connect_errors. The server takes the flags of the first of the
// two, so both need to know the login.
[[nodiscard]] std::string mysql_check_ssl_request(const CheckLogin& login);
[[nodiscard]] std::string mysql_check_login(std::uint8_t sequence, bool has_tls,
                                            const CheckLogin& login);

// In the relay, until the server has said OK or ERR to the login: our SSLRequest was one packet
// more than the client knows of, so the sequence numbers of the client's packets are raised by one
// and those of the server's lowered. `response` is sent first; `behind` is what the client has sent
// after it.
[[nodiscard]] std::unique_ptr<Conversation> mysql_filter(std::string response, std::string behind);

}  // namespace tunnel::preamble
