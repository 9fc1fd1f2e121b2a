// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/bytes.h"
#include "base/failure.h"
#include "config/model.h"

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

// One dial, as conversations see it. References are used only while make_* runs.
struct Route {
  const config::Service& service;
  std::string target;      // what logs call it: "dc1.example.com:636"
  std::string host;        // where the proxy is to connect to: a name or an IP address
  std::uint16_t port = 0;  // and its port
  std::string tls_name;    // the name that TLS will verify: XMPP's `to`
  SocketAddress client;    // for the PROXY header; unspecified: says nothing about a client
  SocketAddress accepted;  // the address that the client had connected to
  Purpose purpose = Purpose::client;
  const config::Proxy* proxy = nullptr;  // that of the service's that has been connected to
};

// All that comes before TLS, chained: proxy, then PROXY header, then STARTTLS. Never null; with
// nothing to do its on_start is `done`.
[[nodiscard]] std::unique_ptr<Conversation> make_preamble(const Route& route);

// The check's question and answer over the established channel (after STARTTLS where there is one),
// with a polite end; null for `none`, `tcp` and `tls`, which ask nothing.
[[nodiscard]] std::unique_ptr<Conversation> make_check(config::Check check, const Route& route);

}  // namespace tunnel::preamble
