// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/recording.h"
#include "tls/secrets.h"
#include "uv/tap.h"

namespace tunnel::capture {

// A capture as one worker takes part in it. A value.
struct Source {
  std::shared_ptr<Recording> recording;
  std::shared_ptr<Lane> lane;
};

// Brings what passes through one stream to the captures that want it. Loop-bound; owned by the
// connection, and must outlive the stream, or be taken from it.
class Taps final : public uv::Tap, public tls::Secrets {
 public:
  // Whom the stream leads to: what comes from there is the client's, or the target's.
  enum class Facing : std::uint8_t { client, target };
  Taps(Facing facing, std::vector<Source> sources);

  // Another one wants it, once it is open.
  void join(const Source& source);
  // How the flow looks, for those that have not been told; they get nothing before.
  void open(const Flow& flow);
  [[nodiscard]] bool has_unopened() const;
  void leave(std::uint64_t recording);

  void remark(std::string_view text);
  void close(std::string_view text);  // how it ended; the last

  // uv::Tap
  void on_received(Bytes octets) override;
  void on_sent(Bytes octets) override;
  void on_peer_ended(End end) override;
  void on_own_end(End end) override;
  // tls::Secrets
  void on_secret(std::string_view line) override;

 private:
  struct Each {
    Source source;
    std::uint32_t number = 0;  // of the flow; 0: not open
    // What had no room, of each way.
    std::uint64_t lost_octets[2] = {};
    std::uint32_t lost_packets[2] = {};
  };

  [[nodiscard]] Way received() const {
    return facing_ == Facing::client ? Way::from_client : Way::from_target;
  }
  [[nodiscard]] Way sent() const {
    return facing_ == Facing::client ? Way::from_target : Way::from_client;
  }
  void add_octets(Way way, Bytes octets);
  void add(Event::What what, Way way, std::string_view text = {});
  static void add(Each& each, Event event, Bytes octets = {});

  const Facing facing_;
  std::vector<Each> each_;
};

}  // namespace tunnel::capture
