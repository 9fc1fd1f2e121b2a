// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/target.h"
#include "base/failure.h"
#include "preamble/preamble.h"
#include "tls/session.h"
#include "tunnel/channel.h"
#include "tunnel/dial.h"
#include "uv/loop.h"
#include "uv/timer.h"

namespace tunnel {

// One visit to a target over the real path: dials it as a client's connection would be dialled,
// asks the question of a check, and leaves politely. Reports once. Loop-bound; owned by who wants
// to know: a HealthCheck, or a probe.
class Visit final : public Dial::Owner, public Channel::Reader, public Channel::Writer {
 public:
  // Asking: the check's question is open. Leaving: our close_notify (or FIN) is out, and what the
  // server says until its own end decides: TLS 1.3 servers reject a certificate only here.
  enum class Stage { dialling, asking, leaving, over };

  class Owner {
   public:
    // It is over and has let go of all it had; kind ok: it went well. The visit must not be
    // destroyed before this has returned.
    virtual void on_visited(const Failure& failure) = 0;
    virtual void on_visit_phase(Phase phase) { (void)phase; }  // which begins
    virtual void on_visit_stage(Stage stage) { (void)stage; }
    // TLS is established.
    virtual void on_visit_secured(const tls::Session& session) { (void)session; }
    // See Dial::Owner.
    [[nodiscard]] virtual Dial::Watchers watchers_of_visit(const uv::Stream& stream) {
      (void)stream;
      return {};
    }

   protected:
    ~Owner() = default;
  };

  // The references must outlive the visit.
  struct Task {
    const balance::Endpoint& target;
    const DialSettings& settings;
    config::Check check;
    Millis limit;                 // of all of it
    std::string_view limit_name;  // where it was set, for sentences: "health.timeout"
    Caller caller{};
  };

  Visit(uv::Loop& loop, AddressBook& book, const Task& task, Owner& owner);
  ~Visit();
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  void start();  // reports later, never before it returned

  [[nodiscard]] Stage stage() const { return stage_; }
  [[nodiscard]] Phase phase() const { return phase_; }  // the last one that the dial has entered
  // What was agreed on; nothing before TLS is established, and without TLS.
  [[nodiscard]] const std::optional<tls::Negotiated>& negotiated() const { return negotiated_; }
  [[nodiscard]] const std::string& alpn() const { return alpn_; }

 private:
  void on_deadline();
  void act_on(preamble::Step step);
  void enter(Stage stage);
  void leave();
  void on_closed();
  void finish(Failure failure);
  [[nodiscard]] preamble::Route route() const;

  [[nodiscard]] bool on_phase(Phase phase) override;
  [[nodiscard]] Dial::Watchers watchers_of(const uv::Stream& stream) override {
    return owner_.watchers_of_visit(stream);
  }
  void on_established() override;
  void on_dial_failed() override;
  void on_plaintext(MutableBytes plaintext) override;
  void on_end(Channel::End end) override;
  void on_drained() override {}
  void on_lost() override {}  // reading ends with the same error

  uv::Loop& loop_;
  AddressBook& book_;
  const Task task_;
  Owner& owner_;

  Stage stage_ = Stage::dialling;
  Phase phase_ = Phase::resolving;
  std::optional<tls::Negotiated> negotiated_;
  std::string alpn_;
  // Released by finish(), all of them.
  uv::Timer deadline_;
  std::vector<SocketAddress> tried_;
  std::unique_ptr<Dial> dial_;
  std::unique_ptr<Channel> channel_;  // may be on the stack then: released, and gone with us
  std::unique_ptr<preamble::Conversation> question_;
};

}  // namespace tunnel
