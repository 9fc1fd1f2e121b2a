// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "balance/target.h"
#include "base/address.h"
#include "base/failure.h"
#include "base/kind.h"
#include "config/model.h"
#include "preamble/preamble.h"
#include "tls/session.h"
#include "tunnel/address_book.h"
#include "tunnel/connector.h"
#include "tunnel/dial_settings.h"
#include "tunnel/hop.h"
#include "tunnel/phase.h"
#include "uv/loop.h"
#include "uv/stream.h"
#include "uv/tap.h"
#include "uv/timer.h"

namespace tunnel {

// Why a target could not be established, as the log tells it.
struct DialFailure : Failure {
  bool is_final = false;  // the client has seen bytes of this very server: no other may follow
};

// Dials one target until it is established (TCP, the conversations before TLS, TLS with
// verification) or all its addresses have failed: a failure in any phase goes on to the next
// untried address. Reports exactly once. Loop-bound; owned by a Connection (or a health check) for
// the time of it.
class Dial final : public uv::Stream::Events, public Connector::Owner {
 public:
  // Null: nobody watches.
  struct Watchers {
    uv::Tap* tap = nullptr;
    tls::Secrets* secrets = nullptr;
  };
  class Owner {
   public:
    // The dial is about to enter `phase`; the owner may give up here: abandon() or destroy the
    // Dial. Returns whether the Dial goes on (false: it may be gone).
    [[nodiscard]] virtual bool on_phase(Phase phase) = 0;
    // take_stream() and take_session() now. The session may hold input that is valid only until
    // this returns: open() it. May destroy the Dial as the last action.
    virtual void on_established() = 0;
    virtual void on_dial_failed() = 0;  // see failure(); may destroy the Dial
    // A conversation before TLS that needs the client (MySQL's): bytes for it, and whether it must
    // speak now; then call on_client and on_client_end.
    virtual void on_bytes_for_client(std::string_view bytes) { (void)bytes; }
    virtual void on_client_wanted(bool is_wanted) { (void)is_wanted; }
    // A handshake failed after a ticket was offered, as `why` says; it is tried again without.
    virtual void on_ticket_suspected(const std::string& why) { (void)why; }
    // A connection to an address stands, and nothing has passed yet: what is to see all that does,
    // for as long as it lasts.
    [[nodiscard]] virtual Watchers watchers_of(const uv::Stream& stream) {
      (void)stream;
      return {};
    }
    // One of socket_options.target could not be set; the dial goes on.
    virtual void on_option_refused(const std::string& text) { (void)text; }

   protected:
    ~Owner() = default;
  };

  // What is to be dialled, and for whom. The references must outlive the dial.
  struct Task {
    const balance::Endpoint& target;
    const DialSettings& settings;
    Caller caller;
    // Collects the addresses that this connection has used up; none is tried twice, but for a
    // handshake that failed after a ticket was offered: it is made once more without.
    std::vector<SocketAddress>& tried;
  };

  Dial(uv::Loop& loop, AddressBook& book, const Task& task, Owner& owner);
  ~Dial();
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

  void start();  // reports later, never before it returned
  // Gives up without a report: whatever could still call the Dial is closed now. May be called
  // while the Dial is on the stack; only the destructor and what is const may be called after it.
  void abandon();

  [[nodiscard]] std::unique_ptr<uv::Stream> take_stream() { return std::move(stream_); }
  [[nodiscard]] std::unique_ptr<tls::Session> take_session() { return std::move(session_); }
  // What the conversations before TLS leave for the relay: the greeting that the client has yet to
  // see, bytes of the server behind the last conversation (plain services only), and a filter.
  [[nodiscard]] std::string take_greeting() { return std::move(greeting_); }
  [[nodiscard]] std::string take_surplus() { return std::move(surplus_); }
  [[nodiscard]] std::unique_ptr<preamble::Conversation> take_filter() { return std::move(filter_); }

  void on_client(Bytes bytes);  // while on_client_wanted(true)
  [[nodiscard]] const DialFailure& failure() const { return failure_; }
  [[nodiscard]] const PhaseTimes& times() const { return times_; }
  [[nodiscard]] Phase phase() const { return phase_; }
  // The stream to the server, while there is one and it was not taken; may be null.
  [[nodiscard]] const uv::Stream* stream() const { return stream_.get(); }
  // False until the loop has turned once after start().
  [[nodiscard]] bool has_begun() const { return is_started_; }

 private:
  void begin();
  [[nodiscard]] const Hop& hop() const { return hops_.front(); }
  void on_deadline();
  [[nodiscard]] bool enter(Phase phase);
  void stamp();
  void resolve();
  void on_resolved();
  void connect();
  void race(std::vector<SocketAddress> addresses);
  void converse();
  void act_on(preamble::Step step);
  void begin_tls();
  void handshake(Bytes input);
  void established();
  void drop_connection();
  // Records why the current address failed and goes on to the next one.
  void address_failed(Failure why);
  void once_more_without_ticket(const std::string& why);
  [[nodiscard]] bool offer_again(Kind failed);
  void finish_failed();
  void remember(Failure why);
  void transport_ended(tls::Session::End end);
  void unreachable(const Failure& why);
  void limit_time();
  [[nodiscard]] std::span<const config::SocketOption> socket_options() const;
  [[nodiscard]] bool is_fast_open() const;
  // What it means for the dial that an address could not be connected to.
  [[nodiscard]] Failure unreached(const SocketAddress& address, const Failure& why) const;

  using uv::Stream::Events::on_connected;  // of no use here, and not to be hidden
  void on_connected(Connector::Connected connected) override;
  void on_all_failed() override;
  void on_address_failed(const SocketAddress& address, const Failure& why) override;
  void on_option_refused(const std::string& text) override {
    return owner_.on_option_refused(text);
  }

  void on_read(MutableBytes bytes) override;
  void on_eof() override;
  void on_read_error(int uv_error) override;
  void on_write_error(int uv_error) override;
  void on_drained() override {}

  uv::Loop& loop_;
  AddressBook& book_;
  const balance::Endpoint& target_;
  const DialSettings& settings_;
  const Caller caller_;
  std::vector<SocketAddress>& tried_;
  const std::size_t tried_before_;  // how many of them when this dial began
  Owner& owner_;

  Phase phase_ = Phase::resolving;
  bool is_started_ = false;
  std::vector<Hop> hops_;  // left to try, the present one first; after begin() never empty
  Stopwatch in_phase_;
  PhaseTimes times_;
  DialFailure failure_;
  Phase failed_in_ = Phase::resolving;

  SocketAddress address_;               // the one that won the race
  std::optional<std::size_t> attempt_;  // which offer of TLS is made to it; see x509::Peer
  tls::Tickets tickets_ = tls::Tickets::welcome;
  TimePoint handshake_until_{};  // by timeouts.handshake, if it is set
  bool is_unproven_ = false;     // see Connector::Connected; until the first byte
  // What can call the Dial. Silenced by abandon(), all of them.
  uv::Timer deadline_;
  std::unique_ptr<AddressBook::Waiter> waiter_;
  std::unique_ptr<Connector> connector_;
  std::unique_ptr<uv::Stream> stream_;
  tls::Secrets* secrets_ = nullptr;  // of the session on it

  std::unique_ptr<preamble::Conversation> conversation_;
  std::unique_ptr<tls::Session> session_;
  std::string greeting_, surplus_;
  std::unique_ptr<preamble::Conversation> filter_;
  bool is_client_wanted_ = false;
};

}  // namespace tunnel
