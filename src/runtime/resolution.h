// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "balance/arrangement.h"
#include "balance/layout.h"
#include "dns/names.h"
#include "log/log.h"
#include "runtime/snapshot.h"
#include "tunnel/address_book.h"
#include "uv/loop.h"
#include "uv/timer.h"

namespace tunnel::runtime {

// Turns what DNS says into what workers need: addresses of names, and the targets of each service
// where SRV records and `expand` decide them. The only one that asks DNS. Supervisor's loop; owned
// by the Supervisor.
class Resolution {
 public:
  // Where its results go. Called from start() and from the loop.
  struct Sink {
    std::function<void(const std::string& name, const AddressBook::Answer& answer)> on_answer;
    // `error` is why there are no targets, when DNS has said so; empty while it has not answered.
    std::function<void(const ServiceHandle& service, std::shared_ptr<const balance::Layout> layout,
                       const std::string& error)>
        on_targets;
    // Nothing in force has named it for `linger`: its answer need not be kept.
    std::function<void(const std::string& name)> on_forgotten;
  };
  using MakeResolver =
      std::function<std::unique_ptr<dns::Resolver>(uv::Loop&, const config::Global&)>;
  struct Settings {
    uv::Loop& loop;
    log::Log& log;
    Sink sink;
    MakeResolver make_resolver = cares_resolver;
    // What operators have ordered in place of the configuration's word.
    std::function<balance::Arrangement(ServiceId, const balance::Arrangement&)> adjust =
        [](ServiceId, const balance::Arrangement& arrangement) { return arrangement; };
    // How long a name stays resolved that nothing in force names any more: a dial that began before
    // may still come to it.
    Millis linger = std::chrono::minutes(2);
  };
  Resolution(std::shared_ptr<const Snapshot> snapshot, Settings settings);
  ~Resolution();
  Resolution(const Resolution&) = delete;
  Resolution& operator=(const Resolution&) = delete;

  // Gives every service its first targets and begins to resolve.
  void start();
  // After a reload: another snapshot, with other services, targets and name servers. What DNS has
  // said stays. Services that are new or changed get their targets at once.
  void use(std::shared_ptr<const Snapshot> snapshot);
  // The adjustment of a service has changed.
  void rebuild(ServiceId service);
  // Asks DNS again for the names of a service; which they are.
  std::vector<std::string> refresh_service(const ServiceHandle& service);
  [[nodiscard]] std::shared_ptr<const balance::Layout> layout_of(ServiceId service) const;
  [[nodiscard]] const balance::Arrangement& arrangement_of(ServiceId service) const;
  [[nodiscard]] std::string error_of(ServiceId service) const;  // why there are no targets
  // When DNS last gave the addresses of a name; nothing while it has given none.
  [[nodiscard]] std::optional<TimePoint> answered_at(const std::string& name) const;
  // What was asked of DNS, and how it went.
  [[nodiscard]] const dns::Names& names() const { return names_; }
  // A dial waits for this name, or its addresses did not serve.
  void refresh(const std::string& name);

 private:
  using WatchId = dns::Names::WatchId;

  static std::unique_ptr<dns::Resolver> cares_resolver(uv::Loop& loop,
                                                       const config::Global& global);
  void watch_all();
  void arrange_all();
  void watch_names();
  void forget_unwanted();
  void set_forget_timer();
  [[nodiscard]] const dns::Update* addresses_of(const std::string& name) const;
  void on_addresses(const std::string& name, const dns::Update& update);
  void on_services(const std::string& owner, const dns::Update& update);
  [[nodiscard]] std::string srv_error(const config::Service& service) const;

  const Settings settings_;
  std::shared_ptr<const Snapshot> snapshot_;
  dns::Names names_;
  balance::Answers answers_;
  std::set<std::string> expanded_;                 // names of `expand` targets
  std::map<std::string, std::string> srv_errors_;  // by owner name; empty: answered
  std::map<std::string, WatchId> watched_srv_;
  std::map<std::string, WatchId> watched_;
  std::map<std::string, TimePoint> unwanted_;  // of watched_: until when they linger
  uv::Timer forget_timer_;
  struct Current {
    balance::Arrangement arrangement;
    std::string error;
    bool is_told = false;
    std::shared_ptr<const balance::Layout> layout{};
  };
  std::map<ServiceId, Current> current_;
};

}  // namespace tunnel::runtime
