// SPDX-License-Identifier: MIT
#include "admin/commands.h"

#include <array>
#include <utility>

#include "admin/status_json.h"
#include "base/text.h"

namespace tunnel::admin {
namespace {

using Answer = std::function<void(const std::string& line)>;

struct Job {
  const Request& request;
  const Operator& by;
  AdminActions& actions;
  const Answer& answer;
  const std::function<Fd()>& take_over;

  void refuse(std::string text) const {
    return answer(answer_line(Verdict::refused("bad_request", std::move(text))));
  }
  [[nodiscard]] AdminActions::OnVerdict verdict() const {
    // A copy: a verdict may come long after the job, which lives as long as the call that carries
    // it out.
    return [answer = answer](const Verdict& verdict) { answer(answer_line(verdict)); };
  }
};

void status(const Job& job) {
  using Connections = AdminActions::Connections;
  const auto how = job.request.flag("connections") ? Connections::listed : Connections::counted;
  return job.actions.status(how, [answer = job.answer](const Status& status) {
    answer(answer_line(Json{{"status", to_json(status)}}));
  });
}

void reload(const Job& job) { return job.actions.reload(job.by, job.verdict()); }

void drain(const Job& job) {
  return job.actions.drain(job.by, job.request.text("service"), job.verdict());
}

void target(const Job& job) {
  const Request& request = job.request;
  AdminActions::TargetOrder order{.service = request.text("service"),
                                  .target = request.text("target"),
                                  .what = AdminActions::Enable{},
                                  .lasting = request.duration("for_ms")};
  if (order.service.empty() || order.target.empty()) {
    return job.refuse("\"target\" needs a service and a target");
  }
  const std::string action = request.text("action");
  if (action == "drain") {
    order.what = AdminActions::Drain{};
  } else if (action == "eject") {
    order.what = AdminActions::Eject{};
  } else if (action == "enable") {
    order.what = AdminActions::Enable{};
  } else if (action == "kick") {
    order.what = AdminActions::Kick{request.duration("idle_ms")};
  } else if (action == "weight") {
    const auto weight = request.number("weight");
    // As in the configuration, and as SRV records have them (RFC 2782).
    if (!weight || *weight > 65'535) return job.refuse("a weight is a number from 0 to 65535");
    order.what = AdminActions::Weight{static_cast<std::uint32_t>(*weight)};
  } else {
    return job.refuse("what is to be done with the target is drain, enable, eject, weight or kick");
  }
  return job.actions.order(job.by, order, job.verdict());
}

void close(const Job& job) {
  const std::string service = job.request.text("service");
  const auto connection = job.request.number("connection");
  if (service.empty() || !connection) {
    return job.refuse("\"close\" needs a service and the number of a connection");
  }
  return job.actions.close(job.by, service, *connection, job.verdict());
}

void log_level(const Job& job) {
  const Request& request = job.request;
  const auto level = log::parse_level(request.text("level"));
  if (!level) return job.refuse("a level is error, warning, info or debug");
  AdminActions::LevelOrder order{.level = *level,
                                 .service = request.text("service"),
                                 .client = std::nullopt,
                                 .lasting = request.duration("for_ms")};
  if (const std::string range = request.text("client"); !range.empty()) {
    const auto client = Cidr::parse(range);
    if (!client) return job.refuse(client.error().text);
    order.client = *client;
  }
  return job.actions.set_log_level(job.by, order, job.verdict());
}

void config(const Job& job) {
  return job.actions.config([answer = job.answer](const AdminActions::ConfigInForce& config) {
    answer(answer_line(
        Json{{"config", config.path}, {"config_hash", config.hash}, {"text", config.text}}));
  });
}

void resolve(const Job& job) {
  return job.actions.resolve(job.by, job.request.text("service"), job.verdict());
}

void capture(const Job& job) {
  const Request& request = job.request;
  AdminActions::CaptureOrder order{.services = request.texts("services"),
                                   .is_wire = request.text("layer") == "wire",
                                   .clients = {},
                                   .snaplen = request.number("snaplen"),
                                   .max_size = request.number("max_size"),
                                   .lasting = request.duration("for_ms")};
  if (const std::string layer = request.text("layer");
      layer != "" && layer != "plain" && !order.is_wire) {
    return job.refuse("a layer is plain or wire");
  }
  for (const std::string& range : request.texts("clients")) {
    const auto client = Cidr::parse(range);
    if (!client) return job.refuse(client.error().text);
    order.clients.push_back(*client);
  }
  return job.actions.capture(job.by, order, job.take_over, job.verdict());
}

struct Command {
  std::string_view name;
  void (*run)(const Job&);
};

// What an instance does not know is refused by name, so that a newer command line tells people of
// an older instance what is wrong.
constexpr auto kCommands = std::to_array<Command>({
    {"status", status},
    {"reload", reload},
    {"drain", drain},
    {"target", target},
    {"close", close},
    {"log-level", log_level},
    {"capture", capture},
    {"config", config},
    {"resolve", resolve},
});

}  // namespace

void execute(std::string_view line, const Operator& by, AdminActions& actions, Answer answer,
             std::function<Fd()> take_over) {
  const Request::Parsed parsed = Request::parse(line);
  if (!parsed.request) return answer(answer_line(parsed.refusal));
  const std::string& name = parsed.request->command();
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run({*parsed.request, by, actions, answer, take_over});
  }
  return answer(answer_line(Verdict::refused(
      "unknown_command", "this instance does not know the command " + in_quotes(name))));
}

}  // namespace tunnel::admin
