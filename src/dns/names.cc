// SPDX-License-Identifier: MIT
#include "dns/names.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace tunnel::dns {

namespace {

// How soon a change of the hosts file is seen by a name that is in there.
constexpr Millis kHostsTtl = std::chrono::seconds(5);
// Will not change; but every answer has an end.
constexpr Millis kNumericTtl = std::chrono::hours(24);

std::string lower_case(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

Names::Names(std::unique_ptr<Resolver> resolver, std::unique_ptr<Alarm> alarm, const Clock& clock,
             log::Log& log, Options options)
    : clock_(clock),
      log_(log),
      limits_(options.limits),
      hosts_(std::move(options.hosts_path), clock),
      alarm_(std::move(alarm)),
      resolver_(std::move(resolver)) {
  alarm_->on_due = [this] { tick(); };
}

Names::~Names() = default;

Names::WatchId Names::watch(std::string_view name, Kind kind, Sink on_update) {
  const Key key{kind, lower_case(name)};
  if (!states_.contains(key)) {
    states_.emplace(key, NameState(std::string(name), kind, clock_.now()));
  }
  watchers_.emplace(++last_id_, Watcher{.key = key, .on_update = std::move(on_update)});
  set_alarm();
  return last_id_;
}

void Names::unwatch(WatchId id) {
  const auto gone = watchers_.find(id);
  if (gone == watchers_.end()) return;
  const Key key = gone->second.key;
  watchers_.erase(gone);
  const bool is_watched = std::any_of(watchers_.begin(), watchers_.end(),
                                      [&](const auto& one) { return one.second.key == key; });
  if (!is_watched) states_.erase(key);
  set_alarm();
}

void Names::refresh(std::string_view name) {
  for (Kind kind : {Kind::addresses, Kind::services}) {
    const auto state = states_.find(Key{kind, lower_case(name)});
    if (state != states_.end()) state->second.refresh(clock_.now(), limits_);
  }
  set_alarm();
}

const Update* Names::find(std::string_view name, Kind kind) const {
  const auto state = states_.find(Key{kind, lower_case(name)});
  if (state == states_.end() || state->second.publications() == 0) return nullptr;
  return &state->second.published();
}

std::size_t Names::stale() const {
  return static_cast<std::size_t>(
      std::count_if(states_.begin(), states_.end(),
                    [](const auto& each) { return each.second.published().is_stale; }));
}

// The old resolver drops its questions as it goes, and without this they would count as under way
// forever.
void Names::use_resolver(std::unique_ptr<Resolver> resolver) {
  resolver_ = std::move(resolver);
  for (auto& [key, state] : states_) state.forget_questions(clock_.now());
  set_alarm();
}

void Names::use_limits(NameState::Limits limits) {
  limits_ = limits;
  set_alarm();
}

// Whatever is due now. The only place that calls listeners.
void Names::tick() {
  const TimePoint now = clock_.now();
  // Nothing in here calls out: the resolver answers in a later turn at the earliest, so that no
  // name comes or goes meanwhile.
  for (auto& [key, state] : states_) {
    if (state.is_due(now)) ask(key, state);
    state.expire(now, limits_);
    (void)state.publish(now);
    log_event(state);
  }
  tell_watchers();
  set_alarm();
}

void Names::ask(const Key& key, NameState& state) {
  // What needs no server is answered here. A numeric address goes through the same states as a
  // name, so that watchers need not tell the two apart.
  if (key.first == Kind::addresses) {
    if (const auto numeric = SocketAddress::parse_ip(key.second, 0)) {
      return state.take_local({*numeric}, kNumericTtl, clock_.now());
    }
    const std::vector<SocketAddress> from_file = hosts_.lookup(key.second);
    if (!from_file.empty()) return state.take_local(from_file, kHostsTtl, clock_.now());
  }
  const std::uint64_t round = state.begin(clock_.now());
  for (RecordType type : state.types()) {
    resolver_->ask(key.second, type, [this, key, round, type](Answer answer) {
      take(key, round, type, std::move(answer));
    });
  }
}

void Names::take(const Key& key, std::uint64_t round, RecordType type, Answer answer) {
  ++answers_[static_cast<std::size_t>(answer.status)];
  const auto state = states_.find(key);
  if (state == states_.end()) return;  // nobody watches it any more
  state->second.take(round, type, std::move(answer), clock_.now(), limits_);
  tick();
}

void Names::log_event(NameState& state) {
  const NameState::Event event = state.take_event();
  const Update& update = state.published();
  const std::string name = printable(update.name);
  switch (event) {
    case NameState::Event::none:
      return;
    case NameState::Event::began_to_fail:
      return log_.warning(
          {}, printable(update.error) + (update.is_stale ? "; the last good answer stays in use"
                                                         : "; it is tried again"));
    case NameState::Event::recovered:
      return log_.info({}, name + " can be resolved again");
    case NameState::Event::gave_up:
      return log_.error({}, printable(update.error) +
                                "; the last good answer is older than dns_max_stale allows");
  }
}

void Names::tell_watchers() {
  std::vector<WatchId> waiting;
  for (const auto& [id, watcher] : watchers_) {
    if (watcher.seen != states_.at(watcher.key).publications()) waiting.push_back(id);
  }
  for (WatchId id : waiting) {
    const auto found = watchers_.find(id);  // an earlier listener may have ended this watch
    if (found == watchers_.end()) continue;
    const NameState& state = states_.at(found->second.key);
    found->second.seen = state.publications();
    // Copies: the listener may end its own watch, and with it the name.
    const Sink on_update = found->second.on_update;
    const Update update = state.published();
    on_update(update);
  }
}

void Names::set_alarm() {
  std::optional<TimePoint> next;
  const auto include = [&](TimePoint when) { next = std::min(next.value_or(when), when); };
  for (const auto& [key, state] : states_) {
    if (const auto deadline = state.next_deadline(limits_)) include(*deadline);
  }
  for (const auto& [id, watcher] : watchers_) {
    // A new watcher of a name that is known already gets the answer soon, but never from within
    // watch().
    if (watcher.seen != states_.at(watcher.key).publications()) include(clock_.now());
  }
  if (next) return alarm_->set(*next);
  alarm_->clear();
}

}  // namespace tunnel::dns
