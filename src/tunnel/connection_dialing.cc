// SPDX-License-Identifier: MIT
// A Connection from its client's arrival until a target is established, or all have failed.
#include "tunnel/connection_dialing.h"

#include <algorithm>
#include <utility>

#include "base/socket.h"
#include "tunnel/service.h"

namespace tunnel {

Connection::Dialing::Dialing(Connection& connection, Service& service,
                             const SocketAddress& its_address)
    : address(its_address),
      walk(service.layout(), address, service.random()),
      deadline(service.loop(), [&connection] { connection.on_dial_deadline(); }),
      retry(service.loop(), [&connection] { connection.on_retry(); }) {}

void Connection::Dialing::silence() {
  if (dial) dial->abandon();
  deadline.stop();
  retry.stop();
}

// A connection goes round from dial_next() to a dial and, as long as dials fail, back. It leaves
// the circle when one is established (on_established), when nothing is left to try (all_failed), or
// when its client has gone. Where it must wait, a timer, a free slot or an answer of DNS brings it
// back to dial_next().
void Connection::begin_dialing() {
  if (const auto limit = service_.config().timeouts.dial) dialing_->deadline.start(*limit);
  return dial_next();
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
  // Only the PROXY header has it, and it takes a system call.
  caller.accepted = local_address(client_->fd());
  return caller;
}

void Connection::on_targets_changed() {
  if (state_ != State::waiting && state_ != State::dialling) return;
  // A dial under way goes on with its target; what is tried next is of the new layout.
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

void Connection::on_option_refused(const std::string& text) { return service_.report_option(text); }

void Connection::on_read(MutableBytes bytes) { return dialing_->dial->on_client(bytes); }

void Connection::on_eof() { return client_left(); }

void Connection::on_read_error(int) { return client_left(); }

void Connection::on_dial_failed() {
  const DialFailure failure = dialing_->dial->failure();
  record_.times = dialing_->dial->times();
  tally_.dial_failed(record_.times);
  const bool is_last = failure.is_final || !dialing_->walk.has_left();
  if (capture_) capture_->attempt_failed(failure);
  // The sentence is said once: with the ejection when another target may yet serve, and else in the
  // line that tells of all of them.
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
  dialing_->attempts.add(record_.target, std::move(failure));
}

void Connection::on_dial_deadline() {
  // A dial that was begun for the next target in this very moment has not failed: the one before
  // has, and is on record.
  const bool is_dialled = claim_ && (dialing_->dial->has_begun() || dialing_->attempts.empty());
  if (is_dialled) {
    record_.times = dialing_->dial->times();
    tally_.dial_failed(record_.times);
    attempt_failed(
        gave_up_on(record_.target, dialing_->dial->phase(), *service_.config().timeouts.dial),
        Sentence::in_a_later_line);
  }
  return all_failed();
}

void Connection::all_failed() {
  const Millis since_accepted = age();
  // A dial may fail within microseconds, and the client must have seen its connect(2) succeed.
  if (since_accepted >= kSoonestReset) return give_up();
  enter(State::lost);
  dialing_->silence();
  return dialing_->retry.start(kSoonestReset - since_accepted);
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
  if (!dialing_->attempts.empty()) outcome = dialing_->attempts.outcome();
  report_dial_failed(outcome);
  // `closed` has the same kind and target; the sentence was said.
  outcome.text = dialing_->attempts.summary();
  return finish(outcome);
}

// One line that names every target tried and why it failed.
void Connection::report_dial_failed(const Outcome& outcome) {
  const std::string kinds = dialing_->attempts.kinds();
  std::string sentences = dialing_->attempts.sentences();
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

}  // namespace tunnel
