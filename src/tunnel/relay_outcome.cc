// SPDX-License-Identifier: MIT
#include "tunnel/relay_outcome.h"

#include <string>

#include "base/text.h"
#include "uv/library.h"
#include "uv/stream.h"

namespace tunnel {
namespace {

bool is_reset(int uv_error) { return uv_error == UV_ECONNRESET || uv_error == UV_EPIPE; }

}  // namespace

Outcome client_gone(int uv_error) {
  if (is_reset(uv_error)) {
    return {Kind::reset_by_client, Side::client, "the client reset the connection"};
  }
  return {Kind::connection_lost, Side::client,
          std::string("the client is not reachable any more (") + uv::error_text(uv_error) + ")"};
}

Outcome server_gone(std::string_view target, int uv_error) {
  if (is_reset(uv_error)) {
    return {Kind::reset_by_server, Side::server, std::string(target) + " reset the connection"};
  }
  return {Kind::connection_lost, Side::server,
          std::string(target) + " is not reachable any more (" + uv::error_text(uv_error) + ")"};
}

Outcome truncated_by(std::string_view target) {
  return {Kind::truncated, Side::server,
          std::string(target) +
              " closed the connection without TLS close_notify, so the data may be incomplete; "
              "set on_truncation = \"eof\" if this server always ends that way"};
}

Outcome truncation_tolerated(std::string_view target, Side first_end) {
  return {Kind::truncated, first_end,
          std::string(target) +
              " closed the connection without TLS close_notify (tolerated by "
              "on_truncation = \"eof\")"};
}

Outcome half_closed_for(Millis limit) {
  return {Kind::half_close_timeout, Side::tunnel,
          "one side had ended, and the other sent nothing for " + format_duration(limit) +
              " (timeouts.half_close)"};
}

Outcome idle_for(Millis limit) {
  return {Kind::idle_timeout, Side::tunnel,
          "no byte in either direction for " + format_duration(limit) + " (timeouts.idle)"};
}

}  // namespace tunnel
