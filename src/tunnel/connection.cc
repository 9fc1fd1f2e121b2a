// SPDX-License-Identifier: MIT
#include "tunnel/connection.h"

#include <algorithm>
#include <cassert>
#include <ctime>
#include <utility>

#include "balance/walk.h"
#include "base/socket.h"
#include "base/text.h"
#include "tunnel/service.h"
#include "uv/socket_options.h"

namespace tunnel {

struct Connection::Dialing {
  Dialing(Connection& connection, Service& service, const SocketAddress& its_address)
      : address(its_address),
        walk(service.layout(), address, service.random()),
        deadline(service.loop(), [&connection] { connection.on_dial_deadline(); }),
        retry(service.loop(), [&connection] { connection.on_retry(); }) {}

  // Nothing of it calls the connection any more.
  void silence() {
    if (dial) dial->abandon();
    deadline.stop();
    retry.stop();
  }

  const SocketAddress address;  // the client's
  balance::Walk walk;
  std::vector<SocketAddress> tried;  // addresses: none is tried twice for one connection
  std::vector<Attempt> attempts;
  std::string failure;  // for a service with one client: why no target could be reached, in full
  std::uint32_t changes = 0;  // that the service had seen when the last target was claimed
  // What can call the connection: silenced by silence(), all of them.
  std::unique_ptr<Dial> dial;
  uv::Timer deadline;
  // Waiting: when to look again for a target. Lost: when the client may be reset.
  uv::Timer retry;
  bool is_waiting_for_dns = false;
};

Connection::Connection(Service& service, Fd client, const SocketAddress& address, std::uint64_t id)
    : service_(service),
      accepted_at_(service.loop().now()),
      socket_(std::move(client)),
      dialing_(std::make_unique<Dialing>(*this, service, address)),
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

void Connection::begin_dialing() {
  if (const auto limit = service_.config().timeouts.dial) dialing_->deadline.start(*limit);
  return dial_next();
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
  stand_at(std::nullopt);
  claim_.release();
  record_.target = "-";
  record_.negotiated = {};
  record_.is_preconnected = false;
  client_ = std::move(client);
  client_->set_events(*this);
  dialing_ = std::make_unique<Dialing>(*this, service_, peer_address(client_->fd()));
  return begin_dialing();
}

// The next target in the order of groups, policy and health; or a wait for a free slot.
void Connection::dial_next() {
  enter(State::choosing);
  if (client_->is_hung_up()) return client_left();
  if (const auto most = service_.config().max_tries; most && record_.tries >= *most) {
    return all_failed();
  }
  const TimePoint now = service_.loop().now();
  balance::Walk::Next next = dialing_->walk.next(now);
  switch (next.step) {
    case balance::Walk::Step::claimed:
      return dial(std::move(next.claim));
    case balance::Walk::Step::wait:
      enter(State::waiting);
      if (next.retry_at) dialing_->retry.start(std::max(Millis(1), *next.retry_at - now));
      return;
    case balance::Walk::Step::exhausted:
      break;
  }
  // SRV records that have not been answered yet may still bring targets.
  const bool is_waiting =
      service_.layout()->targets().empty() && service_.no_targets_error().empty();
  const auto limit = service_.config().timeouts.resolve;
  if (!is_waiting || dialing_->is_waiting_for_dns || !service_.has_srv()) return all_failed();
  enter(State::waiting);
  dialing_->is_waiting_for_dns = true;
  if (limit) dialing_->retry.start(*limit);
}

void Connection::on_retry() {
  if (state_ == State::lost) return give_up();
  if (dialing_->is_waiting_for_dns) return all_failed();
  return dial_next();
}

void Connection::dial(balance::Claim claim) {
  enter(State::dialling);
  dialing_->retry.stop();
  claim_ = std::move(claim);
  record_.target = claim_.target().text();
  ++record_.tries;
  dialing_->changes = service_.changes();
  dialing_->dial = std::make_unique<Dial>(service_.loop(), service_.book(),
                                          Dial::Task{.target = claim_.target().endpoint(),
                                                     .settings = service_.handle().config->dial,
                                                     .caller = caller(),
                                                     .tried = dialing_->tried},
                                          *this);
  return dialing_->dial->start();
}

Caller Connection::caller() const {
  Caller caller{preamble::Purpose::client, dialing_->address, {}, &service_.remembered()};
  if (service_.config().send_proxy == config::SendProxy::none) return caller;
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* accepted = reinterpret_cast<sockaddr*>(&storage);
  if (::getsockname(client_->fd(), accepted, &length) == 0) {
    caller.accepted = SocketAddress::from(accepted, length);
  }
  return caller;
}

void Connection::on_targets_changed() {
  if (state_ != State::waiting && state_ != State::dialling) return;
  dialing_->walk.move_to(service_.layout());
  if (state_ != State::waiting) return;
  dialing_->is_waiting_for_dns = false;
  return dial_next();
}

void Connection::client_left() {
  return finish({Kind::reset_by_client, Side::client,
                 "the client left before a connection to a target was established"});
}

// A client that is gone already ends the dial at the latest here.
bool Connection::on_phase(Phase phase) {
  if (service_.log().enabled(log::Level::debug)) {
    service_.log().debug(subject(), record_.target + ": " + std::string(describe(phase)),
                         {{"target", std::string_view(record_.target)}});
  }
  if (!client_->is_hung_up()) return true;
  client_left();
  return false;
}

// A conversation before TLS that needs the client (MySQL's): it reads, and only then, what it says.
void Connection::on_bytes_for_client(std::string_view bytes) {
  if (capture_) capture_->begin(dialing_->dial->stream(), record_);
  (void)client_->write(as_bytes(bytes));
}

void Connection::on_client_wanted(bool is_wanted) {
  return is_wanted ? client_->start_reading() : client_->stop_reading();
}

// Before anything has passed to or from the target's address.
Dial::Watchers Connection::watchers_of(const uv::Stream& stream) {
  return capture_ ? capture_->watch_target(stream, record_) : Dial::Watchers{};
}

void Connection::on_ticket_suspected(const std::string& why) {
  service_.log().debug(subject(), why + "; a ticket had been offered: once more without it",
                       {{"target", std::string_view(record_.target)}});
}

void Connection::on_option_refused(const std::string& text) {
  return service_.report_option(text);
}

void Connection::on_read(MutableBytes bytes) { return dialing_->dial->on_client(bytes); }

void Connection::on_eof() { return client_left(); }

void Connection::on_read_error(int) { return client_left(); }

void Connection::on_dial_failed() {
  const DialFailure failure = dialing_->dial->failure();
  record_.times = dialing_->dial->times();
  tally().observe(record_.times);
  const bool is_last = failure.is_final || !dialing_->walk.has_left();
  if (capture_) capture_->attempt_failed(failure);
  attempt_failed(failure, is_last ? Sentence::in_a_later_line : Sentence::with_the_ejection);
  if (failure.is_final) return all_failed();
  return dial_next();
}

void Connection::attempt_failed(DialFailure failure, Sentence sentence) {
  if (service_.log().enabled(log::Level::debug)) {
    service_.log().debug(
        subject(), failure.text,
        {{"target", std::string_view(record_.target)}, {"kind", word(failure.kind)}});
  }
  service_.report_failed(claim_, failure, sentence);
  dialing_->attempts.push_back({record_.target, std::move(failure)});
}

void Connection::on_dial_deadline() {
  const std::string limit = format_duration(*service_.config().timeouts.dial);
  // A dial that was begun for the next target in this very moment has not failed: the one before
  // has, and is on record.
  const bool is_dialled = claim_ && (dialing_->dial->has_begun() || dialing_->attempts.empty());
  if (is_dialled) {
    const Phase phase = dialing_->dial->phase();
    record_.times = dialing_->dial->times();
    DialFailure failure{{Kind::connect_timeout, "", phase == Phase::resolving}};
    if (phase == Phase::resolving) failure.kind = Kind::resolve_failed;
    if (phase >= Phase::preamble) failure.kind = Kind::tls_timeout;
    failure.text = "gave up on " + record_.target + " when " + limit + " were over (timeouts.dial)";
    attempt_failed(std::move(failure), Sentence::in_a_later_line);
  }
  return all_failed();
}

void Connection::all_failed() {
  const Millis age = service_.loop().now() - accepted_at_;
  if (age >= kSoonestReset) return give_up();
  enter(State::lost);
  dialing_->silence();
  return dialing_->retry.start(kSoonestReset - age);
}

void Connection::give_up() {
  Outcome outcome{Kind::no_target, Side::tunnel, "there is no target to connect to"};
  if (service_.layout()->targets().empty() && service_.has_srv()) {
    const std::string& error = service_.no_targets_error();
    outcome.kind = Kind::resolve_failed;
    outcome.text = "no target is known: " +
                   (error.empty() ? "DNS has not answered within timeouts.resolve" : error);
  } else if (dialing_->walk.is_waiting()) {
    outcome.text = "every target was at its max_connections until timeouts.dial was over";
  }
  if (!dialing_->attempts.empty()) {
    const DialFailure& last = dialing_->attempts.back().failure;
    outcome = {last.kind, last.is_local ? Side::tunnel : Side::server, last.text};
  }
  report_dial_failed(outcome);
  // `closed` has the same kind and target; the sentence was said.
  const std::size_t failures = dialing_->attempts.size();
  outcome.text = failures == 0 ? "not connected: no target could be tried"
                 : failures == 1
                     ? "not connected: " + record_.target + " failed"
                     : "not connected: each of " + std::to_string(failures) + " targets failed";
  return finish(outcome);
}

// One line that names every target tried and why it failed.
void Connection::report_dial_failed(const Outcome& outcome) {
  std::string kinds;
  std::string sentences;
  for (const Attempt& attempt : dialing_->attempts) {
    if (!kinds.empty()) kinds += ", ";
    kinds += attempt.target + "=" + std::string(word(attempt.failure.kind));
    if (!sentences.empty()) sentences += "; ";
    sentences += attempt.failure.text;
  }
  if (sentences.empty()) sentences = outcome.text;
  if (const auto most = service_.config().max_tries;
      most && record_.tries >= *most && record_.tries < service_.layout()->targets().size()) {
    sentences += "; no other target was tried (max_tries = " + std::to_string(*most) + ")";
  }
  if (service_.handle().config->has_one_client()) dialing_->failure = sentences;
  const log::RateLimit::Verdict verdict = service_.dial_failures().admit(kinds);
  if (!verdict.write) return;
  if (verdict.suppressed > 0) {
    sentences += " (and " + std::to_string(verdict.suppressed) + " more like this)";
  }
  service_.log().write(log::Level::error, log::Event::dial_failed, subject(), sentences,
                       {{"client", std::string_view(record_.client)},
                        {"target", std::string_view(record_.target)},
                        {"kind", word(outcome.kind)},
                        {"targets", std::string_view(kinds)},
                        {"repeats", verdict.suppressed}});
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
  count_established(ends.session.get());
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
  stand_at(std::nullopt);  // a verdict about the target takes the claim
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
  count(outcome);
  socket_.reset();
  if (client_) {
    client_->reset();
    client_.reset();
  }
  if (dialing_) dialing_->silence();
  stand_at(std::nullopt);
  claim_.release();
  return service_.loop().at_end_of_turn(*this);
}

ServiceTally& Connection::tally() const { return service_.handle().life->tally; }

// When a certificate expires is looked at again now and then only: that reads the certificate.
void Connection::count_established(const tls::Session* session) {
  constexpr std::int64_t kSeldom = 60;
  ServiceTally& its = tally();
  its.observe(record_.times);
  const Millis took = service_.loop().now() - accepted_at_;
  its.dial.observe(static_cast<double>(took.count()) / 1000);
  balance::TargetTally& target = claim_.target().tally();
  target.connections.add();
  stand_at(Stage::open);
  if (session == nullptr) return;
  its.handshakes.add(record_.negotiated);
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  if (now - target.not_after_noted.load(std::memory_order_relaxed) < kSeldom) return;
  target.not_after_noted.store(now, std::memory_order_relaxed);
  target.not_after.store(session->certificate_not_after(), std::memory_order_relaxed);
  target.chain_not_after.store(record_.negotiated.path_until, std::memory_order_relaxed);
  target.tls_version.store(record_.negotiated.version.data(), std::memory_order_relaxed);
  target.ocsp_until.store(record_.negotiated.ocsp_until, std::memory_order_relaxed);
}

// Keeps the gauges: its target is left with the last stage, and so before the claim is.
void Connection::stand_at(std::optional<Stage> stage) {
  if (stage_ == stage) return;
  SharedCounter& open = claim_.target().tally().open;
  if (stage_) tally().stages[static_cast<std::size_t>(*stage_)].subtract();
  if (stage) tally().stages[static_cast<std::size_t>(*stage)].add();
  if (!stage_) open.add();
  if (!stage) open.subtract();
  stage_ = stage;
}

void Connection::count(const Outcome& outcome) {
  ServiceLife& life = *service_.handle().life;
  life.ended.fetch_add(1, std::memory_order_relaxed);
  life.tally.closed[static_cast<std::size_t>(outcome.kind)].add();
  if (record_.tries > 0) life.tally.tries.observe(record_.tries);
  life.tally.duration.observe(static_cast<double>(record_.total.count()) / 1000);
  if (outcome.has_failed()) life.failed.fetch_add(1, std::memory_order_relaxed);
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
                      .age = now - accepted_at_};
  view.tls = negotiated_text(record_.negotiated);
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
  record_.total = service_.loop().now() - accepted_at_;
  record_.outcome = outcome;
}

}  // namespace tunnel
