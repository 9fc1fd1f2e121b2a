// SPDX-License-Identifier: MIT
#include "runtime/administration.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "admin/commands.h"
#include "base/text.h"

namespace tunnel::runtime {
namespace {

using admin::Operator;
using admin::Verdict;

// Between two looks whether a drained service is empty, and whether something is over.
constexpr Millis kLook{100};

std::string lasting(const std::optional<Millis>& time) {
  return time ? " for " + format_duration(*time) : "";
}

std::string who(const Operator& by) {
  return "uid " + std::to_string(by.uid) + ", pid " + std::to_string(by.pid);
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
    : process_(std::move(process)),
      levels_(process_.log),
      inquiries_(process_.workers, process_.send),
      timer_(process_.loop, [this] { tick(); }) {
  if (listening < 0) return;
  server_ = std::make_unique<admin::ControlServer>(
      process_.loop, listening, ::geteuid(),
      admin::ControlServer::Owner{
          .on_request =
              [this](admin::ControlServer::Asker asker, std::string_view line) {
                admin::execute(line, asker.by, *this, asker.answer, asker.take_over);
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
  const auto found = std::find_if(services.begin(), services.end(),
                                  [&](const auto& service) { return service.life->name == name; });
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
  return Verdict::refused(
      "no_such_target",
      "service " + in_quotes(service.life->name) + " has no target " + in_quotes(name) +
          (meant.empty() ? "; it has " + all : "; did you mean " + in_quotes(meant) + "?"));
}

void Administration::reload(const Operator& by, OnVerdict on_verdict) {
  note(by, "reload");
  return process_.reload(std::move(on_verdict));
}

void Administration::note_reload(bool is_successful, const std::vector<std::string>& lines) {
  last_reload_ = {std::chrono::system_clock::now(), is_successful, lines};
  if (is_successful) loaded_ = last_reload_->time;
  ++(is_successful ? reloads_ : failed_reloads_);
}

std::vector<std::string> Administration::on_reloaded() {
  std::vector<std::string> dropped;
  std::set<ServiceId> in_force;
  for (const ServiceHandle& service : process_.snapshot().services) {
    const ServiceId id = service.life->id;
    in_force.insert(id);
    const auto known = overrides_.find(id);
    if (known == overrides_.end()) continue;
    for (const std::string& target :
         known->second.keep_only(process_.resolution().arrangement_of(id))) {
      dropped.push_back(service.life->name + ": the override of " + target + " was dropped");
    }
  }
  std::erase_if(overrides_, [&](const auto& each) { return !in_force.contains(each.first); });
  drains_.keep_only(in_force);
  return dropped;
}

void Administration::drain(const Operator& by, const std::string& name, OnVerdict on_verdict) {
  if (!name.empty() && find(name) == nullptr) return on_verdict(no_such_service(name));
  note(by, name.empty() ? "drain of every service" : "drain of service " + in_quotes(name));
  Drains::Services services;
  for (const ServiceHandle& service : process_.snapshot().services) {
    if (!name.empty() && service.life->name != name) continue;
    services.push_back(service.life);
    process_.take_no_more(service.life->id);
  }
  drains_.add(std::move(services), std::move(on_verdict));
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
    ConnectionsOrder ending{
        .what = ConnectionsOrder::What::end, .service = service->life->id, .idle = kick->idle};
    for (const balance::Target* target : targets) ending.targets.push_back(target->id());
    return ask_workers(std::move(ending), [on_verdict](const Inquiries::Answers& answers) {
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
  return ask_workers(
      {.what = ConnectionsOrder::What::end, .service = service->life->id, .connection = id},
      [on_verdict, what](const Inquiries::Answers& answers) {
        if (answers.ended > 0) return on_verdict(Verdict::done({what + " ended"}));
        return on_verdict(Verdict::refused("no_such_connection", "there is no connection " + what));
      });
}

void Administration::set_log_level(const Operator& by, const LevelOrder& order,
                                   OnVerdict on_verdict) {
  if (!order.service.empty() && find(order.service) == nullptr) {
    return on_verdict(no_such_service(order.service));
  }
  levels_.set(order, by, process_.loop.now());
  std::string what = "log level " + std::string(log::word(order.level));
  if (!order.service.empty()) what += " for service " + in_quotes(order.service);
  if (order.client) what += " for clients in " + order.client->to_string();
  what += lasting(order.lasting);
  note(by, what);
  set_timer();
  return on_verdict(Verdict::done({what}));
}

void Administration::capture(const Operator& by, const CaptureOrder& order,
                             const std::function<Fd()>& take_over, OnVerdict on_verdict) {
  if (process_.snapshot().global.capture == config::Captures::never) {
    return on_verdict(Verdict::refused(
        "refused", "capture = \"never\" in " + printable(process_.config) + " forbids it"));
  }
  for (const std::string& service : order.services) {
    if (find(service) == nullptr) return on_verdict(no_such_service(service));
  }
  if (process_.is_stopping()) {
    return on_verdict(Verdict::refused("refused", "the process is stopping"));
  }
  if (!process_.captures().has_room()) {
    return on_verdict(Verdict::refused("refused", "there are too many captures at the same time"));
  }
  return process_.captures().begin(by, order, take_over(),
                                   admin::answer_line(admin::Json::object()));
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

void Administration::ask_workers(ConnectionsOrder order, Inquiries::OnComplete on_complete) {
  inquiries_.ask(std::move(order), process_.loop.now(), std::move(on_complete));
  return set_timer();
}

void Administration::tick() {
  const TimePoint now = process_.loop.now();
  for (auto& [service, overrides] : overrides_) {
    if (!overrides.expire(now)) continue;
    process_.log.info({}, "an override of a target has ended");
    process_.resolution().rebuild(service);
  }
  levels_.expire(now);
  inquiries_.expire(now);
  drains_.look();
  return set_timer();
}

void Administration::set_timer() {
  const TimePoint now = process_.loop.now();
  std::optional<TimePoint> next;
  const auto consider = [&](std::optional<TimePoint> when) {
    if (when) next = std::min(next.value_or(*when), *when);
  };
  for (const auto& [service, overrides] : overrides_) consider(overrides.next_end());
  consider(levels_.next_end());
  consider(inquiries_.next_end());
  if (drains_.is_waited_for()) consider(now + kLook);
  if (!next) return timer_.stop();
  return timer_.start(std::max(Millis(1), *next - now));
}

}  // namespace tunnel::runtime
