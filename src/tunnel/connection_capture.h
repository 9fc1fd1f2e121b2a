// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/address.h"
#include "base/failure.h"
#include "capture/taps.h"
#include "config/model.h"
#include "tunnel/connection_record.h"
#include "tunnel/dial.h"
#include "uv/stream.h"

namespace tunnel {

// What captures see of one connection: its client's stream (layer "plain"), and each stream to a
// target (layer "wire"). Loop-bound; owned by the Connection, after whose streams it goes.
class ConnectionCapture {
 public:
  // Watches `client`, which must go first.
  ConnectionCapture(const config::Service& service, std::uint64_t id, uv::Stream& client);
  ConnectionCapture(const ConnectionCapture&) = delete;
  ConnectionCapture& operator=(const ConnectionCapture&) = delete;

  // A capture that began later sees the rest of the plaintext, and of what goes over the network
  // the next stream: without its handshake it could not be decrypted.
  void join(const capture::Source& source);
  void leave(const capture::Recording& recording);
  [[nodiscard]] bool watches_network() const { return !wire_sources_.empty(); }

  // The client sees bytes of this target before it is established; repeated calls do nothing.
  void begin(const uv::Stream* target, const ConnectionRecord& record);
  // It is established; `session` is null without TLS.
  void established(const uv::Stream* target, const tls::Session* session,
                   const ConnectionRecord& record);
  // A capture has joined since.
  void go_on(const uv::Stream* target, const tls::Session* session, const ConnectionRecord& record);
  [[nodiscard]] Dial::Watchers watch_target(const uv::Stream& target,
                                            const ConnectionRecord& record);
  void attempt_failed(const Failure& failure);
  void finish(const ConnectionRecord& record);

 private:
  [[nodiscard]] capture::Flow plain_flow(const uv::Stream* target, const ConnectionRecord& record,
                                         std::string_view more) const;

  const config::Service& service_;
  const SocketAddress client_;
  const std::string client_text_;
  std::vector<capture::Source> wire_sources_;
  capture::Taps plain_;
  std::unique_ptr<capture::Taps> wire_;  // of the last stream to a target
};

}  // namespace tunnel
