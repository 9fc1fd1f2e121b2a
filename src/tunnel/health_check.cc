// SPDX-License-Identifier: MIT
#include "tunnel/health_check.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "tunnel/health_log.h"

namespace tunnel {
namespace {

// So that many checks do not knock at the same moment forever.
constexpr double kJitter = 0.1;
// A target's first check comes soon, but not all at once.
constexpr Millis kSpread{500};
// A server that never closes after our goodbye has still passed.
constexpr Millis kGoodbye{1000};

// A check of a plain service speaks TLS as `health.tls` says; a `tcp` check never does.
DialSettings check_settings(const ServiceConfig& service) {
  DialSettings settings = service.dial;
  const config::Health& health = service.service.health;
  if (health.tls) {
    settings.tls = service.check_tls.get();
    settings.names = health.tls->name;
    settings.sni = health.tls->sni;
    settings.needs_name = health.tls->verify == config::Verify::full;
  }
  if (health.check == config::Check::tcp) settings.tls = nullptr;
  return settings;
}

balance::CheckDepth depth_of(const ServiceConfig& service) {
  const bool is_shallow = service.service.health.check == config::Check::tcp && service.tls;
  return is_shallow ? balance::CheckDepth::shallow : balance::CheckDepth::full;
}

}  // namespace

HealthCheck::HealthCheck(const Surroundings& surroundings, ServiceHandle service,
                         std::shared_ptr<balance::Target> target, const OnTargetChange& on_change)
    : loop_(surroundings.loop),
      log_(surroundings.log),
      book_(surroundings.book),
      random_(surroundings.random),
      service_(std::move(service)),
      target_(std::move(target)),
      on_change_(on_change),
      rules_(service_.settings().health),
      settings_(check_settings(*service_.config)),
      timer_(loop_, [this] { on_timer(); }) {
  const Millis spread = std::min(rules_.interval, kSpread);
  timer_.start(Millis(1 + random_.below(static_cast<std::uint64_t>(spread.count()))));
}

HealthCheck::~HealthCheck() = default;

void HealthCheck::schedule() {
  const double factor = random_.between(1 - kJitter, 1 + kJitter);
  const double wait = static_cast<double>(rules_.interval.count()) * factor;
  timer_.start(Millis(static_cast<std::int64_t>(wait)));
}

void HealthCheck::on_timer() {
  switch (state_) {
    case State::resting:
      return begin();
    case State::leaving:
      return passed();
    case State::dialling:
    case State::asking:
      break;
  }
  const std::string limit = format_duration(rules_.timeout) + " (health.timeout)";
  const bool is_resolving = state_ == State::dialling && dial_->phase() == Phase::resolving;
  Kind kind = Kind::connect_timeout;
  if (is_resolving) kind = Kind::resolve_failed;
  if (state_ == State::asking || dial_->phase() > Phase::connecting) kind = Kind::tls_timeout;
  if (state_ == State::asking && !channel_->speaks_tls()) kind = Kind::check_failed;
  const std::string waited = question_ ? " while waiting for " + question_->waiting_for() : "";
  return failed(kind, "the check of " + target_->text() + " was not over within " + limit + waited,
                is_resolving);
}

void HealthCheck::begin() {
  state_ = State::dialling;
  dial_ = std::make_unique<Dial>(loop_, book_,
                                 Dial::Task{.target = target_->endpoint(),
                                            .settings = settings_,
                                            .caller = {.purpose = preamble::Purpose::check},
                                            .tried = tried_},
                                 *this);
  timer_.start(rules_.timeout);
  return dial_->start();
}

void HealthCheck::on_dial_failed() {
  const DialFailure failure = dial_->failure();
  return failed(failure.kind, failure.text, failure.is_local);
}

void HealthCheck::on_established() {
  channel_ = std::make_unique<Channel>(loop_, dial_->take_stream(), dial_->take_session());
  const std::unique_ptr<Dial> done = std::move(dial_);  // it is on the stack until we return
  channel_->attach(*this, *this);
  channel_->start_reading();
  state_ = State::asking;
  question_ = preamble::make_check(rules_.check, route());
  if (!question_) {
    leave();
  } else {
    act_on(question_->on_start());
  }
  channel_->open_held();
}

preamble::Route HealthCheck::route() const {
  const balance::Endpoint& endpoint = target_->endpoint();
  const x509::Peer peer = expected_peer(endpoint, settings_);
  return {.service = service_.settings(),
          .target = endpoint.text,
          .host = endpoint.host,
          .port = endpoint.port,
          .tls_name = x509::host_of(peer, endpoint.host),
          .client = {},
          .accepted = {},
          .purpose = preamble::Purpose::check};
}

void HealthCheck::on_plaintext(MutableBytes plaintext) {
  if (state_ == State::asking) act_on(question_->on_server(plaintext));
}

void HealthCheck::act_on(preamble::Step step) {
  if (!step.to_server.empty()) (void)channel_->write(as_mutable_bytes(step.to_server));
  switch (step.status) {
    case preamble::Status::again:
      return;
    case preamble::Status::done:
      return leave();
    case preamble::Status::failed:
      return failed(step.failure.kind, step.failure.text, step.failure.is_local);
  }
}

// Says goodbye and waits for the server's: it has then read our last flight, and what it thinks of
// our certificate is known.
void HealthCheck::leave() {
  state_ = State::leaving;
  timer_.start(std::min(rules_.timeout, kGoodbye));
  (void)channel_->close();
  channel_->shut_down();
}

void HealthCheck::on_end(Channel::End end) {
  switch (end.how) {
    case Channel::End::How::close_notify:
    case Channel::End::How::fin:
      return on_closed();
    case Channel::End::How::reset:
      break;
    case Channel::End::How::failed: {
      const Failure failure = channel_->failure();
      return failed(failure.kind, failure.text, false);
    }
  }
  if (state_ == State::leaving) return passed();
  return failed(Kind::reset_by_server,
                target_->text() + " broke the connection during the check (" +
                    uv_strerror(end.uv_error) + ")",
                false);
}

void HealthCheck::on_closed() {
  if (state_ == State::leaving) return passed();
  const preamble::Step step = question_->on_server_end(preamble::End::eof);
  if (step.status == preamble::Status::done) return passed();
  return failed(Kind::check_failed,
                step.status == preamble::Status::failed
                    ? step.failure.text
                    : target_->text() + " closed the connection while the check waited for " +
                          question_->waiting_for(),
                false);
}

void HealthCheck::announce(const balance::Transition& transition) {
  if (!service_.config->moves_connections()) return;
  on_change_({target_->id(), transition.change, transition.source});
}

void HealthCheck::passed() {
  const balance::Transition transition =
      target_->checked(loop_.now(), balance::CheckResult::passed, depth_of(*service_.config));
  if (transition.change == balance::Transition::Change::restored) {
    log_restored(log_, service_.settings().name, target_->text(), transition);
    announce(transition);
  }
  return rest();
}

// What this machine could not do says nothing about the target.
void HealthCheck::failed(Kind kind, const std::string& text, bool is_local) {
  if (!is_local) {
    const balance::Transition transition =
        target_->checked(loop_.now(), balance::CheckResult::failed, depth_of(*service_.config),
                         {kind, text});
    log_.debug(
        {service_.settings().name},
        "check of " + target_->text() + " failed (" + target_->health().check_text() + "): " + text,
        {{"target", std::string_view(target_->text())}, {"kind", word(kind)}});
    if (transition.change == balance::Transition::Change::ejected) {
      log_ejected(log_, service_.settings().name, target_->text(), kind, text, choice_, transition);
      announce(transition);
    }
  }
  return rest();
}

// The one place that ends a check.
void HealthCheck::rest() {
  state_ = State::resting;
  dial_.reset();
  question_.reset();
  if (channel_) channel_->release();
  tried_.clear();
  return schedule();
}

HealthChecks::HealthChecks(const Surroundings& surroundings, ServiceHandle service,
                           OnTargetChange on_change)
    : surroundings_(surroundings),
      service_(std::move(service)),
      on_change_(std::move(on_change)) {}

HealthChecks::~HealthChecks() = default;

void HealthChecks::set_layout(std::shared_ptr<const balance::Layout> layout) {
  surroundings_.loop.assert_here();
  if (service_.settings().health.check == config::Check::none) return;
  std::vector<std::unique_ptr<HealthCheck>> kept;
  for (const balance::Group& group : layout->groups()) {
    for (const balance::Member& member : group.members) {
      const auto is_same = [&](const std::unique_ptr<HealthCheck>& check) {
        return check && &check->target() == member.target.get();
      };
      if (std::any_of(kept.begin(), kept.end(), is_same)) continue;
      const auto found = std::find_if(checks_.begin(), checks_.end(), is_same);
      kept.push_back(found != checks_.end()
                         ? std::move(*found)
                         : std::make_unique<HealthCheck>(surroundings_, service_, member.target,
                                                         on_change_));
    }
  }
  const Choice choice = layout->has_one_target() ? Choice::only_target : Choice::one_of_several;
  for (const auto& check : kept) check->set_choice(choice);
  checks_ = std::move(kept);
}

}  // namespace tunnel
