// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <chrono>
#include <thread>

#include "base/text.h"
#include "cli/command.h"
#include "cli/instance.h"
#include "cli/status_screen.h"
#include "cli/status_text.h"
#include "cli/validators.h"

namespace tunnel::cli {
namespace {

using admin::Json;

constexpr Millis kStatusPatience{30'000};
// Between two looks whether the instance is there.
constexpr Millis kLook{100};

class StatusCommand final : public Command {
 public:
  StatusCommand()
      : Command("status",
                "what the running instance does: services, targets, connections, problems") {}

  void declare(CLI::App& app) override {
    add_config(app, config_);
    app.add_flag("--json", is_json_, "print it as JSON");
    app.add_flag("--watch", is_watching_, "a live screen, by throughput; q leaves");
    app.add_option_function<std::string>(
           "--wait-ready", [this](const std::string& text) { wait_ = *parse_duration(text); },
           "wait until the instance serves, at most this long")
        ->type_name("DURATION")
        ->transform(to_duration());
  }

  std::string check() const override {
    return is_json_ && is_watching_ ? "--json and --watch do not go together" : "";
  }

  Outcome run(const CommonOptions& common, const Machinery&) override {
    auto reached = reach({config_, common.control});
    if (!reached) return unreachable(reached.error());
    if (is_watching_) {
      const auto watched = watch_status([&] { return ask(reached->client); });
      return watched ? Outcome{} : unreachable(watched.error());
    }
    const Json& status = reached->status;
    if (is_json_) return {0, status.dump(2, ' ', false, Json::error_handler_t::replace) + "\n", ""};
    return {0, status_text(status), ""};
  }

 private:
  struct Reached {
    admin::ControlClient client;
    Json status;
  };

  static Result<Json> ask(admin::ControlClient& client) {
    auto answer = client.ask(Json{{"command", "status"}, {"connections", true}}, kStatusPatience);
    if (!answer) return answer;
    return std::move((*answer)["status"]);
  }

  static Result<Reached> look(const Instance& instance) {
    auto client = instance.connect();
    if (!client) return tl::unexpected(client.error());
    auto status = ask(*client);
    if (!status) return tl::unexpected(status.error());
    return Reached{std::move(*client), std::move(*status)};
  }

  // Whoever waits wants one that serves, which is there when it answers: the control socket is
  // served after the listeners are. One that is stopping may have a successor soon.
  Result<Reached> reach(const Instance& instance) const {
    const SystemClock clock;
    const TimePoint until = clock.now() + wait_;
    for (;;) {
      auto reached = look(instance);
      const bool is_awaited = wait_.count() > 0;
      const bool is_stopping = reached && reached->status.value("state", "") != "running";
      if (reached && !(is_awaited && is_stopping)) return reached;
      if (clock.now() >= until) {
        if (!reached) return reached;
        return failed(ErrorCode::unavailable, "the instance is stopping, and no other serves");
      }
      std::this_thread::sleep_for(kLook);
    }
  }

  std::string config_;
  bool is_json_ = false;
  bool is_watching_ = false;
  Millis wait_{0};
};

}  // namespace

std::unique_ptr<Command> make_status_command() { return std::make_unique<StatusCommand>(); }

}  // namespace tunnel::cli
