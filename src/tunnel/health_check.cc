// SPDX-License-Identifier: MIT
#include "tunnel/health_check.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "tunnel/health_log.h"
#include "tunnel/identity_note.h"

namespace tunnel {
namespace {

// So that many checks do not knock at the same moment forever.
constexpr double kJitter = 0.1;
// A target's first check comes soon, but not all at once.
constexpr Millis kSpread{500};

balance::CheckDepth depth_of(const ServiceConfig& service) {
  const bool is_shallow = service.service.health.check == config::Check::tcp && service.tls;
  return is_shallow ? balance::CheckDepth::shallow : balance::CheckDepth::full;
}

}  // namespace

DialSettings check_settings(const ServiceConfig& service) {
  DialSettings settings = service.dial;
  const config::Health& health = service.service.health;
  if (health.tls) {
    settings.tls = service.check_tls.get();
    settings.names = health.tls->name;
    settings.sni = health.tls->sni;
    settings.needs_name = health.tls->verify == config::Verify::full;
  }
  // That a port accepts is all that such a check asks; where the target speaks TLS, that cannot
  // clear what a failed dial has said of it (CheckDepth::shallow).
  if (health.check == config::Check::tcp) settings.tls = nullptr;
  return settings;
}

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
      timer_(loop_, [this] { begin(); }) {
  const Millis spread = std::min(rules_.interval, kSpread);
  timer_.start(Millis(1 + random_.below(static_cast<std::uint64_t>(spread.count()))));
}

HealthCheck::~HealthCheck() = default;

void HealthCheck::schedule() {
  const double factor = random_.between(1 - kJitter, 1 + kJitter);
  const double wait = static_cast<double>(rules_.interval.count()) * factor;
  timer_.start(Millis(static_cast<std::int64_t>(wait)));
}

void HealthCheck::begin() {
  in_visit_.restart();
  visit_ = std::make_unique<Visit>(loop_, book_,
                                   Visit::Task{.target = target_->endpoint(),
                                               .settings = settings_,
                                               .check = rules_.check,
                                               .limit = rules_.timeout,
                                               .limit_name = "health.timeout",
                                               .caller = {.purpose = preamble::Purpose::check}},
                                   *this);
  return visit_->start();
}

void HealthCheck::on_visited(const Failure& failure) {
  const Micros took = in_visit_.elapsed();
  if (!failure.is_local) service_.life->tally.checks.observe(seconds(took));
  target_->tally().last_check.show(
      std::make_shared<const balance::CheckReport>(balance::CheckReport{
          .at = loop_.now(), .took = took, .failure = {failure.kind, failure.text}}));
  if (failure.kind == Kind::ok) {
    passed();
  } else if (!failure.is_local) {  // what this machine could not do says nothing about the target
    failed(failure);
  }
  return schedule();
}

// A server that stands by shows its certificate to nobody else.
void HealthCheck::on_visit_secured(const tls::Session& session) {
  return note_identity(target_->tally().identity, session);
}

void HealthCheck::announce(const balance::Transition& transition) {
  if (!service_.config->moves_connections()) return;
  on_change_({target_->id(), transition.change, transition.source});
}

void HealthCheck::passed() {
  const balance::Transition transition =
      target_->checked(loop_.now(), balance::CheckResult::passed, depth_of(*service_.config));
  if (transition.change != balance::Transition::Change::restored) return;
  log_restored(log_, service_.settings().name, target_->text(), transition);
  announce(transition);
}

void HealthCheck::failed(const Failure& failure) {
  const balance::Transition transition =
      target_->checked(loop_.now(), balance::CheckResult::failed, depth_of(*service_.config),
                       {failure.kind, failure.text});
  log_.debug({service_.settings().name},
             "check of " + target_->text() + " failed (" + target_->health().check_text() +
                 "): " + failure.text,
             {{"target", std::string_view(target_->text())}, {"kind", word(failure.kind)}});
  if (transition.change != balance::Transition::Change::ejected) return;
  log_ejected(log_, service_.settings().name, target_->text(), failure.kind, failure.text, choice_,
              transition);
  announce(transition);
}

HealthChecks::HealthChecks(const Surroundings& surroundings, ServiceHandle service,
                           OnTargetChange on_change)
    : surroundings_(surroundings), service_(std::move(service)), on_change_(std::move(on_change)) {}

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
      // A target that stands in several groups is checked once.
      if (std::any_of(kept.begin(), kept.end(), is_same)) continue;
      const auto found = std::find_if(checks_.begin(), checks_.end(), is_same);
      kept.push_back(
          found != checks_.end()
              ? std::move(*found)
              : std::make_unique<HealthCheck>(surroundings_, service_, member.target, on_change_));
    }
  }
  // For those that are kept, too: the targets around them may have come or gone.
  const Choice choice = layout->has_one_target() ? Choice::only_target : Choice::one_of_several;
  for (const auto& check : kept) check->set_choice(choice);
  checks_ = std::move(kept);
}

}  // namespace tunnel
