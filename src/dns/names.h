// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "dns/alarm.h"
#include "dns/hosts_file.h"
#include "dns/name_state.h"
#include "dns/resolver.h"
#include "log/log.h"
#include "uv/loop.h"

namespace tunnel::dns {

// Keeps the names of all targets resolved in the background: again when a TTL ends
// or a dial failed, the last good answer serving while DNS is broken. One for the process, on the
// supervisor's loop; the owner hands the Updates on to the workers. Looks into the hosts file
// first.
class Names {
 public:
  struct Options {
    NameState::Limits limits;  // dns_min_ttl, dns_max_stale
    std::string hosts_path = "/etc/hosts";
  };
  using WatchId = std::uint64_t;
  // May call any method but the destructor and use_resolver.
  using Sink = std::function<void(const Update&)>;

  // clock and log must outlive it.
  Names(std::unique_ptr<Resolver> resolver, std::unique_ptr<Alarm> alarm, const Clock& clock,
        log::Log& log, Options options);
  ~Names();
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  // `on_update` runs when the first answer is there (at once, but never before this returns, when
  // somebody else's watch has it already), when the addresses or services change, when lookups
  // begin to fail, fail in another way, or work again. A name may be a numeric address, too.
  // A dot at the end of a name leaves the search list out: watch SRV targets so.
  WatchId watch(std::string_view name, Kind kind, Sink on_update);
  void unwatch(WatchId id);

  // After a dial to an address of `name` failed: asks again, at most once in min_ttl.
  void refresh(std::string_view name);

  // The last Update of a watched name; null when there is none yet. Valid until the next event.
  [[nodiscard]] const Update* find(std::string_view name, Kind kind) const;

  // How the questions so far have ended, by Status.
  using Counts = std::array<std::uint64_t, kStatuses>;
  [[nodiscard]] const Counts& answers() const { return answers_; }
  // Names whose last good answer serves on because they cannot be resolved now.
  [[nodiscard]] std::size_t stale() const;

  // After a reload: other servers, other limits. What was known stays; questions are asked again.
  void use_resolver(std::unique_ptr<Resolver> resolver);
  void use_limits(NameState::Limits limits);

 private:
  using Key = std::pair<Kind, std::string>;  // the name in lower case
  struct Watcher {
    Key key;
    Sink on_update;
    std::uint64_t seen = 0;  // NameState::publications
  };

  void tick();
  void ask(const Key& key, NameState& state);
  void take(const Key& key, std::uint64_t round, RecordType type, Answer answer);
  void log_event(NameState& state);
  void tell_watchers();
  void set_alarm();

  const Clock& clock_;
  log::Log& log_;
  NameState::Limits limits_;
  HostsFile hosts_;
  std::map<Key, NameState> states_;  // as long as somebody watches
  std::map<WatchId, Watcher> watchers_;
  WatchId last_id_ = 0;
  Counts answers_{};
  std::unique_ptr<Alarm> alarm_;
  std::unique_ptr<Resolver> resolver_;  // last: goes first, so that no answer finds us half gone
};

}  // namespace tunnel::dns
