// SPDX-License-Identifier: MIT
#include "dns/name_state.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tunnel::dns {

namespace {

// RFC 8305, section 4: alternating, the preferred family first.
std::vector<SocketAddress> interleaved(const std::vector<SocketAddress>& first,
                                       const std::vector<SocketAddress>& second) {
  std::vector<SocketAddress> both;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) both.push_back(first[i]);
    if (i < second.size()) both.push_back(second[i]);
  }
  return both;
}

// The order alone is no change: many servers rotate it with each answer.
template <class Value>
bool has_same_members(std::vector<Value> one, std::vector<Value> other) {
  std::sort(one.begin(), one.end());
  std::sort(other.begin(), other.end());
  return one == other;
}

// The most telling of two failures: a broken server before a missing record.
Status worse(Status one, Status other) {
  const auto is_clear = [](Status status) {
    return status == Status::nodata || status == Status::nxdomain;
  };
  if (one == other || !is_clear(one)) return one;
  if (!is_clear(other)) return other;
  return Status::nxdomain;
}

}  // namespace

NameState::NameState(std::string name, Kind kind, TimePoint now) : ask_at_(now) {
  published_.name = std::move(name);
  published_.kind = kind;
  for (RecordType type : types()) {
    Part part;
    part.type = type;
    parts_.push_back(std::move(part));
  }
}

std::vector<RecordType> NameState::types() const {
  if (published_.kind == Kind::services) return {RecordType::srv};
  return {RecordType::aaaa, RecordType::a};
}

bool NameState::is_asking() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.is_asked; });
}

bool NameState::is_empty() const {
  return std::all_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.empty(); });
}

bool NameState::is_due(TimePoint now) const { return !is_asking() && now >= ask_at_; }

std::uint64_t NameState::begin(TimePoint now) {
  asked_at_ = now;
  for (Part& part : parts_) part.is_asked = true;
  return ++round_;
}

// A name is asked in rounds of one question for each type; no round begins before all questions of
// the last one are answered. What is good counts as soon as it is there; a family that failed keeps
// its old records. Only when the whole round has failed does the name fail: it is asked again after
// growing pauses, and its records serve on until expire() finds them too old.
void NameState::take(std::uint64_t round, RecordType type, Answer answer, TimePoint now,
                     Limits limits) {
  const auto part =
      std::find_if(parts_.begin(), parts_.end(), [&](const Part& one) { return one.type == type; });
  // An answer to an earlier round, which forget_questions() has given up.
  if (round != round_ || part == parts_.end() || !part->is_asked) return;
  part->is_asked = false;
  part->status = answer.status;
  if (answer.status == Status::ok) {
    std::sort(answer.services.begin(), answer.services.end(),
              [](const Service& one, const Service& other) {
                return std::tie(one.priority, other.weight, one.target, one.port) <
                       std::tie(other.priority, one.weight, other.target, other.port);
              });
    part->addresses = std::move(answer.addresses);
    part->services = std::move(answer.services);
    part->valid_until = now + answer.ttl;
    note_success(now);
  }
  if (!is_asking()) return end_round(now, limits);
  if (answer.status != Status::ok) return;
  // IPv4 came first. The IPv6 addresses would be preferred, so they get a moment; not so when there
  // is an older answer for them, or when it is them that came.
  const Part& v6 = parts_.front();
  publish_by(v6.is_asked && v6.empty() ? now + kResolutionDelay : now);
}

void NameState::take_local(const std::vector<SocketAddress>& addresses, Millis ttl, TimePoint now) {
  asked_at_ = now;
  for (Part& part : parts_) {
    part.clear();
    for (const SocketAddress& address : addresses) {
      if ((address.family() == AF_INET6) == (part.type == RecordType::aaaa)) {
        part.addresses.push_back(address);
      }
    }
    part.status = part.empty() ? Status::nodata : Status::ok;
    part.valid_until = now + ttl;
  }
  note_success(now);
  ask_at_ = now + ttl;
  publish_by(now);
}

void NameState::end_round(TimePoint now, Limits limits) {
  publish_by(now);
  Status failure = parts_.front().status;
  std::optional<TimePoint> valid_until;
  for (const Part& part : parts_) {
    failure = worse(failure, part.status);
    if (part.status == Status::ok) {
      valid_until = std::min(valid_until.value_or(part.valid_until), part.valid_until);
    }
  }
  const TimePoint not_before = asked_at_ + limits.min_ttl;
  if (valid_until) {
    // One family says that the name is there, so the other's "no such record" is no mishap.
    for (Part& part : parts_) {
      if (part.status == Status::nodata || part.status == Status::nxdomain) part.clear();
    }
    // One round asks for both families, so the TTL that ends first counts.
    ask_at_ = std::max(*valid_until, not_before);
    return;
  }
  if (failures_ == 0) event_ = Event::began_to_fail;
  failure_ = failure;
  // Bounded so that the shift cannot overflow; kLastRetry is reached long before.
  const int doublings = std::min(failures_, 10);
  ++failures_;
  ask_at_ = std::max(now + std::min(kFirstRetry * (1 << doublings), kLastRetry), not_before);
}

void NameState::note_success(TimePoint now) {
  answered_at_ = now;
  if (failures_ > 0) event_ = Event::recovered;
  failures_ = 0;
}

// A question that is under way will bring what the caller wants.
void NameState::refresh(TimePoint now, Limits limits) {
  if (is_asking()) return;
  ask_at_ = std::min(ask_at_, std::max(now, asked_at_ + limits.min_ttl));
}

void NameState::forget_questions(TimePoint now) {
  if (!is_asking()) return;
  for (Part& part : parts_) part.is_asked = false;
  ask_at_ = now;
}

void NameState::expire(TimePoint now, Limits limits) {
  bool has_dropped = false;
  for (Part& part : parts_) {
    if (part.empty() || part.status == Status::ok || now < part.valid_until + limits.max_stale) {
      continue;
    }
    part.clear();
    has_dropped = true;
  }
  if (!has_dropped) return;
  publish_by(now);
  if (is_empty()) event_ = Event::gave_up;
}

void NameState::publish_by(TimePoint when) {
  publish_at_ = std::min(publish_at_.value_or(when), when);
}

// Keeps the published order where the members are the same, so that a server which rotates its
// answers changes nothing. A new answer of the same content is not news, but its time is noted.
bool NameState::publish(TimePoint now) {
  if (!publish_at_ || now < *publish_at_) return false;
  publish_at_.reset();

  Update next = published_;
  if (next.kind == Kind::services) {
    next.services = parts_.front().services;
  } else {
    next.addresses = interleaved(parts_.front().addresses, parts_.back().addresses);
  }
  const bool is_same = has_same_members(next.addresses, published_.addresses) &&
                       has_same_members(next.services, published_.services);
  if (is_same) {
    next.addresses = published_.addresses;
    next.services = published_.services;
  } else {
    ++next.generation;
  }
  next.status = failures_ > 0 ? failure_ : Status::ok;
  next.is_stale = failures_ > 0 && !is_empty();
  next.answered_at = answered_at_;
  next.error.clear();
  if (failures_ > 0) {
    next.error = "cannot resolve " + next.name + ": " + std::string(describe(failure_));
  }

  const bool is_news = !is_same || publications_ == 0 || next.status != published_.status ||
                       next.is_stale != published_.is_stale;
  published_ = std::move(next);
  if (is_news) ++publications_;
  return is_news;
}

NameState::Event NameState::take_event() { return std::exchange(event_, Event::none); }

std::optional<TimePoint> NameState::next_deadline(Limits limits) const {
  std::optional<TimePoint> next = publish_at_;
  const auto include = [&](TimePoint when) { next = std::min(next.value_or(when), when); };
  if (!is_asking()) include(ask_at_);
  for (const Part& part : parts_) {
    if (!part.empty() && part.status != Status::ok) include(part.valid_until + limits.max_stale);
  }
  return next;
}

}  // namespace tunnel::dns
