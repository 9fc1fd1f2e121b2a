// SPDX-License-Identifier: MIT
#include "tls/resumption.h"

#include <algorithm>
#include <utility>

namespace tunnel::tls {
namespace {

// The longest time without a full handshake, in which the server proves anew that it has its key.
constexpr std::time_t kMaxAge = 3600;
// A ticket holds a chain; one of more is not worth its memory.
constexpr std::size_t kMaxTicket = 16384;

void add_names(x509::Fingerprinter& printer, const x509::Peer& peer) {
  printer.add_count(peer.names.size());
  for (const auto& name : peer.names) printer.add(name);
}

}  // namespace

// The ticket may be what the server has stumbled over, and the others of the shelf are like it.
Resumption::~Resumption() {
  if (has_offered_ && expires_ == 0) remembered_->at(*key_)->tickets.forget(*key_);
}

void Resumption::begin(const x509::Peer& peer, Tickets tickets) {
  if (remembered_ == nullptr || !context_.resumption) return;
  x509::Fingerprinter printer;
  // The context's identity stands for all that the configuration says. A context that is loaded
  // anew has another: nothing that was kept under one policy is ever offered under a stricter one.
  printer.add(*context_.identity).add(peer.target).add(peer.sni);
  add_names(printer, peer);
  key_ = printer.finish();
  if (!key_) return;
  is_without_ticket_ = tickets == Tickets::suspected;
  if (!is_without_ticket_ && is_hopeless()) key_.reset();
}

bool Resumption::is_hopeless() const {
  return remembered_->at(*key_)->refused.is_hopeless(*key_, remembered_->now());
}

void Resumption::offer(gnutls_session_t session) {
  if (!keeps_tickets()) return;
  const auto ticket = remembered_->at(*key_)->tickets.take(*key_, remembered_->now());
  if (!ticket) return;
  if (gnutls_session_set_data(session, ticket->data.data(), ticket->data.size()) < 0) return;
  has_offered_ = true;
  offered_expires_ = ticket->expires;
}

std::optional<x509::Fingerprint> Resumption::fingerprint_of_chain(gnutls_session_t session,
                                                                  const x509::Peer& peer) const {
  unsigned count = 0;
  const gnutls_datum_t* chain = gnutls_certificate_get_peers(session, &count);
  if (chain == nullptr || count == 0) return std::nullopt;
  gnutls_datum_t response{};
  if (gnutls_ocsp_status_request_get2(session, 0, &response) < 0) response = {};
  x509::Fingerprinter printer;
  printer.add(*context_.identity).add(x509::view_of(response)).add_count(count);
  for (unsigned i = 0; i < count; ++i) printer.add(x509::view_of(chain[i]));
  add_names(printer, peer);
  return printer.finish();
}

x509::Verdict Resumption::judge(gnutls_session_t session, const x509::Peer& peer) {
  const auto& policy = context_.policy;
  // Certificates are shown in full handshakes only.
  if (gnutls_session_is_resumed(session) == 0) is_declined_ = true;
  if (remembered_ == nullptr || policy.verify == config::Verify::none) {
    return x509::verify_peer(session, policy, peer, std::time(nullptr));
  }
  const auto now = remembered_->now();
  const auto print = fingerprint_of_chain(session, peer);
  const auto known = print ? remembered_->at(*print)->chains.find(*print, now) : std::nullopt;
  if (known) {
    good_until_ = known->until;
    x509::Verdict verdict;
    verdict.ocsp_until = known->ocsp_until;
    verdict.path = known->path;
    return verdict;
  }
  auto verdict = x509::verify_peer(session, policy, peer, now);
  if (verdict.failure.kind != Kind::ok) return verdict;
  good_until_ = verdict.good_until;
  if (print) {
    remembered_->at(*print)->chains.add(*print, now,
                                        {good_until_, verdict.ocsp_until, verdict.path});
  }
  return verdict;
}

void Resumption::established(gnutls_session_t session) {
  if (!keeps_tickets()) return;
  // Without a ticket it works: it was the ticket.
  if (is_without_ticket_) return rest_tickets();
  const bool is_resumed = gnutls_session_is_resumed(session) != 0;
  if (is_resumed) remembered_->at(*key_)->refused.accepted(*key_);
  if (has_offered_ && !is_resumed) refused();
  if (!keeps_tickets()) return;
  expires_ = std::min(is_resumed ? offered_expires_ : remembered_->now() + kMaxAge, good_until_);
  // TLS 1.3 brings its tickets later (ticket_received); until then GnuTLS has nothing to resume
  // with.
  if (gnutls_protocol_get_version(session) >= GNUTLS_TLS1_3) return;
  // Without the extended master secret (RFC 7627) a session can be resumed with somebody else.
  if (gnutls_session_ext_master_secret_status(session) == 0) return;
  gnutls_datum_t id{};
  const bool has_id = gnutls_session_get_id2(session, &id) == 0 && id.size > 0;
  const bool has_ticket = (gnutls_session_get_flags(session) & GNUTLS_SFLAGS_SESSION_TICKET) != 0;
  if (has_id || has_ticket) return keep(session);
}

// When it was one too many, tickets are neither kept nor left behind: those of before the pause
// would be refused after it.
void Resumption::refused() {
  remembered_->at(*key_)->refused.refused(*key_, remembered_->now());
  if (!is_hopeless()) return;
  remembered_->at(*key_)->tickets.forget(*key_);
  forget_server();
}

void Resumption::rest_tickets() {
  if (!key_) return;
  const auto part = remembered_->at(*key_);
  part->refused.broke_off(*key_, remembered_->now());
  part->tickets.forget(*key_);
  forget_server();
}

// From here on this session neither offers nor keeps anything.
void Resumption::forget_server() {
  has_offered_ = false;
  key_.reset();
}

void Resumption::ticket_received(gnutls_session_t session) {
  if (!keeps_tickets() || expires_ == 0) return;
  if (gnutls_protocol_get_version(session) < GNUTLS_TLS1_3) return;
  if ((gnutls_session_get_flags(session) & GNUTLS_SFLAGS_SESSION_TICKET) == 0) return;
  return keep(session);
}

void Resumption::keep(gnutls_session_t session) {
  // Another session has found out meanwhile.
  if (is_hopeless()) return;
  // Only what was proven with a certificate can be judged again when it is resumed.
  unsigned count = 0;
  if (gnutls_certificate_get_peers(session, &count) == nullptr || count == 0) return;
  x509::Datum data;
  if (gnutls_session_get_data2(session, data.get()) < 0 || data.view().size() > kMaxTicket) return;
  remembered_->at(*key_)->tickets.put(*key_, {std::string(data.view()), expires_, context_.identity},
                                      remembered_->now());
}

}  // namespace tunnel::tls
