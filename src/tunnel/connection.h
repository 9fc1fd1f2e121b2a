// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "balance/claim.h"
#include "base/address.h"
#include "base/fd.h"
#include "base/outcome.h"
#include "log/log.h"
#include "tunnel/connection_capture.h"
#include "tunnel/connection_record.h"
#include "tunnel/connection_tally.h"
#include "tunnel/connection_view.h"
#include "tunnel/dial.h"
#include "tunnel/health_log.h"
#include "tunnel/relay.h"
#include "tunnel/spare.h"
#include "uv/loop.h"
#include "uv/stream.h"
#include "uv/timer.h"

namespace tunnel {

class Service;

// One accepted client from accept to close: dials until a target is established, relays, and ends
// in one place, which logs it. Loop-bound; owned by its Service, which deletes it at the end of the
// turn in which it ended. While it rests it owns no data buffer.
class Connection final : public uv::Deferred,
                         public uv::Stream::Events,
                         public Dial::Owner,
                         public Relay::Owner {
 public:
  Connection(Service& service, Fd client, const SocketAddress& address, std::uint64_t id);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  void stop_when_idle();
  void abort();  // RST both ways

  // Why an established connection is to end although the process goes on.
  enum class Leaving : std::uint8_t {
    no,
    ejected,  // the checks of its target have found it dead
    home,     // a target of an earlier group is usable again
    removed,  // a reload has removed its target or its service
  };
  // In order, as soon as it is idle, unless stay() comes first.
  void leave_when_idle(Leaving why);
  void stay(Leaving why);        // `why` has passed
  void leave_now();              // its target is ejected: RST both ways
  void end(const Outcome& why);  // RST both ways, whatever it does

  // A capture has begun, or is over.
  void join_capture(const capture::Source& source);
  void leave_capture(const capture::Recording& recording);

  // A target has a free slot again, or the targets have changed: go on if this one waits.
  void on_targets_changed();

  [[nodiscard]] std::uint64_t id() const { return record_.id; }
  [[nodiscard]] ConnectionView view() const;
  // After finish(): what its closed line said, and how it ended, and to people why.
  [[nodiscard]] const ConnectionRecord& record() const { return record_; }
  [[nodiscard]] Outcome outcome() const;
  [[nodiscard]] bool is_dialing() const { return dialing_ != nullptr; }
  // Whose target is dialled or relayed to; null when there is none at the moment.
  [[nodiscard]] const balance::Target* target() const {
    return claim_ ? &claim_.target() : nullptr;
  }

  // Set by the Service: its place in the list of connections.
  std::size_t index = 0;

 private:
  // Where it stands: also for a look into a core dump. is_legal() is the table of moves.
  enum class State : std::uint8_t {
    accepted,  // until start()
    choosing,  // looks for the next target
    waiting,   // for a free slot, a target that is usable again, or DNS
    dialling,  // one target
    lost,      // every target has failed; the client is reset as soon as that may be
    relaying,
    finished,  // owns nothing that can call it
  };
  // What only a connection without a server needs; freed when one is established.
  struct Dialing;

  [[nodiscard]] static bool is_legal(State from, State to);
  void enter(State next);
  void begin_dialing();
  void take_over(Spare::Handed handed);
  void relay(Relay::Ends ends);
  void report_connected();
  void dial_next();
  void on_retry();
  void dial(balance::Claim claim);
  [[nodiscard]] Caller caller() const;
  void attempt_failed(DialFailure failure, Sentence sentence);
  void on_dial_deadline();
  void client_left();
  void all_failed();
  void give_up();
  void report_dial_failed(const Outcome& outcome);
  void finish(const Outcome& outcome);
  [[nodiscard]] std::string why_it_leaves() const;
  [[nodiscard]] Millis age() const {
    return std::chrono::duration_cast<Millis>(since_accepted_.elapsed());
  }
  void complete_record(const Outcome& outcome);
  [[nodiscard]] log::Subject subject() const {
    return {record_.service, record_.id, record_.client};
  }
  void on_end_of_turn() override;

  // Dial::Owner
  [[nodiscard]] bool on_phase(Phase phase) override;
  void on_established() override;
  void on_dial_failed() override;
  void on_bytes_for_client(std::string_view bytes) override;
  void on_client_wanted(bool is_wanted) override;
  Dial::Watchers watchers_of(const uv::Stream& stream) override;
  void on_ticket_suspected(const std::string& why) override;
  void on_option_refused(const std::string& text) override;
  // Relay::Owner
  void on_relay_ended(const Outcome& outcome) override;
  void on_half_closed() override { tally_.move_to(Stage::half_closed); }
  void on_draining() override { tally_.move_to(Stage::draining); }
  void on_server_unused(std::unique_ptr<uv::Stream> client) override;
  // The client's stream before relaying. Nothing of the client is read before a target is
  // established, so that nothing can be lost; mysql is the exception, whose client answers first.
  void on_read(MutableBytes bytes) override;
  void on_eof() override;
  void on_read_error(int uv_error) override;
  void on_write_error(int) override {}
  void on_drained() override {}

  // Constant after construction.
  Service& service_;
  const Stopwatch since_accepted_;

  // Null while nothing of it is captured. Watches the streams below, and goes after them.
  std::unique_ptr<ConnectionCapture> capture_;

  // Released or silenced by finish(), all of them: it may be called while one of them is on the
  // stack, and from then on none may call.
  Fd socket_;                           // until start()
  std::unique_ptr<uv::Stream> client_;  // until relaying: then the relay's
  std::unique_ptr<Dialing> dialing_;    // silenced; until relaying
  std::unique_ptr<Relay> relay_;        // silent: it has ended before it says so
  balance::Claim claim_;                // of the target that is dialled or relayed to

  State state_ = State::accepted;
  bool is_stopping_ = false;
  Leaving leaving_ = Leaving::no;
  ConnectionTally tally_;
  ConnectionRecord record_;  // filled as it goes; complete when finish() logs it
};

}  // namespace tunnel
