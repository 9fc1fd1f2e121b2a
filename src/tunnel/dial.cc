// SPDX-License-Identifier: MIT
#include "tunnel/dial.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "uv/socket_options.h"

namespace tunnel {

Dial::Dial(uv::Loop& loop, AddressBook& book, const Task& task, Owner& owner)
    : loop_(loop),
      book_(book),
      target_(task.target),
      settings_(task.settings),
      caller_(task.caller),
      tried_(task.tried),
      tried_before_(task.tried.size()),
      owner_(owner),
      deadline_(loop, [this] { on_deadline(); }) {}

Dial::~Dial() = default;

// Through the timer, so that nothing is reported before start() has returned.
void Dial::start() {
  loop_.assert_here();
  deadline_.start(Millis(0));
}

// The conversation and the session stay: one of them may be what is on the stack. They call nobody.
void Dial::abandon() {
  loop_.assert_here();
  deadline_.stop();
  waiter_.reset();
  connector_.reset();
  stream_.reset();
}

void Dial::begin() {
  is_started_ = true;
  in_phase_.restart();
  hops_ = hops_to(target_, settings_.service->proxies, book_);
  if (!enter(Phase::resolving)) return;
  return resolve();
}

// The one place where the phase changes: stamps the time of the phase that ends.
bool Dial::enter(Phase phase) {
  stamp();
  in_phase_.restart();
  phase_ = phase;
  return owner_.on_phase(phase);
}

// Notes how long the current phase has taken so far.
void Dial::stamp() { times_.note(phase_, in_phase_.elapsed()); }

void Dial::on_deadline() {
  if (!is_started_) return begin();
  if (phase_ == Phase::resolving) {
    waiter_.reset();
    remember(
        {Kind::resolve_failed,
         "no answer from DNS for " + hop().host + " within " +
             format_duration(*settings_.timeouts.resolve) +
             " (timeouts.resolve); see that the name servers of /etc/resolv.conf or dns_servers "
             "answer",
         true});
    return finish_failed();
  }
  if (is_unproven_ && settings_.timeouts.connect) {
    return unreachable(connect_timed_out(*settings_.timeouts.connect));
  }
  const Millis limit = *settings_.timeouts.handshake;
  if (phase_ == Phase::preamble) {
    return address_failed({Kind::tls_timeout,
                           target_.text + " did not go on within " + format_duration(limit) +
                               " (timeouts.handshake) while waiting for " +
                               conversation_->waiting_for(),
                           false});
  }
  // There is no time left to try without it, but the next connection can.
  if (session_->is_ticket_suspected()) session_->rest_tickets();
  return address_failed(session_->handshake_timed_out(limit));
}

// --- resolving ---------------------------------------------------------------------------------

void Dial::resolve() {
  if (target_.is_foreign && target_.name.empty() && settings_.names.empty() &&
      settings_.needs_name) {
    remember({Kind::cert_name_mismatch,
              "the SRV answer leads to " + target_.text +
                  ", outside the domain that was asked: DNS is not trusted to name the server (RFC "
                  "6125); set tls.name to the name that its certificate must carry",
              true});
    return finish_failed();
  }
  if (!hop().is_name) return connect();
  const AddressBook::Answer* answer = book_.find(hop().host);
  if (answer != nullptr && !answer->addresses.empty()) return connect();
  if (settings_.timeouts.resolve) deadline_.start(*settings_.timeouts.resolve);
  waiter_ = std::make_unique<AddressBook::Waiter>(book_, hop().host, [this] { on_resolved(); });
}

void Dial::on_resolved() {
  waiter_.reset();
  const AddressBook::Answer* answer = book_.find(hop().host);
  if (answer->addresses.empty()) {
    remember({Kind::resolve_failed,
              answer->error.empty() ? "cannot resolve " + hop().host : answer->error, true});
    return finish_failed();
  }
  return connect();
}

// --- connecting --------------------------------------------------------------------------------

// Races all addresses that this connection has not used up yet.
void Dial::connect() {
  deadline_.stop();
  std::vector<SocketAddress> addresses = hop().addresses(book_);
  // A proxy is the way to every target, not a target of its own: it counts what this dial tried.
  const auto tried = std::span(tried_).subspan(hop().proxy != nullptr ? tried_before_ : 0);
  std::erase_if(addresses, [tried](const SocketAddress& address) {
    return std::ranges::find(tried, address) != tried.end();
  });
  if (addresses.empty()) return finish_failed();
  book_.order(addresses);
  return race(std::move(addresses));
}

void Dial::race(std::vector<SocketAddress> addresses) {
  if (!enter(Phase::connecting)) return;
  connector_ = std::make_unique<Connector>(
      loop_,
      Connector::Race{.addresses = std::move(addresses),
                      .per_address = settings_.timeouts.connect,
                      .bind = settings_.bind ? &*settings_.bind : nullptr,
                      .options = socket_options(),
                      .fast_open = is_fast_open()},
      *this);
  return connector_->start();
}

// A check is to see whether somebody listens.
bool Dial::is_fast_open() const {
  return settings_.service->fast_open && caller_.purpose == preamble::Purpose::client;
}

std::span<const config::SocketOption> Dial::socket_options() const {
  return settings_.service->socket_options.target;
}

void Dial::on_address_failed(const SocketAddress& address, const Failure& why) {
  tried_.push_back(address);
  if (!why.is_local) book_.note_failed(address);
  return remember(unreached(address, why));
}

Failure Dial::unreached(const SocketAddress& address, const Failure& why) const {
  // The target as written may be a name: then the address says which of its machines it was.
  const std::string where = address.to_string();
  const std::string whom = where == hop().text ? where : hop().text + " at " + where;
  // A proxy that cannot be reached says nothing about the target.
  const bool is_local = why.is_local || hop().proxy != nullptr;
  return {why.kind, "cannot connect to " + whom + ": " + why.text, is_local};
}

void Dial::on_all_failed() {
  connector_.reset();
  // A handshake that was to be made once more had one address only: there may be others, which
  // begin anew. It is over when there are none.
  attempt_.reset();
  tickets_ = tls::Tickets::welcome;
  return connect();
}

void Dial::on_connected(Connector::Connected connected) {
  stream_ = std::move(connected.stream);
  address_ = connected.address;
  connector_.reset();
  book_.note_won(address_, connected.silent);
  stream_->set_events(*this);
  const Watchers watchers = owner_.watchers_of(*stream_);
  stream_->set_tap(watchers.tap);
  secrets_ = watchers.secrets;
  if (!address_.is_unix()) {
    stream_->set_nodelay();
    const config::Keepalive& keepalive = settings_.keepalive;
    if (keepalive.enabled) {
      stream_->set_keepalive(static_cast<int>(keepalive.idle.count() / 1000),
                             static_cast<int>(keepalive.interval.count() / 1000), keepalive.count);
    }
    uv::restore_socket_options(stream_->fd(), socket_options());
  }
  // One limit for all that comes between TCP and the first byte of the client. A second attempt
  // has what the first one left: a server that hangs must not cost twice as long.
  const config::Timeout& limit = settings_.timeouts.handshake;
  if (limit && tickets_ == tls::Tickets::welcome) handshake_until_ = loop_.now() + *limit;
  is_unproven_ = connected.is_unproven;
  limit_time();
  if (settings_.has_preamble()) return converse();
  return begin_tls();
}

// Of a connection that nobody has answered yet, as of any connect; else of the handshake.
void Dial::limit_time() {
  if (is_unproven_ && settings_.timeouts.connect) {
    return deadline_.start(*settings_.timeouts.connect);
  }
  if (!settings_.timeouts.handshake) return deadline_.stop();
  deadline_.start(std::max(Millis(1), handshake_until_ - loop_.now()));
}

// It was the first write that was to connect. That says nothing about tickets.
void Dial::unreachable(const Failure& why) {
  session_.reset();
  return address_failed(unreached(address_, why));
}

// --- failures ----------------------------------------------------------------------------------

// Records why the current address failed and goes on to the next one.
void Dial::address_failed(Failure why) {
  const bool is_final = conversation_ && conversation_->is_client_committed();
  if (session_ && session_->is_ticket_suspected()) {
    if (!is_final) return once_more_without_ticket(why.text);
    // This client cannot have another server's greeting. The target is not to blame before it has
    // failed without a ticket.
    session_->rest_tickets();
    why.is_local = true;
  }
  if (!is_final && offer_again(why.kind)) return;
  attempt_.reset();
  tickets_ = tls::Tickets::welcome;
  tried_.push_back(address_);
  if (!why.is_local) book_.note_failed(address_);
  remember(std::move(why));
  failure_.is_final = is_final;
  drop_connection();
  if (failure_.is_final) return finish_failed();
  return connect();
}

// A server that cannot stand tickets must not cost the clients that bring one. This failure is
// nobody's: what happens now counts.
void Dial::once_more_without_ticket(const std::string& why) {
  owner_.on_ticket_suspected(why);
  tickets_ = tls::Tickets::suspected;
  drop_connection();
  return race({address_});
}

// The same address with another offer of TLS, as long as a server may have more of the list than
// it has shown; false when it may not.
bool Dial::offer_again(Kind failed) {
  const auto next = session_ ? session_->next_attempt(failed) : std::nullopt;
  if (!next) return false;
  attempt_ = next;
  drop_connection();
  race({address_});
  return true;
}

void Dial::drop_connection() {
  deadline_.stop();
  session_.reset();
  stream_.reset();
  conversation_.reset();
  filter_.reset();
}

// The failure that got furthest tells most: a refused second address does not hide an expired
// certificate on the first.
void Dial::remember(Failure why) {
  const bool is_first = failure_.kind == Kind::ok;
  const bool is_all_local = why.is_local && (is_first || failure_.is_local);
  if (is_first || phase_ >= failed_in_) {
    failure_.kind = why.kind;
    failure_.text = std::move(why.text);
    failed_in_ = phase_;
  }
  failure_.is_local = is_all_local;
}

void Dial::finish_failed() {
  deadline_.stop();
  stamp();
  // A name that led nowhere may have moved: ask DNS again before its TTL ends.
  if (phase_ > Phase::resolving && hop().is_name) book_.ask_again(hop().host);
  if (hops_.size() > 1 && !failure_.is_final) {
    hops_.erase(hops_.begin());
    if (enter(Phase::resolving)) return resolve();
    return;
  }
  if (failure_.kind == Kind::ok) {
    remember(
        {Kind::unreachable, target_.text + " has no address that was not tried already", true});
  }
  return owner_.on_dial_failed();
}

}  // namespace tunnel
