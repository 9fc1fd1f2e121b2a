// SPDX-License-Identifier: MIT
#include "runtime/administration.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "admin/commands.h"
#include "base/text.h"
#include "config/print.h"
#include "x509/fingerprint.h"

namespace tunnel::runtime {
namespace {

using admin::Operator;
using admin::Verdict;

// A worker that has not answered by then stands still, or has very much to do.
constexpr Millis kPatience{2'000};
// Between two looks whether a drained service is empty, and whether something is over.
constexpr Millis kLook{100};

std::string lasting(const std::optional<Millis>& time) {
  return time ? " for " + format_duration(*time) : "";
}

std::string count_of(std::size_t number, const char* noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string who(const Operator& by) {
  return "uid " + std::to_string(by.uid) + ", pid " + std::to_string(by.pid);
}

// What the file holds and must not be shown.
config::Config masked(const Snapshot& snapshot) {
  config::Config config;
  config.global = snapshot.global;
  for (const ServiceHandle& handle : snapshot.services) {
    config::Service service = handle.settings();
    if (service.smtp_login) service.smtp_login->password = "MASKED";
    for (config::Proxy& proxy : service.proxies) {
      if (!proxy.password.empty()) proxy.password = "MASKED";
      for (std::string& header : proxy.headers) header = header.substr(0, header.find(':')) + ": MASKED";
    }
    config.services.push_back(std::move(service));
  }
  return config;
}

std::string hash_of(const Snapshot& snapshot) {
  config::Config config;
  config.global = snapshot.global;
  for (const ServiceHandle& handle : snapshot.services) {
    config.services.push_back(handle.settings());
  }
  const auto print = x509::Fingerprinter().add(config::print(config)).finish();
  if (!print) return "";
  std::string text = "sha256:";
  for (const std::byte byte : *print) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[std::to_integer<unsigned>(byte) >> 4U];
    text += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

std::string override_text(const balance::Override::What what, std::uint32_t weight) {
  switch (what) {
    case balance::Override::What::drain:
      return "drained";
    case balance::Override::What::eject:
      return "ejected";
    case balance::Override::What::weight:
      return "given the weight " + std::to_string(weight);
  }
  return "";
}

}  // namespace

Administration::Administration(Process process, int listening)
    : process_(std::move(process)), timer_(process_.loop, [this] { tick(); }) {
  if (listening < 0) return;
  server_ = std::make_unique<admin::ControlServer>(
      process_.loop, listening, ::geteuid(),
      admin::ControlServer::Owner{
          .on_request =
              [this](admin::ControlServer::Asker asker, std::string_view line) {
                admin::execute(line, asker.by, *this, asker.answer);
              },
          .on_refused =
              [this](const Operator& by) {
                process_.log.warning(
                    {}, "refused a control connection of " + who(by) +
                            ": only root and the user of this process may use the socket");
              }});
}

Administration::~Administration() = default;

balance::Arrangement Administration::adjusted(ServiceId service,
                                              const balance::Arrangement& arrangement) const {
  const auto known = overrides_.find(service);
  return known == overrides_.end() ? arrangement : known->second.applied(arrangement);
}

void Administration::note(const Operator& by, const std::string& what) {
  process_.log.write(log::Level::info, log::Event::control, {}, what + " (" + who(by) + ")",
                     {{"uid", std::uint64_t{by.uid}}, {"pid", std::int64_t{by.pid}}});
}

const ServiceHandle* Administration::find(const std::string& name) const {
  const std::vector<ServiceHandle>& services = process_.snapshot().services;
  const auto found = std::find_if(services.begin(), services.end(), [&](const auto& service) {
    return service.life->name == name;
  });
  return found == services.end() ? nullptr : &*found;
}

Verdict Administration::no_such_service(const std::string& name) const {
  std::vector<std::string_view> names;
  for (const ServiceHandle& service : process_.snapshot().services) {
    names.push_back(service.life->name);
  }
  const std::string_view meant = did_you_mean(name, names);
  return Verdict::refused("no_such_service",
                          "there is no service " + in_quotes(name) +
                              (meant.empty() ? "" : "; did you mean " + in_quotes(meant) + "?"));
}

// As it is in `connect`, or its host alone; an expanded name is all of its addresses.
std::vector<balance::Target*> Administration::targets_of(const ServiceHandle& service,
                                                         const std::string& name) const {
  std::vector<balance::Target*> found;
  const auto layout = process_.resolution().layout_of(service.life->id);
  if (!layout) return found;
  for (balance::Target* target : layout->targets()) {
    if (target->text() == name || target->endpoint().host == name) found.push_back(target);
  }
  return found;
}

Verdict Administration::no_such_target(const ServiceHandle& service,
                                       const std::string& name) const {
  std::vector<std::string_view> names;
  const auto layout = process_.resolution().layout_of(service.life->id);
  if (layout) {
    for (const balance::Target* target : layout->targets()) names.push_back(target->text());
  }
  std::string_view meant = did_you_mean(name, names);
  std::string all;
  for (const std::string_view one : names) all += (all.empty() ? "" : ", ") + std::string(one);
  return Verdict::refused("no_such_target",
                          "service " + in_quotes(service.life->name) + " has no target " +
                              in_quotes(name) + (meant.empty() ? "; it has " + all
                                                 : "; did you mean " + in_quotes(meant) + "?"));
}

void Administration::reload(const Operator& by, OnVerdict on_verdict) {
  note(by, "reload");
  return process_.reload(std::move(on_verdict));
}

void Administration::note_reload(bool is_successful, const std::vector<std::string>& lines) {
  last_reload_ = {std::chrono::system_clock::now(), is_successful, lines};
  if (is_successful) loaded_ = last_reload_->time;
}

std::vector<std::string> Administration::on_reloaded() {
  std::vector<std::string> dropped;
  const Snapshot& snapshot = process_.snapshot();
  const auto name_of = [&](ServiceId id) -> const std::string* {
    const auto service =
        std::find_if(snapshot.services.begin(), snapshot.services.end(),
                     [&](const ServiceHandle& one) { return one.life->id == id; });
    return service == snapshot.services.end() ? nullptr : &service->life->name;
  };
  std::erase_if(overrides_, [&](const auto& each) { return name_of(each.first) == nullptr; });
  for (auto& [id, overrides] : overrides_) {
    for (const std::string& target :
         overrides.keep_only(process_.resolution().arrangement_of(id))) {
      dropped.push_back(*name_of(id) + ": the override of " + target + " was dropped");
    }
  }
  std::erase_if(drained_, [&](ServiceId id) { return name_of(id) == nullptr; });
  for (const ServiceId id : drained_) process_.acceptor().drain(id);
  return dropped;
}

bool Administration::is_empty(const std::string& name) const {
  for (const ServiceHandle& service : process_.snapshot().services) {
    if (!name.empty() && service.life->name != name) continue;
    if (service.life->connections.load() > 0) return false;
  }
  return true;
}

void Administration::drain(const Operator& by, const std::string& name, OnVerdict on_verdict) {
  if (!name.empty() && find(name) == nullptr) return on_verdict(no_such_service(name));
  note(by, name.empty() ? "drain of every service" : "drain of service " + in_quotes(name));
  for (const ServiceHandle& service : process_.snapshot().services) {
    if (!name.empty() && service.life->name != name) continue;
    drained_.insert(service.life->id);
    process_.acceptor().drain(service.life->id);
  }
  draining_.push_back({name, std::move(on_verdict)});
  return tick();
}

void Administration::order(const Operator& by, const TargetOrder& order, OnVerdict on_verdict) {
  const ServiceHandle* service = find(order.service);
  if (service == nullptr) return on_verdict(no_such_service(order.service));
  const std::vector<balance::Target*> targets = targets_of(*service, order.target);
  if (targets.empty()) return on_verdict(no_such_target(*service, order.target));
  const std::string what = "target " + order.target + " of service " + in_quotes(order.service);
  if (const auto* kick = std::get_if<Kick>(&order.what)) {
    note(by, "kick of the connections of " + what);
    ConnectionsOrder ending{.what = ConnectionsOrder::What::end, .service = service->life->id,
                            .idle = kick->idle};
    for (const balance::Target* target : targets) ending.targets.push_back(target->id());
    return ask_workers(std::move(ending), [on_verdict](const Pending& answers) {
      return on_verdict(Verdict::done({count_of(answers.ended, "connection") + " ended"}));
    });
  }
  balance::Overrides& overrides = overrides_[service->life->id];
  std::string done;
  if (std::holds_alternative<Enable>(order.what)) {
    for (const balance::Target* target : targets) overrides.clear(target->endpoint());
    done = "is as the configuration says";
  } else {
    balance::Override override{.uid = by.uid, .pid = by.pid};
    if (order.lasting) override.until = process_.loop.now() + *order.lasting;
    if (std::holds_alternative<Eject>(order.what)) override.what = balance::Override::What::eject;
    if (const auto* weight = std::get_if<Weight>(&order.what)) {
      override.what = balance::Override::What::weight;
      override.weight = weight->weight;
    }
    for (const balance::Target* target : targets) overrides.set(target->endpoint(), override);
    done = "is " + override_text(override.what, override.weight) + lasting(order.lasting);
  }
  note(by, what + " " + done);
  process_.resolution().rebuild(service->life->id);
  set_timer();
  return on_verdict(Verdict::done({what + " " + done}));
}

void Administration::close(const Operator& by, const std::string& name, std::uint64_t id,
                           OnVerdict on_verdict) {
  const ServiceHandle* service = find(name);
  if (service == nullptr) return on_verdict(no_such_service(name));
  const std::string what = name + "[" + std::to_string(id) + "]";
  note(by, "close of " + what);
  return ask_workers({.what = ConnectionsOrder::What::end,
                      .service = service->life->id,
                      .connection = id},
                     [on_verdict, what](const Pending& answers) {
                       if (answers.ended > 0) return on_verdict(Verdict::done({what + " ended"}));
                       return on_verdict(Verdict::refused("no_such_connection",
                                                          "there is no connection " + what));
                     });
}

void Administration::set_log_level(const Operator& by, const LevelOrder& order,
                                   OnVerdict on_verdict) {
  if (!order.service.empty() && find(order.service) == nullptr) {
    return on_verdict(no_such_service(order.service));
  }
  std::erase_if(levels_, [&](const LevelInForce& level) {
    return level.order.service == order.service && level.order.client == order.client;
  });
  std::optional<TimePoint> until;
  if (order.lasting) until = process_.loop.now() + *order.lasting;
  levels_.push_back({order, by, until});
  use_levels();
  std::string what = "log level " + std::string(log::word(order.level));
  if (!order.service.empty()) what += " for service " + in_quotes(order.service);
  if (order.client) what += " for clients in " + order.client->to_string();
  what += lasting(order.lasting);
  note(by, what);
  set_timer();
  return on_verdict(Verdict::done({what}));
}

void Administration::use_levels() {
  std::vector<log::LevelOverride> overrides;
  for (const LevelInForce& level : levels_) {
    overrides.push_back({level.order.level, level.order.service, level.order.client});
  }
  process_.log.set_level_overrides(std::move(overrides));
}

void Administration::config(std::function<void(ConfigInForce)> on_config) {
  const Snapshot& snapshot = process_.snapshot();
  return on_config({process_.config, hash_of(snapshot), config::print(masked(snapshot))});
}

void Administration::resolve(const Operator& by, const std::string& name, OnVerdict on_verdict) {
  if (!name.empty() && find(name) == nullptr) return on_verdict(no_such_service(name));
  note(by, "resolve");
  std::vector<std::string> lines;
  for (const ServiceHandle& service : process_.snapshot().services) {
    if (!name.empty() && service.life->name != name) continue;
    for (const std::string& asked : process_.resolution().refresh_service(service)) {
      lines.push_back("asking for " + printable(asked));
    }
  }
  if (lines.empty()) lines.emplace_back("there are no names to ask for");
  return on_verdict(Verdict::done(std::move(lines)));
}

void Administration::ask_workers(ConnectionsOrder order,
                                 std::function<void(Pending)> on_complete) {
  order.request = ++last_request_;
  Pending& pending = pending_[order.request];
  for (std::size_t index = 0; index < process_.workers; ++index) pending.silent.insert(index);
  pending.until = process_.loop.now() + kPatience;
  pending.on_complete = std::move(on_complete);
  process_.send(order);
  return set_timer();
}

void Administration::on_answer(ConnectionsAnswer answer) {
  const auto found = pending_.find(answer.request);
  if (found == pending_.end()) return;
  Pending& pending = found->second;
  pending.silent.erase(answer.worker);
  pending.ended += answer.ended;
  std::move(answer.connections.begin(), answer.connections.end(),
            std::back_inserter(pending.connections));
  if (pending.silent.empty()) return complete(answer.request);
}

void Administration::complete(std::uint64_t request) {
  const auto found = pending_.find(request);
  Pending pending = std::move(found->second);
  pending_.erase(found);
  const auto on_complete = std::move(pending.on_complete);
  return on_complete(std::move(pending));
}

void Administration::tick() {
  const TimePoint now = process_.loop.now();
  for (auto& [service, overrides] : overrides_) {
    if (!overrides.expire(now)) continue;
    process_.log.info({}, "an override of a target has ended");
    process_.resolution().rebuild(service);
  }
  if (std::erase_if(levels_, [&](const auto& level) { return level.until && *level.until <= now; }) >
      0) {
    use_levels();
  }
  std::vector<std::uint64_t> late;
  for (const auto& [request, pending] : pending_) {
    if (pending.until <= now) late.push_back(request);
  }
  for (const std::uint64_t request : late) complete(request);
  std::vector<OnVerdict> drained;
  std::erase_if(draining_, [&](Draining& draining) {
    if (!is_empty(draining.service)) return false;
    drained.push_back(std::move(draining.on_verdict));
    return true;
  });
  for (const OnVerdict& on_verdict : drained) on_verdict(Verdict::done({"no connection is left"}));
  return set_timer();
}

void Administration::set_timer() {
  std::optional<TimePoint> next;
  const auto consider = [&](TimePoint when) { next = std::min(next.value_or(when), when); };
  const TimePoint now = process_.loop.now();
  for (const auto& [service, overrides] : overrides_) {
    if (const auto end = overrides.next_end()) consider(*end);
  }
  for (const LevelInForce& level : levels_) {
    if (level.until) consider(*level.until);
  }
  for (const auto& [request, pending] : pending_) consider(pending.until);
  if (!draining_.empty()) consider(now + kLook);
  if (!next) return timer_.stop();
  return timer_.start(std::max(Millis(1), *next - now));
}

}  // namespace tunnel::runtime
