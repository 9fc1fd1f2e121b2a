// SPDX-License-Identifier: MIT
#include "tunnel/service.h"

#include <algorithm>
#include <utility>

#include "tunnel/health_log.h"

namespace tunnel {

Service::Service(Settings settings)
    : settings_(std::move(settings)),
      dial_failures_(loop()),
      option_failures_(loop(), std::chrono::minutes(1)) {
  if (settings_.spares == 0) return;
  reserve_ = std::make_unique<Reserve>(Reserve::Settings{
      .setting = {settings_.surroundings, handle(), remembered()},
      .size = settings_.spares,
      .bit = settings_.worker_bit,
      .on_established = [this](balance::Claim& claim) { report_established(claim); },
      .on_failed =
          [this](balance::Claim& claim, const DialFailure& failure) {
            report_failed(claim, failure, Sentence::with_the_ejection);
          }});
}

Service::~Service() = default;

void Service::take(Fd socket, const SocketAddress& client, std::uint64_t id) {
  loop().assert_here();
  auto connection = std::make_unique<Connection>(*this, std::move(socket), client, id);
  Connection& stays = *connection;
  stays.index = connections_.size();
  connections_.push_back(std::move(connection));
  return stays.start();
}

void Service::set_targets(std::shared_ptr<const balance::Layout> layout, std::string error) {
  loop().assert_here();
  layout_ = std::move(layout);
  no_targets_error_ = std::move(error);
  // A dial under way compares this number when it is established: what has changed since it chose
  // its target has passed it by.
  ++changes_;
  for (const auto& connection : connections_) call_home(*connection);
  if (reserve_) reserve_->set_layout(layout_);
  return on_slot_freed();
}

std::optional<Spare::Handed> Service::take_preconnected() {
  if (!reserve_) return std::nullopt;
  auto handed = reserve_->take();
  ServiceLife& life = *handle().life;
  (handed ? life.preconnect_used : life.preconnect_missed).add();
  return handed;
}

void Service::stop_preconnecting() {
  loop().assert_here();
  if (reserve_) reserve_->stop();
}

bool Service::has_srv() const {
  for (const auto& group : config().connect) {
    for (const config::Target& target : group) {
      if (target.form == config::Target::Form::srv) return true;
    }
  }
  return false;
}

// Connections end at the end of the turn, so the list does not change under this loop; its order is
// not that of arrival, which the ids give.
void Service::on_slot_freed() {
  loop().assert_here();
  std::vector<Connection*> waiting;
  for (const auto& connection : connections_) {
    if (connection->is_dialing()) waiting.push_back(connection.get());
  }
  std::sort(waiting.begin(), waiting.end(),
            [](const Connection* a, const Connection* b) { return a->id() < b->id(); });
  for (Connection* connection : waiting) connection->on_targets_changed();
}

void Service::report_established(balance::Claim& claim) {
  const balance::Transition transition = claim.established(loop().now());
  if (transition.change != balance::Transition::Change::restored) return;
  log_restored(log(), config().name, claim.target().text(), transition);
  return announce(claim.target().id(), transition);
}

void Service::report_failed(balance::Claim& claim, const DialFailure& failure, Sentence sentence) {
  claim.target().tally().failures[static_cast<std::size_t>(failure.kind)].add();
  // Copies: failed() gives the claim back, which may be all that has kept the target.
  const std::string target = claim.target().text();
  const std::uint64_t id = claim.target().id();
  const auto cause = failure.is_local ? balance::Cause::local : balance::Cause::target;
  const balance::Transition transition =
      claim.failed(loop().now(), cause, random(), {failure.kind, failure.text});
  if (transition.change != balance::Transition::Change::ejected) return;
  log_ejected(log(), config().name, target, failure.kind,
              sentence == Sentence::with_the_ejection ? std::string_view(failure.text) : "",
              layout_->has_one_target() ? Choice::only_target : Choice::one_of_several, transition);
  return announce(id, transition);
}

// To all workers, this one included.
void Service::announce(std::uint64_t target, const balance::Transition& transition) {
  if (!handle().config->moves_connections()) return;
  return settings_.on_target_changed({target, transition.change, transition.source});
}

void Service::target_changed(const TargetChange& change) {
  loop().assert_here();
  ++changes_;
  const config::OnEjected on_ejected = config().health.on_ejected;
  const bool is_restored = change.change == balance::Transition::Change::restored;
  // By checks alone: that one dial has failed says little about the connections that stand.
  const bool is_dead = change.change == balance::Transition::Change::ejected &&
                       change.source == balance::Transition::Source::check;
  for (const auto& connection : connections_) {
    const balance::Target* target = connection->target();
    if (target != nullptr && target->id() == change.target) {
      if (is_restored) connection->stay(Connection::Leaving::ejected);
      if (is_dead && on_ejected == config::OnEjected::close) connection->leave_now();
      if (is_dead && on_ejected == config::OnEjected::close_idle) {
        connection->leave_when_idle(Connection::Leaving::ejected);
      }
    }
    call_home(*connection);
  }
  if (reserve_) reserve_->on_target_changed();
}

void Service::call_home(Connection& connection) {
  if (config().balance_back == config::BalanceBack::keep || connection.target() == nullptr) return;
  const auto its_group = layout_->group_of(connection.target()->id());
  const auto serving = layout_->serving_group();
  if (its_group && serving && *serving < *its_group) {
    return connection.leave_when_idle(Connection::Leaving::home);
  }
  return connection.stay(Connection::Leaving::home);
}

void Service::report_option(const std::string& text) {
  const log::RateLimit::Verdict verdict = option_failures_.admit(text);
  if (!verdict.write) return;
  log().warning({config().name}, text, {{"repeats", verdict.suppressed}});
}

void Service::retire() {
  loop().assert_here();
  is_retired_ = true;
  return stop_preconnecting();
}

void Service::use_captures(const std::vector<capture::Source>& captures) {
  loop().assert_here();
  const auto before = std::exchange(captures_, {});
  const auto is_among = [](const std::vector<capture::Source>& some, const capture::Source& one) {
    return std::any_of(some.begin(), some.end(),
                       [&](const auto& each) { return each.recording == one.recording; });
  };
  for (const capture::Source& source : captures) {
    if (source.recording->is_of(config().name)) captures_.push_back(source);
  }
  for (const capture::Source& old : before) {
    if (is_among(captures_, old)) continue;
    for (const auto& connection : connections_) connection->leave_capture(*old.recording);
  }
  for (const capture::Source& source : captures_) {
    if (is_among(before, source)) continue;
    for (const auto& connection : connections_) connection->join_capture(source);
  }
}

void Service::describe(std::vector<ConnectionView>& views) const {
  for (const auto& connection : connections_) views.push_back(connection->view());
}

std::size_t Service::end_some(const Choosing& choosing) {
  loop().assert_here();
  std::size_t ended = 0;
  for (const auto& connection : connections_) {
    if (choosing.connection && connection->id() != *choosing.connection) continue;
    if (!choosing.connection) {
      const balance::Target* target = connection->target();
      if (target == nullptr || std::find(choosing.targets.begin(), choosing.targets.end(),
                                         target->id()) == choosing.targets.end()) {
        continue;
      }
    }
    // No value for one that does not relay yet: it is not idle.
    const std::optional<Millis> idle = connection->view().idle;
    if (choosing.idle && (!idle || *idle < *choosing.idle)) continue;
    connection->end({Kind::closed_by_operator, Side::tunnel, "an operator ended the connection"});
    ++ended;
  }
  return ended;
}

void Service::see_off(Connection& connection) {
  switch (config().on_removed) {
    case config::OnRemoved::keep:
      return;
    case config::OnRemoved::close_idle:
      return connection.leave_when_idle(Connection::Leaving::removed);
    case config::OnRemoved::close:
      return connection.end({Kind::connection_lost, Side::tunnel,
                             "reset because a reload has removed its target or service "
                             "(on_removed)"});
  }
}

void Service::see_off_all() {
  loop().assert_here();
  for (const auto& connection : connections_) see_off(*connection);
}

void Service::see_off_removed(const balance::Layout& in_force) {
  loop().assert_here();
  for (const auto& connection : connections_) {
    const balance::Target* target = connection->target();
    if (target != nullptr && !in_force.group_of(target->id())) see_off(*connection);
  }
}

void Service::stop_when_idle() {
  loop().assert_here();
  stop_preconnecting();
  for (const auto& connection : connections_) connection->stop_when_idle();
}

void Service::abort() {
  loop().assert_here();
  stop_preconnecting();
  for (const auto& connection : connections_) connection->abort();
}

void Service::remove(Connection& connection) {
  const std::size_t index = connection.index;
  const std::unique_ptr<Connection> gone = std::move(connections_[index]);
  // The last one takes its place, so that removing one of many thousand costs no more than one of
  // few.
  if (index + 1 != connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->index = index;
  }
  connections_.pop_back();
  return settings_.on_gone(*this, *gone);
}

}  // namespace tunnel
