// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/outcome.h"
#include "base/tally.h"
#include "config/model.h"
#include "preamble/preamble.h"
#include "tls/session.h"
#include "tunnel/channel.h"
#include "tunnel/direction.h"
#include "uv/loop.h"
#include "uv/stream.h"
#include "uv/timer.h"

namespace tunnel {

// Moves bytes both ways between an accepted client and an established server until the connection
// ends. Loop-bound; owned by a Connection.
//
// Its two directions work by one rule (see Direction). What differs is what an end means:
//
//  | what happens                     | what the other side sees                | kind
//  |----------------------------------|-----------------------------------------|----------------
//  | client ends with FIN             | all its bytes, then close_notify (plain | (the server may
//  |                                  | service: FIN)                           | go on)
//  | server sends close_notify        | all its bytes, then FIN                 | ok, when both
//  | (plain service: FIN)             |                                         | have ended
//  | server ends with FIN only        | all that arrived, then RST; FIN with    | truncated
//  |                                  | on_truncation = "eof"                   |
//  | the same after its close_notify, | as an orderly end                       | ok
//  | or after the client had ended    |                                         |
//  | and no byte followed             |                                         |
//  | server resets, or TLS fails      | all that arrived, then RST              | reset_by_server,
//  |                                  |                                         | tls_alert, ...
//  | client resets                    | all that arrived, then RST and no       | reset_by_client
//  |                                  | close_notify                            |
//  | idle or half_close expires, or   | RST both ways                           | idle_timeout,
//  | the connection is aborted        |                                         | ...
//
// A broken side never becomes an orderly end of the other. "All that arrived" means delivered, not
// only handed to the kernel: an RST must not overtake data that a slow reader has yet to fetch, so
// it waits for them, as long as half_close at most.
class Relay final : private Direction::Owner {
 public:
  struct Settings {
    config::Timeout idle{};
    config::Timeout half_close{};
    config::OnTruncation on_truncation = config::OnTruncation::reset;
  };
  class Owner {
   public:
    // Called once, before the streams are closed or reset, so that what the other side learns from
    // it is on record first. The Relay must live until the end of the loop's turn.
    virtual void on_relay_ended(const Outcome& outcome) = 0;
    // One side has ended in order; or is broken, and the other one gets what is left. Each once.
    virtual void on_half_closed() {}
    virtual void on_draining() {}
    // Instead of on_relay_ended, with Ends::is_replaceable alone: the server has ended, in whatever
    // way, before a byte passed to either side. The relay is over, and the client another server's;
    // on_relay_ended does not follow. The Relay must live until the end of the loop's turn.
    virtual void on_server_unused(std::unique_ptr<uv::Stream> client) { (void)client; }

   protected:
    ~Owner() = default;
  };
  // Both sides, and what the conversations before TLS have left for the beginning of the relay.
  struct Ends {
    std::unique_ptr<uv::Stream> client{};
    std::unique_ptr<uv::Stream> server{};
    std::unique_ptr<tls::Session> session{};  // null for a plain service
    std::string_view target{};  // names the server in sentences; must outlive the relay
    std::string greeting{};     // the server's, for the client
    std::string surplus{};      // of the server, behind those conversations (plain services)
    std::unique_ptr<preamble::Conversation> filter{};
    // The server was there before the client, and may have left in the moment in which it came.
    bool is_replaceable = false;
    // What counts the bytes, and must outlive the relay; null: nothing.
    Traffic* of_service = nullptr;
    Traffic* of_target = nullptr;
  };

  Relay(uv::Loop& loop, Ends ends, const Settings& settings, Owner& owner);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Sends the greeting, opens what the session still holds, then reads both sides. May end the
  // relay at once.
  void start();

  // End in order as soon as the connection is idle in a pool: quiet for a while, with nothing
  // pending, and its last byte, if any, came from the server.
  void stop_when_idle();
  void stay();  // not any more
  // RST both ways, now.
  void abort(Outcome why);

  [[nodiscard]] std::uint64_t bytes_up() const { return up_.bytes(); }
  [[nodiscard]] std::uint64_t bytes_down() const { return down_.bytes(); }
  // Null when it has ended.
  [[nodiscard]] uv::Stream* client_stream() { return client_.stream(); }
  [[nodiscard]] uv::Stream* server_stream() { return server_.stream(); }
  [[nodiscard]] const tls::Session* session() const { return server_.session(); }
  [[nodiscard]] TimePoint last_byte_at() const { return activity_.at; }

 private:
  enum class Mode : std::uint8_t {
    relaying,
    draining,  // one side is broken: the other gets what arrived, then both are reset
    over,
  };
  enum class Close : std::uint8_t { in_order, reset };
  // How the server's side ended, if not by a plain orderly end.
  enum class ServerEnd : std::uint8_t {
    in_order,   // or not yet
    bare,       // without close_notify; whether that is in order is yet to be seen
    tolerated,  // without close_notify, and on_truncation = "eof"
    gone,       // reset after it had ended in order
  };
  // Until the filter is done.
  struct Beginning {
    std::string greeting;
    std::string surplus;
    std::unique_ptr<preamble::Conversation> filter;
  };

  void begin();
  void filter(preamble::Step step);
  void end_filter();

  // Direction::Owner
  void on_source_ended(Direction& direction, Channel::End end) override;
  void on_end_passed(Direction& direction) override;
  void on_sink_lost(Direction& direction) override;
  void on_sink_failed(Direction& direction) override;
  void on_sink_drained(Direction& direction) override;
  void on_held_back(Direction& direction) override;
  void on_filtered(Direction& direction, MutableBytes plaintext) override;

  [[nodiscard]] bool is_unused() const;
  void give_client_back();
  void client_broken(int uv_error);
  void server_broken(int uv_error);
  void ended_in_order(Direction& direction);
  void ended_bare();
  void truncated();
  void note_end(Side side);
  void both_ended();

  void look();
  [[nodiscard]] bool is_legacy_refused();
  void drain_then_reset(Channel& sink, Outcome outcome);
  void poll_delivery();

  void arm();
  void on_timer();
  [[nodiscard]] bool is_half_closed() const;
  [[nodiscard]] TimePoint half_close_began() const;
  [[nodiscard]] bool is_idle_in_pool() const;
  void end_idle();
  void half_close_expired();
  void finish(Outcome outcome, Close how);

  // Constant after construction.
  uv::Loop& loop_;
  const Settings& settings_;
  const std::string_view target_;
  Owner& owner_;

  // Released by finish(), all of them.
  Channel client_;
  Channel server_;
  std::unique_ptr<Beginning> beginning_;
  uv::Timer timer_;

  Activity activity_;
  Direction up_, down_;
  Mode mode_ = Mode::relaying;
  bool is_replaceable_;  // and nothing was sent at the beginning
  std::optional<Side> first_end_;
  ServerEnd server_end_ = ServerEnd::in_order;
  bool is_stopping_ = false;
  TimePoint half_closed_at_{};
  std::size_t pending_seen_ = 0;  // of both sides: less of it at the next look is activity
  // When to look whether a side that is held back has gone.
  TimePoint look_at_ = TimePoint::max();
  // How much the server had yet to get of a client that has reset, when it last took some.
  struct Legacy {
    std::size_t left = 0;
    TimePoint taken_at{};
  };
  std::optional<Legacy> legacy_;

  // Mode::draining.
  struct Drain {
    Channel& sink;
    TimePoint until;
    Millis poll;
    Outcome outcome;
  };
  std::unique_ptr<Drain> drain_;
};

}  // namespace tunnel
