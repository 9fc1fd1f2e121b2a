// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/model.h"
#include "dns/answer.h"
#include "dns/hosts_file.h"
#include "dns/resolver.h"
#include "probe/report.h"
#include "uv/loop.h"
#include "uv/timer.h"

namespace tunnel::probe {

// Asks DNS once for each name, for all that there is: a probe wants every address, where a tunnel
// goes with the first that come. Loop-bound; owned by the Prober.
class Lookups {
 public:
  struct Found {
    std::vector<SocketAddress> addresses;  // port 0
    std::vector<dns::Service> services;
    std::string error;  // why there are none, a sentence for people
    Seconds took{0};
  };
  using OnFound = std::function<void(const Found&)>;

  Lookups(uv::Loop& loop, const config::Global& global);
  ~Lookups();
  Lookups(const Lookups&) = delete;
  Lookups& operator=(const Lookups&) = delete;

  // `on_found` runs once, never before this has returned, and at most `limit` later. A name with a
  // dot at the end leaves resolv.conf's search list out.
  void addresses(const std::string& name, Millis limit, OnFound on_found);
  void services(const std::string& name, Millis limit, OnFound on_found);

 private:
  class Lookup;
  void begin(const std::string& name, std::vector<dns::RecordType> types, Millis limit,
             OnFound on_found);

  uv::Loop& loop_;
  dns::HostsFile hosts_;
  std::vector<std::unique_ptr<Lookup>> lookups_;  // until we go: a few bytes each
  std::unique_ptr<dns::Resolver> resolver_;       // last: goes first
};

}  // namespace tunnel::probe
