// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/outcome.h"
#include "config/model.h"
#include "preamble/preamble.h"
#include "tls/session.h"
#include "uv/loop.h"
#include "uv/stream.h"
#include "uv/timer.h"

namespace tunnel {

// Moves bytes both ways between an accepted client and an established server until the connection
// ends, exactly as SPEC section 6 says. Loop-bound; owned by a Connection.
//
// Two directions, each from a source to a sink, with the same rules:
//  - the source is read exactly while the sink has nothing pending (bounded memory);
//  - an orderly end of the source is passed on after the pending bytes are gone (half-close);
//  - a broken source never becomes an orderly end: when everything that arrived has been delivered,
//    both sides are reset.
class Relay {
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

   protected:
    ~Owner() = default;
  };

  // `session` is null for a plain service. `target` names the server in sentences and must outlive
  // the relay.
  Relay(uv::Loop& loop, std::unique_ptr<uv::Stream> client, std::unique_ptr<uv::Stream> server,
        std::unique_ptr<tls::Session> session, const Settings& settings, std::string_view target,
        Owner& owner);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // What the conversations before TLS have left: the server's greeting for the client, bytes of the
  // server behind them (plain services), and a filter for the beginning of the relay. Before
  // start().
  struct Beginning {
    std::string greeting;
    std::string surplus;
    std::unique_ptr<preamble::Conversation> filter;
  };
  void begin_with(Beginning beginning);

  // Opens what the session still holds, then reads both sides. May end the relay at once.
  void start();

  // End in order as soon as the connection is idle in a pool: quiet for a while, with nothing
  // pending, and its last byte, if any, came from the server.
  void stop_when_idle();
  void stay();  // not any more
  // RST both ways, now.
  void abort(Outcome why);

  [[nodiscard]] std::uint64_t bytes_up() const { return up_.bytes; }
  [[nodiscard]] std::uint64_t bytes_down() const { return down_.bytes; }

 private:
  class ClientEvents final : public uv::Stream::Events {
   public:
    explicit ClientEvents(Relay& relay) : relay_(relay) {}
    void on_read(MutableBytes bytes) override { return relay_.client_read(bytes); }
    void on_eof() override { return relay_.client_eof(); }
    void on_read_error(int uv_error) override { return relay_.client_broken(uv_error); }
    void on_write_error(int uv_error) override { return relay_.client_write_failed(uv_error); }
    void on_drained() override { return relay_.client_drained(); }

   private:
    Relay& relay_;
  };
  class ServerEvents final : public uv::Stream::Events {
   public:
    explicit ServerEvents(Relay& relay) : relay_(relay) {}
    void on_read(MutableBytes bytes) override { return relay_.server_read(bytes); }
    void on_eof() override { return relay_.server_eof(); }
    void on_read_error(int uv_error) override { return relay_.server_broken(uv_error); }
    void on_write_error(int uv_error) override { return relay_.server_write_failed(uv_error); }
    void on_drained() override { return relay_.server_drained(); }

   private:
    Relay& relay_;
  };

  // One direction. `open`: relaying. `ending`: the source has ended in order, its bytes are not all
  // out. `ended`: the end was passed on.
  enum class State : std::uint8_t { open, ending, ended };
  struct Direction {
    State state = State::open;
    std::uint64_t bytes = 0;
    TimePoint last_byte{};
  };
  enum class Mode : std::uint8_t { relaying, draining, over };
  enum class Close : std::uint8_t { in_order, reset };

  void begin();
  void client_read(MutableBytes plaintext);
  void client_eof();
  void client_broken(int uv_error);
  void client_write_failed(int uv_error);
  void client_drained();

  void server_read(Bytes bytes);
  void open_records();
  void server_eof();
  void server_broken(int uv_error);
  void server_write_failed(int uv_error);
  void server_drained();
  [[nodiscard]] bool is_bare_end_expected() const;
  void truncated();

  void send_up(MutableBytes plaintext);
  void send_down(Bytes plaintext);
  void filter(preamble::Step step);
  void write_up(Bytes bytes);
  void write_down(Bytes bytes);

  void up_ended();
  void pass_end_up();
  void down_ended();
  void pass_end_down();
  void note_end(Side side);
  void finish_if_both_ended();

  void hold_back(uv::Stream& source);
  void look();
  void look_at_client();
  void look_at_server();

  void drain_then_reset(uv::Stream& sink, Outcome outcome);
  void poll_delivery();
  void sink_failed(const uv::Stream& sink);

  void arm();
  void on_timer();
  [[nodiscard]] bool is_half_closed() const;
  [[nodiscard]] bool is_idle_in_pool() const;
  [[nodiscard]] TimePoint last_activity() const;
  void end_idle();
  void finish(Outcome outcome, Close how);

  // Constant after construction.
  uv::Loop& loop_;
  const Settings& settings_;
  const std::string_view target_;
  Owner& owner_;
  ClientEvents client_events_{*this};
  ServerEvents server_events_{*this};

  // Released by finish(), all of them.
  std::unique_ptr<uv::Stream> client_;
  std::unique_ptr<uv::Stream> server_;
  std::unique_ptr<tls::Session> session_;
  std::unique_ptr<Beginning> beginning_;  // until its filter is done
  uv::Timer timer_;

  Direction up_, down_;
  Mode mode_ = Mode::relaying;
  bool has_end_ = false;  // first_end_ is set
  Side first_end_ = Side::tunnel;
  Side last_byte_from_ = Side::server;  // "if any": none counts as the server's
  bool is_stopping_ = false;
  bool is_close_notify_sent_ = false;
  bool is_truncation_tolerated_ = false;
  bool is_server_gone_ = false;  // reset after it had ended in order
  bool is_bare_end_open_ =
      false;  // the server closed bare; whether that is in order is yet to be seen
  // A side that has reset, known from writing to it; its last bytes are still to be read.
  int client_write_error_ = 0;
  int server_write_error_ = 0;
  std::uint64_t bytes_down_at_close_notify_ = 0;
  TimePoint half_closed_at_{};
  TimePoint last_progress_{};  // of a slow sink, seen between two looks
  std::size_t pending_seen_ = 0;
  // When to look whether a side that is held back has gone.
  TimePoint look_at_ = TimePoint::max();
  // How much the server had yet to get of a client that has reset, when it last took some.
  struct Legacy {
    std::size_t left = 0;
    TimePoint taken_at{};
  };
  std::optional<Legacy> legacy_;
  [[nodiscard]] bool is_legacy_refused();

  // Mode::draining.
  struct Drain {
    uv::Stream* sink;
    TimePoint until;
    Millis poll;
    Outcome outcome;
  };
  std::unique_ptr<Drain> drain_;
};

// What it is called when a side was lost by this error, for an end that is a reset.
[[nodiscard]] Outcome client_gone(int uv_error);
[[nodiscard]] Outcome server_gone(std::string_view target, int uv_error);

}  // namespace tunnel
