// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "balance/arrangement.h"
#include "probe/address_probe.h"
#include "probe/lookups.h"
#include "probe/options.h"
#include "probe/report.h"
#include "runtime/snapshot.h"
#include "tunnel/address_book.h"
#include "tunnel/address_history.h"
#include "uv/loop.h"

namespace tunnel::probe {

// Probes every address of every target of a configuration, side by side. Loop-bound to the loop
// that its run() runs.
class Prober {
 public:
  // So many visits at a time: 200 targets, half of them black holes, take the time of one.
  static constexpr std::size_t kAtOnce = 512;

  // `services` must outlive it.
  Prober(const config::Global& global, const std::vector<ServiceHandle>& services,
         const Options& options);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  [[nodiscard]] Report run();  // once

 private:
  struct Service;
  struct Target;

  void look_up_services();
  void on_services(const std::string& owner, const Lookups::Found& found);
  void arrange(Service& service);
  void add_target(Service& service, std::size_t group, const balance::Endpoint& endpoint);
  void look_up(Target& target);
  void look_up_proxies(Target& target);
  void on_addresses(const std::string& name, const Lookups::Found& found);
  void dial(Target& target, const balance::Endpoint& endpoint, std::optional<Seconds> dns);
  void fail(Target& target, Failure failure, std::optional<Seconds> dns);
  void start_more();
  void on_dialled(Target& target, std::size_t index);
  void end_if_done(Target& target);
  void end_if_all_done();
  [[nodiscard]] bool is_wanted(const balance::Endpoint& endpoint) const;
  [[nodiscard]] bool is_of_family(const SocketAddress& address) const;

  const Options& options_;
  uv::Loop loop_;
  std::optional<capture::Source> capture_;
  AddressHistory history_;
  AddressBook book_;
  Lookups lookups_;
  balance::Answers answers_;
  std::map<std::string, std::string> srv_errors_;
  std::size_t srv_waiting_ = 0;
  std::map<std::string, std::vector<Target*>> waiting_;  // for the addresses of a name
  std::vector<std::unique_ptr<Service>> services_;
  std::deque<AddressProbe*> queue_;
  std::size_t running_ = 0;
  std::size_t known_ = 0;       // visits, those in the queue included
  std::size_t over_ = 0;        // visits
  std::size_t unfinished_ = 0;  // targets
};

}  // namespace tunnel::probe
