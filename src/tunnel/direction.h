// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/outcome.h"
#include "base/tally.h"
#include "tunnel/channel.h"

namespace tunnel {

// When bytes last moved on a connection, and who sent the last ones; shared by its two directions.
struct Activity {
  TimePoint at{};
  Side last_byte_from = Side::server;  // none counts as the server's
};

// One way through a connection, from a source to a sink, by one rule:
//  - the source is read exactly while the sink has nothing pending (bounded memory);
//  - an orderly end of the source is passed on after the pending bytes are gone (half-close).
// What an end of the source means, and what follows when the sink is lost, is the owner's to say.
// Loop-bound; owned by a Relay.
class Direction final : public Channel::Reader, public Channel::Writer {
 public:
  enum class State : std::uint8_t {
    open,
    ending,   // the source has ended in order, its bytes are not all out
    ended,    // the end was passed on
    stopped,  // nothing is passed on any more
  };
  // Each method may stop the direction; none may destroy it.
  class Owner {
   public:
    virtual void on_source_ended(Direction& direction, Channel::End end) = 0;
    virtual void on_end_passed(Direction& direction) = 0;
    virtual void on_sink_lost(Direction& direction) = 0;
    virtual void on_sink_failed(Direction& direction) = 0;  // TLS cannot go on
    // The sink has taken all that was pending. go_on(), unless nothing is to go on.
    virtual void on_sink_drained(Direction& direction) = 0;
    virtual void on_held_back(Direction& direction) = 0;  // the source is not read for now
    // While is_filtered: bytes of the source, which go nowhere by themselves.
    virtual void on_filtered(Direction& direction, MutableBytes plaintext) = 0;

   protected:
    ~Owner() = default;
  };
  // The channels and the activity must outlive the direction.
  struct Way {
    Side from;
    Channel& source;
    Channel& sink;
    Activity& activity;
    // Where its bytes are counted, too, for as long as it lives; null: nowhere.
    Counter* of_service = nullptr;
    Counter* of_target = nullptr;
  };

  Direction(const Way& way, Owner& owner);
  Direction(const Direction&) = delete;
  Direction& operator=(const Direction&) = delete;

  void set_filtered(bool is_filtered) { is_filtered_ = is_filtered; }
  // Bytes of the source, whichever way they came: counted, and sent or filtered.
  void on_plaintext(MutableBytes plaintext) override;
  void send(MutableBytes plaintext);  // to the sink, not counted
  void end();                         // the source has ended in order
  void go_on();                       // the sink has nothing pending
  void stop();                        // for good: neither bytes nor ends come from the source
  // The source is held back: has it gone meanwhile?
  void look();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] Side from() const { return way_.from; }
  [[nodiscard]] const Channel& source() const { return way_.source; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] bool is_held_back() const {
    return state_ == State::open && !way_.source.is_reading();
  }

 private:
  void pass_end();
  void hold_back();

  void on_end(Channel::End end) override { return owner_.on_source_ended(*this, end); }
  void on_drained() override { return owner_.on_sink_drained(*this); }
  void on_lost() override;

  const Way way_;
  Owner& owner_;
  std::uint64_t bytes_ = 0;
  State state_ = State::open;
  bool is_filtered_ = false;
};

}  // namespace tunnel
