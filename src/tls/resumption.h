// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <limits>

#include "tls/context_impl.h"
#include "tls/remembered.h"
#include "tls/tickets.h"
#include "x509/verifier.h"

namespace tunnel::tls {

// One session's use of what is remembered of its server: the ticket it offers, the verdict it need
// not reach again, the tickets it brings. Loop-bound; part of a Session.
//
// A resumed session is as good as the handshake that its ticket comes from, no better: GnuTLS keeps
// the certificates and the stapled response in the ticket, and judge() is asked about them again.
// Nor is a ticket offered when they have ended, or an hour after the full handshake.
class Resumption {
 public:
  // `remembered` may be null: nothing is offered, kept or skipped.
  Resumption(const Context::Impl& context, Remembered* remembered)
      : context_(context), remembered_(remembered) {}
  // A handshake that offered a ticket and came to nothing: the others are not offered either.
  ~Resumption();
  Resumption(const Resumption&) = delete;
  Resumption& operator=(const Resumption&) = delete;

  // First of all.
  void begin(const x509::Peer& peer, Tickets tickets);
  // After begin(): not where resumption is switched off, nor while a server refuses all tickets.
  [[nodiscard]] bool keeps_tickets() const { return key_.has_value(); }
  // Before the handshake.
  void offer(gnutls_session_t session);
  // A ticket was offered, and nothing yet has shown that the server minds it or not.
  [[nodiscard]] bool is_ticket_suspected() const { return has_offered_ && !is_declined_; }
  // The ticket broke the handshake, or the resumed session: no more of them for a while.
  void rest_tickets();
  // What verify_peer says, or has said a moment ago.
  [[nodiscard]] x509::Verdict judge(gnutls_session_t session, const x509::Peer& peer);
  // After the handshake: TLS 1.2 sessions can be kept now.
  void established(gnutls_session_t session);
  // A ticket has come (TLS 1.3), at any time after the handshake.
  void ticket_received(gnutls_session_t session);

 private:
  [[nodiscard]] std::optional<x509::Fingerprint> fingerprint_of_chain(gnutls_session_t session,
                                                                      const x509::Peer& peer) const;
  [[nodiscard]] bool is_hopeless() const;  // to offer or keep tickets; with a key only
  void refused();
  void forget_server();
  void keep(gnutls_session_t session);

  const Context::Impl& context_;
  Remembered* const remembered_;
  std::optional<x509::Fingerprint> key_;  // tickets of this session's kind
  // When a ticket of this session has to expire, and what bounds it before that is known.
  std::time_t expires_ = 0;
  std::time_t good_until_ = std::numeric_limits<std::time_t>::max();
  std::time_t offered_expires_ = 0;
  bool has_offered_ = false;
  bool is_declined_ = false;        // the server makes a full handshake all the same
  bool is_without_ticket_ = false;  // because the one before has failed with one
};

}  // namespace tunnel::tls
