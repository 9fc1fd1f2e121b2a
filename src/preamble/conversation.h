// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/failure.h"

namespace tunnel::preamble {

enum class Status : std::uint8_t {
  again,   // nothing decided: bring more bytes
  done,    // over, as it should be
  failed,  // over; see Step::failure
};

// What to do after an event. Bytes for both sides are to be written in any case, also with `done`
// and `failed` (a goodbye, a last word to the client).
struct [[nodiscard]] Step {
  Status status = Status::again;
  std::string to_server;
  std::string to_client;
  // Only with `done`:
  std::string greeting;  // for the client, but not before the target is established, so that a
                         // failover until then cannot show it a second one
  std::string surplus;   // server bytes behind the end: they belong to whoever comes next
  // Only with `failed`: its sentence carries the other side's own words (printable, cut). It is
  // local when the proxy wants another login, or the client broke the protocol.
  Failure failure;
};

enum class End : std::uint8_t { eof, reset };

// One conversation with a server, without I/O: takes whatever bytes came, however they were cut,
// and says what to do. Used in three places:
// - before TLS (proxy, PROXY header, STARTTLS): on_start, then on_server until done;
// - as a health check, over the channel that the real path gives: the same;
// - as a filter between client and server while relaying begins (take_filter below), with the bytes
//   of both sides; when it is done all it held has been handed out, and the relay needs it no more.
// After `done` or `failed` no method may be called again. One thread, owned by the connection.
class Conversation {
 public:
  virtual ~Conversation() = default;

  virtual Step on_start() = 0;  // once, first
  virtual Step on_server(Bytes bytes) = 0;
  // Only while wants_client(), and for filters.
  virtual Step on_client(Bytes bytes);
  // The server's FIN or RST, after all its bytes.
  virtual Step on_server_end(End end) = 0;
  // The client's FIN, after all its bytes. For filters: hands out what was held.
  virtual Step on_client_end();

  // What the conversation waits for, to complete "... while waiting for": the sentence of a
  // timeout.
  [[nodiscard]] virtual std::string waiting_for() const = 0;
  // The client must speak now: read from it and call on_client.
  [[nodiscard]] virtual bool wants_client() const { return false; }
  // The client has seen bytes of this very server (or they are in this Step): there is no way back
  // to another target.
  [[nodiscard]] virtual bool is_client_committed() const { return false; }
  // After `done`: what must go on in the relay, or null. Its on_start comes once the target is
  // established and the greeting is on its way to the client.
  [[nodiscard]] virtual std::unique_ptr<Conversation> take_filter();
};

// For whom a target is reached.
enum class Purpose : std::uint8_t { client, check };

}  // namespace tunnel::preamble
