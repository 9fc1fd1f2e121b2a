// SPDX-License-Identifier: MIT
#include "probe/prober.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "probe/fix.h"
#include "tunnel/health_check.h"

namespace tunnel::probe {
namespace {

using Form = config::Target::Form;

constexpr Millis kUsualResolve{5'000};

void limit_to(config::Timeout& timeout, Millis limit) {
  timeout = timeout ? std::min(*timeout, limit) : limit;
}

}  // namespace

struct Prober::Target {
  Target(Service& whose, balance::Endpoint where, std::size_t group)
      : service(whose), endpoint(std::move(where)) {
    report.group = group;
    report.target = endpoint.text;
    report.host = endpoint.host;
  }

  Service& service;
  balance::Endpoint endpoint;
  std::string asked;              // its host, as DNS is asked for it
  std::set<std::string> proxies;  // names of those
  std::size_t waiting_names = 0;  // of the proxies
  std::optional<Seconds> dns;
  std::vector<std::unique_ptr<AddressProbe>> probes;
  std::size_t open = 0;  // of the probes
  TargetReport report;
};

struct Prober::Service {
  const config::Service& settings;
  // TLS as it is to be probed: the service's, or what its checks use when it has none.
  const config::Tls* tls;
  DialSettings dial;
  std::unique_ptr<VersionContexts> versions;
  std::vector<std::unique_ptr<Target>> targets;
};

Prober::Prober(const config::Global& global, const std::vector<ServiceHandle>& services,
               const Options& options)
    : options_(options),
      book_(loop_, history_, [](const std::string&) {}),
      lookups_(loop_, global) {
  if (options.capture) capture_ = {options.capture, options.capture->make_lane(loop_)};
  for (const ServiceHandle& handle : services) {
    const config::Service& settings = handle.settings();
    const config::Tls* tls = settings.tls ? &*settings.tls : nullptr;
    DialSettings dial = handle.config->dial;
    if (settings.health.tls) {
      tls = &*settings.health.tls;
      dial = check_settings(*handle.config);
      if (dial.tls == nullptr) tls = nullptr;
    }
    limit_to(dial.timeouts.resolve, options.timeout);
    limit_to(dial.timeouts.connect, options.timeout);
    limit_to(dial.timeouts.handshake, options.timeout);
    auto versions = std::make_unique<VersionContexts>(tls != nullptr ? *tls : config::Tls{});
    services_.push_back(std::make_unique<Service>(
        Service{settings, tls, std::move(dial), std::move(versions), {}}));
  }
}

Prober::~Prober() = default;

Report Prober::run() {
  Report report;
  report.now = std::time(nullptr);
  look_up_services();
  loop_.run();
  for (const auto& service : services_) {
    ServiceReport found{.name = service->settings.name, .targets = {}};
    for (auto& target : service->targets) found.targets.push_back(std::move(target->report));
    report.services.push_back(std::move(found));
  }
  return report;
}

// --- which targets there are -------------------------------------------------------------------

void Prober::look_up_services() {
  std::set<std::string> owners;
  for (const auto& service : services_) {
    for (const auto& group : service->settings.connect) {
      for (const config::Target& target : group) {
        if (target.form == Form::srv) owners.insert(target.host);
      }
    }
  }
  srv_waiting_ = owners.size();
  for (const std::string& owner : owners) {
    lookups_.services(owner, std::min(kUsualResolve, options_.timeout),
                      [this, owner](const Lookups::Found& found) { on_services(owner, found); });
  }
  if (owners.empty()) {
    for (auto& service : services_) arrange(*service);
    start_more();
    end_if_all_done();
  }
}

void Prober::on_services(const std::string& owner, const Lookups::Found& found) {
  std::vector<balance::SrvRecord> records;
  for (const dns::Service& service : found.services) {
    records.push_back({service.priority, service.weight, service.port, service.target});
  }
  srv_errors_[owner] = !found.error.empty() ? found.error : "it has no SRV records";
  answers_.srv[owner] = std::move(records);
  if (--srv_waiting_ > 0) return;
  for (auto& service : services_) arrange(*service);
  start_more();
  return end_if_all_done();
}

// Groups in their order, an SRV without an answer as a target that failed.
void Prober::arrange(Service& service) {
  config::TargetGroups connect = service.settings.connect;
  for (auto& group : connect) {
    for (config::Target& target : group) target.expand = false;  // all addresses are visited anyhow
  }
  std::size_t number = 0;
  for (const auto& group : balance::arrange(connect, answers_)) {
    ++number;
    for (const balance::Place& place : group) add_target(service, number, place.endpoint);
  }
  for (const auto& group : connect) {
    for (const config::Target& target : group) {
      if (target.form != Form::srv || !answers_.srv[target.host].empty()) continue;
      const balance::Endpoint endpoint{.form = Form::name,
                                       .host = target.host,
                                       .port = 0,
                                       .address = {},
                                       .name = {},
                                       .is_foreign = false,
                                       .text = target.text};
      if (!is_wanted(endpoint)) continue;
      service.targets.push_back(std::make_unique<Target>(service, endpoint, ++number));
      ++unfinished_;
      fail(*service.targets.back(),
           {Kind::resolve_failed,
            "cannot find the targets of " + target.text + ": " + srv_errors_[target.host], true},
           std::nullopt);
    }
  }
}

bool Prober::is_wanted(const balance::Endpoint& endpoint) const {
  if (endpoint.form == Form::ip) {
    const auto address = SocketAddress::parse_ip(endpoint.host, endpoint.port);
    if (address && !is_of_family(*address)) return false;
  }
  const std::string& wanted = options_.target;
  return wanted.empty() || wanted == endpoint.text || wanted == endpoint.host ||
         wanted == endpoint.name;
}

bool Prober::is_of_family(const SocketAddress& address) const {
  return options_.family == AF_UNSPEC || address.family() == options_.family;
}

void Prober::add_target(Service& service, std::size_t group, const balance::Endpoint& endpoint) {
  if (!is_wanted(endpoint)) return;
  // What SRV records name is absolute: resolv.conf's search list has no say in it.
  const bool is_written = std::ranges::any_of(service.settings.connect, [&](const auto& written) {
    return std::ranges::find(written, endpoint.host, &config::Target::host) != written.end();
  });
  service.targets.push_back(std::make_unique<Target>(service, endpoint, group));
  ++unfinished_;
  Target& target = *service.targets.back();
  target.asked = is_written ? endpoint.host : endpoint.host + ".";
  if (!service.settings.proxies.empty()) return look_up_proxies(target);
  return look_up(target);
}

// --- their addresses ---------------------------------------------------------------------------

// Everybody who waits for a name waits for one question.
void Prober::look_up(Target& target) {
  balance::Endpoint& endpoint = target.endpoint;
  if (endpoint.form == Form::unix_socket) return dial(target, endpoint, std::nullopt);
  if (endpoint.form == Form::ip) {
    endpoint.address = SocketAddress::parse_ip(endpoint.host, endpoint.port);
    return dial(target, endpoint, std::nullopt);
  }
  auto& waiting = waiting_[target.asked];
  waiting.push_back(&target);
  if (waiting.size() > 1) return;
  lookups_.addresses(
      target.asked, *target.service.dial.timeouts.resolve,
      [this, name = target.asked](const Lookups::Found& found) { on_addresses(name, found); });
}

// A proxy resolves the targets' names itself; its own has to be known before a dial.
void Prober::look_up_proxies(Target& target) {
  for (const config::Proxy& proxy : target.service.settings.proxies) {
    if (!SocketAddress::parse_ip(proxy.host, 0)) target.proxies.insert(proxy.host);
  }
  if (target.proxies.empty()) return dial(target, target.endpoint, std::nullopt);
  target.waiting_names = target.proxies.size();
  for (const std::string& name : target.proxies) {
    auto& waiting = waiting_[name];
    waiting.push_back(&target);
    if (waiting.size() > 1) continue;
    lookups_.addresses(name, *target.service.dial.timeouts.resolve,
                       [this, name](const Lookups::Found& found) { on_addresses(name, found); });
  }
}

void Prober::on_addresses(const std::string& name, const Lookups::Found& found) {
  std::vector<SocketAddress> addresses = found.addresses;
  std::erase_if(addresses, [this](const SocketAddress& each) { return !is_of_family(each); });
  std::string error = found.error;
  if (error.empty() && addresses.empty()) {
    error = name + " has no address of the family that was asked for";
  }
  book_.update(name, {addresses, error});
  for (Target* target : std::exchange(waiting_[name], {})) {
    if (!target->dns || *target->dns < found.took) target->dns = found.took;
    if (target->proxies.contains(name)) {
      if (--target->waiting_names == 0) dial(*target, target->endpoint, target->dns);
      continue;
    }
    if (addresses.empty()) {
      fail(*target, {Kind::resolve_failed, error, true}, target->dns);
      continue;
    }
    for (SocketAddress address : addresses) {
      balance::Endpoint endpoint = target->endpoint;
      address.set_port(endpoint.port);
      endpoint.address = address;
      dial(*target, endpoint, target->dns);
    }
  }
  start_more();
  return end_if_all_done();
}

void Prober::fail(Target& target, Failure failure, std::optional<Seconds> dns) {
  AddressReport report;
  report.times[Step::dns] = dns;
  report.times.total = dns;
  const tls::Evidence nothing_seen;
  const x509::Peer peer = expected_peer(target.endpoint, target.service.dial);
  const Case known{.service = target.service.settings,
                   .tls = target.service.tls,
                   .target = target.endpoint,
                   .peer = peer,
                   .evidence = nothing_seen,
                   .accepted_versions = {},
                   .now = std::time(nullptr)};
  report.problems.push_back({.step = Step::dns,
                             .kind = failure.kind,
                             .text = failure.text,
                             .fix = fix_for(failure, known),
                             .is_local = failure.is_local});
  target.report.addresses.push_back(std::move(report));
  return end_if_done(target);
}

// --- the visits --------------------------------------------------------------------------------

void Prober::dial(Target& target, const balance::Endpoint& endpoint, std::optional<Seconds> dns) {
  const std::size_t index = target.report.addresses.size();
  target.report.addresses.emplace_back();
  ++target.open;
  target.probes.push_back(
      std::make_unique<AddressProbe>(loop_, book_,
                                     AddressProbe::Task{.target = endpoint,
                                                        .settings = target.service.dial,
                                                        .tls = target.service.tls,
                                                        .versions = *target.service.versions,
                                                        .timeout = options_.timeout,
                                                        .rounds = options_.rounds,
                                                        .dns = dns,
                                                        .capture = capture_ ? &*capture_ : nullptr},
                                     [this, &target, index] { on_dialled(target, index); }));
  queue_.push_back(target.probes.back().get());
  ++known_;
}

void Prober::start_more() {
  while (running_ < kAtOnce && !queue_.empty()) {
    AddressProbe* next = queue_.front();
    queue_.pop_front();
    ++running_;
    next->start();
  }
  if (options_.on_progress) options_.on_progress(over_, known_);
}

void Prober::on_dialled(Target& target, std::size_t index) {
  target.report.addresses[index] = target.probes[index]->take_report();
  --running_;
  ++over_;
  --target.open;
  end_if_done(target);
  start_more();
  return end_if_all_done();
}

void Prober::end_if_done(Target& target) {
  if (target.open > 0) return;
  --unfinished_;
  if (options_.on_target) options_.on_target(target.service.settings.name, target.report);
}

void Prober::end_if_all_done() {
  if (unfinished_ == 0 && srv_waiting_ == 0) loop_.stop();
}

}  // namespace tunnel::probe
