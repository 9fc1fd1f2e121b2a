// SPDX-License-Identifier: MIT
#include "probe/lookups.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "dns/cares_resolver.h"

namespace tunnel::probe {
namespace {

dns::CaresResolver::Options resolver_options(const config::Global& global) {
  dns::CaresResolver::Options options;
  options.servers = global.dns_servers;
  return options;
}

}  // namespace

class Lookups::Lookup {
 public:
  Lookup(uv::Loop& loop, std::string name, Millis limit, OnFound on_found)
      : name_(std::move(name)),
        limit_(limit),
        on_found_(std::move(on_found)),
        timer_(loop, [this] { on_timer(); }) {}

  // Of an address that needs no question: later, like all others.
  void have(std::vector<SocketAddress> addresses) {
    found_.addresses = std::move(addresses);
    timer_.start(Millis(0));
  }

  void ask(dns::Resolver& resolver, const std::vector<dns::RecordType>& types) {
    timer_.start(limit_);
    waiting_ = types.size();
    for (const dns::RecordType type : types) {
      resolver.ask(name_, type, [this](const dns::Answer& answer) { take(answer); });
    }
  }

 private:
  void take(const dns::Answer& answer) {
    // The time was over before. A question cannot be called back, only its resolver destroyed.
    if (is_over_) return;
    // That the name has no such records says least of all.
    if (answer.status != dns::Status::ok && worst_ == dns::Status::nodata) worst_ = answer.status;
    const auto& addresses = answer.addresses;
    found_.addresses.insert(found_.addresses.end(), addresses.begin(), addresses.end());
    found_.services.insert(found_.services.end(), answer.services.begin(), answer.services.end());
    if (--waiting_ > 0) return;
    if (found_.addresses.empty() && found_.services.empty()) {
      found_.error = "cannot resolve " + name_ + ": " + std::string(dns::describe(worst_));
    }
    return finish();
  }

  void on_timer() {
    // One of A and AAAA may have been answered in time, and its addresses are worth a visit.
    if (waiting_ > 0 && found_.addresses.empty()) {
      found_.error = "no answer from DNS for " + name_ + " within " + format_duration(limit_) +
                     " (timeouts.resolve); see that the name servers of /etc/resolv.conf or "
                     "dns_servers answer";
    }
    return finish();
  }

  void finish() {
    is_over_ = true;
    timer_.stop();
    found_.took = std::chrono::steady_clock::now() - began_;
    return on_found_(found_);
  }

  const std::string name_;
  const Millis limit_;
  const OnFound on_found_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  uv::Timer timer_;
  Found found_;
  std::size_t waiting_ = 0;
  dns::Status worst_ = dns::Status::nodata;
  bool is_over_ = false;
};

Lookups::Lookups(uv::Loop& loop, const config::Global& global)
    : loop_(loop),
      hosts_("/etc/hosts", loop),
      resolver_(std::make_unique<dns::CaresResolver>(loop, resolver_options(global))) {}

Lookups::~Lookups() = default;

void Lookups::addresses(const std::string& name, Millis limit, OnFound on_found) {
  if (auto numeric = SocketAddress::parse_ip(name, 0)) {
    lookups_.push_back(std::make_unique<Lookup>(loop_, name, limit, std::move(on_found)));
    return lookups_.back()->have({*numeric});
  }
  // Before DNS, as for a running tunnel.
  if (auto local = hosts_.lookup(name); !local.empty()) {
    lookups_.push_back(std::make_unique<Lookup>(loop_, name, limit, std::move(on_found)));
    return lookups_.back()->have(std::move(local));
  }
  return begin(name, {dns::RecordType::a, dns::RecordType::aaaa}, limit, std::move(on_found));
}

void Lookups::services(const std::string& name, Millis limit, OnFound on_found) {
  return begin(name, {dns::RecordType::srv}, limit, std::move(on_found));
}

void Lookups::begin(const std::string& name, std::vector<dns::RecordType> types, Millis limit,
                    OnFound on_found) {
  lookups_.push_back(std::make_unique<Lookup>(loop_, name, limit, std::move(on_found)));
  return lookups_.back()->ask(*resolver_, types);
}

}  // namespace tunnel::probe
