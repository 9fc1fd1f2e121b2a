// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "balance/claim.h"
#include "balance/walk.h"
#include "tunnel/channel.h"
#include "tunnel/dial.h"
#include "tunnel/relay.h"
#include "tunnel/service_life.h"
#include "tunnel/surroundings.h"
#include "uv/timer.h"

namespace tunnel {

// A connection to a target that is established before there is a client, kept until it serves one,
// and then made anew. While it waits, what the server says is kept for the client, and its end is
// noticed. Loop-bound; owned by its Reserve.
class Spare final : public Dial::Owner, public Channel::Reader, public Channel::Writer {
 public:
  // A server that ends one sooner does not want to be asked again at once.
  static constexpr Millis kEarly{2'000};

  // What it works with. All of it outlives the spare.
  struct Setting {
    Surroundings surroundings;
    ServiceHandle service;
    tls::Remembered& remembered;
  };
  class Owner {
   public:
    // The targets in force; null: none are known yet.
    [[nodiscard]] virtual const std::shared_ptr<const balance::Layout>& layout() const = 0;
    virtual void report_established(balance::Claim& claim) = 0;
    virtual void report_failed(balance::Claim& claim, const DialFailure& failure) = 0;
    // It was no use: how long to wait until the next attempt.
    [[nodiscard]] virtual Millis back_off() = 0;
    virtual void note_good() = 0;   // the last one was of use
    virtual void on_changed() = 0;  // it is ready, or not any more

   protected:
    ~Owner() = default;
  };
  Spare(const Setting& setting, Owner& owner);
  ~Spare();
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;

  void start();  // the first time
  void stop();   // says goodbye, and does nothing more
  // The targets, or what is known of them, have changed: one that no client would get is replaced.
  void reconsider();

  [[nodiscard]] bool is_ready() const { return state_ == State::ready; }
  [[nodiscard]] TimePoint established_at() const { return established_at_; }
  // Whether it can be handed over now. One whose server has gone, unnoticed so far, is replaced.
  [[nodiscard]] bool check();

  // What a connection needs to relay. Its target's text must outlive the relay.
  struct Handed {
    balance::Claim claim;
    Relay::Ends ends;  // without the client
  };
  [[nodiscard]] Handed hand_over();

 private:
  enum class State : std::uint8_t { resting, dialling, ready };

  void on_timer();
  void begin();
  void dial_next();
  void look();
  void gave_up();
  void note_times();
  void replace(Millis delay);
  void rest(Millis delay);
  [[nodiscard]] bool is_wanted() const;
  [[nodiscard]] uv::Loop& loop() const { return setting_.surroundings.loop; }
  [[nodiscard]] const config::Service& config() const { return setting_.service.settings(); }

  // Dial::Owner
  [[nodiscard]] bool on_phase(Phase) override { return true; }
  void on_established() override;
  void on_dial_failed() override;
  // Channel::Reader and Writer
  void on_plaintext(MutableBytes plaintext) override;
  void on_end(Channel::End end) override;
  void on_drained() override {}
  void on_lost() override;

  const Setting setting_;
  Owner& owner_;
  State state_ = State::resting;
  TimePoint established_at_{};
  // Resting: the next dial. Dialling: timeouts.dial. Ready: the next look.
  uv::Timer timer_;

  // Released by rest(), all of them.
  std::unique_ptr<balance::Walk> walk_;
  std::vector<SocketAddress> tried_;
  std::unique_ptr<Dial> dial_;
  std::unique_ptr<Channel> channel_;  // may be on the stack then: released, and gone at the next
  balance::Claim claim_;
  // For the client; see Relay::Ends.
  std::string greeting_, surplus_;
  std::unique_ptr<preamble::Conversation> filter_;
};

}  // namespace tunnel
