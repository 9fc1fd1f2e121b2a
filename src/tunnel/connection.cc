// SPDX-License-Identifier: MIT
#include "tunnel/connection.h"

#include <cassert>
#include <utility>

#include "base/socket.h"
#include "tunnel/connection_dialing.h"
#include "tunnel/service.h"
#include "uv/socket_options.h"

namespace tunnel {

Connection::Connection(Service& service, Fd client, const SocketAddress& address, std::uint64_t id)
    : service_(service),
      socket_(std::move(client)),
      dialing_(std::make_unique<Dialing>(*this, service, address)),
      tally_(*service.handle().life),
      record_{.service = service.config().name, .id = id, .client = address.to_string()} {}

Connection::~Connection() = default;

// A connection that waits may be woken for nothing, and waits again. One that relays may lose a
// server that had gone before it came. Every state may be the last: the client may leave, and the
// process be stopped, at any time.
bool Connection::is_legal(State from, State to) {
  switch (from) {
    case State::accepted:
      return to == State::choosing || to == State::relaying || to == State::finished;
    case State::choosing:
      return to == State::waiting || to == State::dialling || to == State::lost ||
             to == State::finished;
    case State::waiting:
      return to == State::choosing || to == State::lost || to == State::finished;
    case State::dialling:
      return to == State::choosing || to == State::lost || to == State::relaying ||
             to == State::finished;
    case State::relaying:
      return to == State::choosing || to == State::finished;
    case State::lost:
      return to == State::finished;
    case State::finished:
      break;
  }
  return false;
}

void Connection::enter(State next) {
  assert(is_legal(state_, next));
  state_ = next;
}

void Connection::start() {
  const int family = dialing_->address.family();
  auto adopted = uv::Stream::adopt(service_.loop(), std::move(socket_), family, *this);
  if (!adopted) {
    return finish({Kind::connection_lost, Side::tunnel,
                   "cannot take over an accepted connection: " + adopted.error().text});
  }
  client_ = std::move(*adopted);
  if (!client_->is_unix()) {
    // Small requests must not wait for the answer to the one before (Nagle), and a client whose
    // machine vanished must be noticed some day.
    client_->set_nodelay();
    const config::Keepalive& keepalive = service_.config().keepalive;
    if (keepalive.enabled) {
      client_->set_keepalive(static_cast<int>(keepalive.idle.count() / 1000),
                             static_cast<int>(keepalive.interval.count() / 1000), keepalive.count);
    }
  }
  for (const std::string& refused :
       uv::set_socket_options(client_->fd(), family, service_.config().socket_options.client)) {
    service_.report_option("socket_options.client: " + refused);
  }
  for (const capture::Source& source : service_.captures()) join_capture(source);
  // What goes over the network can be decrypted only with the handshake, which a capture must see.
  if (!capture_ || !capture_->watches_network()) {
    if (auto ready = service_.take_preconnected()) return take_over(std::move(*ready));
  }
  return begin_dialing();
}

// Of a connection that was established before this client came.
void Connection::take_over(Spare::Handed handed) {
  claim_ = std::move(handed.claim);
  record_.target = claim_.target().text();
  record_.is_preconnected = true;
  dialing_->changes = service_.changes();
  handed.ends.is_replaceable = true;
  return relay(std::move(handed.ends));
}

// The server ended what was kept ready just as this client came: as if there had been nothing.
void Connection::on_server_unused(std::unique_ptr<uv::Stream> client) {
  service_.log().debug(subject(),
                       record_.target + " has ended the connection that was kept ready: dialling",
                       {{"target", std::string_view(record_.target)}});
  tally_.leave();
  claim_.release();
  record_.target = "-";
  record_.negotiated = {};
  record_.is_preconnected = false;
  client_ = std::move(client);
  client_->set_events(*this);
  dialing_ = std::make_unique<Dialing>(*this, service_, peer_address(client_->fd()));
  return begin_dialing();
}

void Connection::on_established() {
  Dial& dial = *dialing_->dial;
  record_.times = dial.times();
  service_.report_established(claim_);
  return relay({.server = dial.take_stream(),
                .session = dial.take_session(),
                .greeting = dial.take_greeting(),
                .surplus = dial.take_surplus(),
                .filter = dial.take_filter()});
}

void Connection::report_connected() {
  if (!service_.log().enabled(log::Level::debug)) return;
  const std::string ocsp =
      record_.negotiated.version.empty() ? "" : tls::ocsp_text(record_.negotiated);
  service_.log().write(log::Level::debug, log::Event::connected, subject(),
                       "connected to " + record_.target,
                       {{"client", std::string_view(record_.client)},
                        {"target", std::string_view(record_.target)},
                        {"tls", record_.negotiated.version},
                        {"resumed", record_.negotiated.resumed},
                        {"ocsp", std::string_view(ocsp)},
                        {"tries", std::uint64_t{record_.tries}},
                        {"preconnected", record_.is_preconnected}});
}

void Connection::relay(Relay::Ends ends) {
  if (ends.session) record_.negotiated = ends.session->negotiated();
  if (capture_) capture_->established(ends.server.get(), ends.session.get(), record_);
  tally_.established(record_, claim_.target(), ends.session.get(), since_accepted_.elapsed());
  ends.client = std::move(client_);
  ends.target = record_.target;
  ends.of_service = &service_.traffic();
  ends.of_target = &service_.traffic(claim_.target());
  relay_ = std::make_unique<Relay>(service_.loop(), std::move(ends),
                                   service_.handle().config->relay, *this);
  enter(State::relaying);
  report_connected();
  // The Dial may be on the stack: it goes with the rest of the dialing at the end of this function,
  // which is its last statement too.
  const std::unique_ptr<Dialing> done = std::move(dialing_);
  relay_->start();
  if (state_ != State::relaying) return;
  if (is_stopping_) return relay_->stop_when_idle();
  // What has changed while it was dialled has passed it by.
  if (done->changes != service_.changes()) return service_.call_home(*this);
}

void Connection::join_capture(const capture::Source& source) {
  if (state_ == State::finished) return;
  uv::Stream* client = state_ == State::relaying ? relay_->client_stream() : client_.get();
  if (client == nullptr) return;  // not started: it asks then
  if (!capture_) {
    capture_ = std::make_unique<ConnectionCapture>(service_.config(), record_.id, *client);
  }
  capture_->join(source);
  if (state_ != State::relaying) return;
  return capture_->go_on(relay_->server_stream(), relay_->session(), record_);
}

void Connection::leave_capture(const capture::Recording& recording) {
  if (capture_) capture_->leave(recording);
}

void Connection::stop_when_idle() {
  is_stopping_ = true;
  leaving_ = Leaving::no;
  if (state_ == State::relaying) return relay_->stop_when_idle();
}

void Connection::leave_when_idle(Leaving why) {
  if (state_ != State::relaying || is_stopping_) return;
  if (leaving_ == Leaving::ejected || leaving_ == Leaving::removed) return;
  leaving_ = why;
  return relay_->stop_when_idle();
}

void Connection::stay(Leaving why) {
  if (leaving_ != why || why == Leaving::no || state_ != State::relaying || is_stopping_) return;
  leaving_ = Leaving::no;
  return relay_->stay();
}

void Connection::leave_now() {
  if (state_ != State::relaying) return;
  return relay_->abort({Kind::connection_lost, Side::tunnel,
                        "reset because the checks of " + record_.target +
                            " have found it dead (health.on_ejected)"});
}

void Connection::end(const Outcome& why) {
  if (state_ == State::finished) return;
  if (state_ == State::relaying) return relay_->abort(why);
  return finish(why);
}

void Connection::abort() {
  if (state_ == State::finished) return;
  if (state_ == State::relaying)
    return relay_->abort({Kind::stopped, Side::tunnel, "the tunnel was stopped"});
  return finish({Kind::stopped, Side::tunnel, "the tunnel was stopped while it dialled"});
}

std::string Connection::why_it_leaves() const {
  switch (leaving_) {
    case Leaving::home:
      return "a target before " + record_.target + " is usable again (balance_back)";
    case Leaving::ejected:
      return "the checks of " + record_.target + " have found it dead (health.on_ejected)";
    case Leaving::removed:
      return "a reload has removed " + record_.target + " or the service (on_removed)";
    case Leaving::no:
      break;
  }
  return "";
}

// TLS 1.3 servers reject a client certificate after the handshake: that is a failed dial all the
// same. One that refuses a resumed session has yet to fail without the ticket.
void Connection::on_relay_ended(const Outcome& outcome) {
  tally_.leave();  // a verdict about the target takes the claim
  if (leaving_ != Leaving::no && outcome.kind == Kind::ok && outcome.side == Side::tunnel) {
    return finish({outcome.kind, outcome.side, "closed while idle: " + why_it_leaves()});
  }
  const bool is_late_rejection =
      (outcome.kind == Kind::client_cert_rejected || outcome.kind == Kind::tls_alert) &&
      outcome.side == Side::server && relay_->bytes_down() == 0 && !record_.negotiated.resumed;
  if (is_late_rejection) {
    service_.report_failed(claim_, {{outcome.kind, outcome.text, false}},
                           Sentence::in_a_later_line);
  }
  return finish(outcome);
}

// The one place that ends a connection. The relay closes its own streams when this returns; a
// client that never got that far is reset. A timer that ends it runs before the sockets of the same
// turn are read, so a dial that went on would find neither client nor claim.
void Connection::finish(const Outcome& outcome) {
  if (state_ == State::finished) return;
  enter(State::finished);
  complete_record(outcome);
  log_closed(service_.log(), record_);
  tally_.closed(record_);
  socket_.reset();
  if (client_) {
    client_->reset();
    client_.reset();
  }
  if (dialing_) dialing_->silence();
  tally_.leave();
  claim_.release();
  return service_.loop().at_end_of_turn(*this);
}

// After a failed dial the `closed` line is short, for the reasons are in the log already: a service
// with one client says them once more, as its last word.
Outcome Connection::outcome() const {
  Outcome outcome = record_.outcome;
  if (dialing_ && !dialing_->failure.empty()) outcome.text = dialing_->failure;
  return outcome;
}

void Connection::on_end_of_turn() {
  if (capture_) capture_->finish(record_);
  return service_.remove(*this);
}

ConnectionView Connection::view() const {
  constexpr const char* kPhases[] = {"accepted", "choosing", "waiting", "dialling",
                                     "lost",     "open",     "finished"};
  const TimePoint now = service_.loop().now();
  ConnectionView view{.service = std::string(record_.service),
                      .id = record_.id,
                      .client = record_.client,
                      .target = record_.target == "-" ? "" : record_.target,
                      .phase = kPhases[static_cast<std::size_t>(state_)],
                      .age = age()};
  view.tls = negotiated_text(record_.negotiated);
  const uv::Stream* const client =
      state_ == State::relaying ? relay_->client_stream() : client_.get();
  if (client != nullptr && client->is_unix()) {
    if (const auto process = peer_process(client->fd())) view.uid = process->uid;
  }
  if (state_ == State::relaying) {
    view.bytes_up = relay_->bytes_up();
    view.bytes_down = relay_->bytes_down();
    view.idle = now - relay_->last_byte_at();
  }
  return view;
}

void Connection::complete_record(const Outcome& outcome) {
  if (relay_) {
    record_.bytes_up = relay_->bytes_up();
    record_.bytes_down = relay_->bytes_down();
  }
  record_.total = age();
  record_.outcome = outcome;
}

}  // namespace tunnel
