// SPDX-License-Identifier: MIT
#include "log/levels.h"

#include <algorithm>
#include <utility>

namespace tunnel::log {
namespace {

// `client` is an address as lines show it: an IP address with its port, or a unix socket's path.
bool is_of(const Cidr& range, std::string_view client) {
  const auto place = parse_host_port(client);
  if (!place) return false;
  const auto address = SocketAddress::parse_ip(place->host, place->port);
  return address && range.contains(*address);
}

bool fits(const LevelOverride& override, const Subject& subject) {
  if (!override.service.empty() && override.service != subject.service) return false;
  return !override.client || is_of(*override.client, subject.client);
}

}  // namespace

void Levels::set(Level level) {
  const std::lock_guard lock(mutex_);
  level_.store(level);
  update();
}

void Levels::set_overrides(std::vector<LevelOverride> overrides) {
  const std::lock_guard lock(mutex_);
  overrides_ = std::move(overrides);
  update();
}

// Under the lock. may_admit() and level() read without it: a line that is written while a level
// changes may be judged by the old one.
void Levels::update() {
  Level widest = level_.load();
  for (const LevelOverride& override : overrides_) widest = std::max(widest, override.level);
  has_overrides_.store(!overrides_.empty());
  widest_.store(widest);
}

bool Levels::admit(Level level, const Subject& subject) const {
  if (!may_admit(level)) return false;
  if (!has_overrides_.load()) return level <= level_.load();
  const std::lock_guard lock(mutex_);
  // Looked at from the end, for the override that was given last decides. The lock is held for
  // lines of an admitted level while there are overrides, and then only.
  const auto last = std::find_if(overrides_.rbegin(), overrides_.rend(),
                                 [&](const auto& override) { return fits(override, subject); });
  return level <= (last != overrides_.rend() ? last->level : level_.load());
}

}  // namespace tunnel::log
