// SPDX-License-Identifier: MIT
#include "balance/overrides.h"

#include <algorithm>

namespace tunnel::balance {
namespace {

bool is_about(const Overrides::Entry& entry, const Endpoint& endpoint) {
  return entry.target == endpoint.text && entry.name == endpoint.name;
}

bool has(const Arrangement& arrangement, const Overrides::Entry& entry) {
  for (const std::vector<Place>& places : arrangement) {
    for (const Place& place : places) {
      if (is_about(entry, place.endpoint)) return true;
    }
  }
  return false;
}

void apply(const Override& override, Place& place) {
  switch (override.what) {
    case Override::What::drain:
      place.weight = 0;
      return;
    case Override::What::eject:
      place.is_out = true;
      return;
    case Override::What::weight:
      place.weight = override.weight;
      return;
  }
}

}  // namespace

void Overrides::set(const Endpoint& endpoint, const Override& override) {
  for (Entry& entry : entries_) {
    if (is_about(entry, endpoint)) {
      entry.override = override;
      return;
    }
  }
  entries_.push_back({endpoint.text, endpoint.name, override});
}

void Overrides::clear(const Endpoint& endpoint) {
  std::erase_if(entries_, [&](const Entry& entry) { return is_about(entry, endpoint); });
}

bool Overrides::expire(TimePoint now) {
  return std::erase_if(entries_, [&](const Entry& entry) {
           return entry.override.until && *entry.override.until <= now;
         }) > 0;
}

std::optional<TimePoint> Overrides::next_end() const {
  std::optional<TimePoint> next;
  for (const Entry& entry : entries_) {
    const std::optional<TimePoint>& until = entry.override.until;
    if (until) next = std::min(next.value_or(*until), *until);
  }
  return next;
}

std::vector<std::string> Overrides::keep_only(const Arrangement& arrangement) {
  std::vector<std::string> dropped;
  std::erase_if(entries_, [&](const Entry& entry) {
    // What was said of a target that has left must not surprise one of the same name that comes
    // later.
    if (has(arrangement, entry)) return false;
    dropped.push_back(entry.target);
    return true;
  });
  return dropped;
}

Arrangement Overrides::applied(Arrangement arrangement) const {
  if (entries_.empty()) return arrangement;
  for (std::vector<Place>& places : arrangement) {
    for (Place& place : places) {
      if (const Override* override = find(place.endpoint)) apply(*override, place);
    }
  }
  return arrangement;
}

const Override* Overrides::find(const Endpoint& endpoint) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return is_about(entry, endpoint); });
  return found == entries_.end() ? nullptr : &found->override;
}

}  // namespace tunnel::balance
