// SPDX-License-Identifier: MIT
// The commands that are one order for the running instance, and print its answer.
#include <CLI/CLI.hpp>
#include <utility>

#include "base/text.h"
#include "cli/command.h"
#include "cli/instance.h"
#include "cli/validators.h"

namespace tunnel::cli {
namespace {

using admin::Json;

// A reload may load a thousand keys, a drain lasts as long as connections do.
constexpr Millis kOrderPatience{60'000};
constexpr Millis kReloadPatience{600'000};
constexpr Millis kDrainPatience{7LL * 24 * 3600 * 1000};

class OrderCommand : public Command {
 public:
  Outcome run(const CommonOptions& common, const Machinery&) final {
    auto client = Instance{config_, common.control}.connect();
    if (!client) return unreachable(client.error());
    const auto answer = client->ask(request(), patience());
    if (!answer) return unreachable(answer.error());
    return present(*answer, is_json_ ? Form::json : Form::text);
  }

 protected:
  using Command::Command;

  void declare_common(CLI::App& app) {
    add_config(app, config_);
    app.add_flag("--json", is_json_, "print the answer as JSON");
  }
  // An option with a duration, as milliseconds under `key` of the request.
  void add_duration(CLI::App& app, const char* name, const char* key, const char* help) {
    app.add_option_function<std::string>(
           name,
           [this, key](const std::string& text) { more_[key] = parse_duration(text)->count(); },
           help)
        ->type_name("DURATION")
        ->transform(to_duration());
  }
  // An argument or option with a word, under `key`.
  CLI::Option* add_word(CLI::App& app, const char* name, const char* key, const char* help) {
    return app
        .add_option_function<std::string>(
            name, [this, key](const std::string& text) { more_[key] = text; }, help)
        ->type_name("");
  }

  [[nodiscard]] virtual Json request() const {
    Json json = more_;
    json["command"] = name();
    return json;
  }
  [[nodiscard]] virtual Millis patience() const { return kOrderPatience; }
  [[nodiscard]] virtual Outcome present(const Json& answer, Form form) const {
    return printed(answer, form);
  }

  Json more_ = Json::object();

 private:
  std::string config_;
  bool is_json_ = false;
};

class ReloadCommand final : public OrderCommand {
 public:
  ReloadCommand() : OrderCommand("reload", "take the changed CONFIG over, or say why not") {}
  void declare(CLI::App& app) override { declare_common(app); }

 private:
  Millis patience() const override { return kReloadPatience; }
};

class DrainCommand final : public OrderCommand {
 public:
  DrainCommand()
      : OrderCommand("drain", "no new clients; says when the last connection has ended") {}
  void declare(CLI::App& app) override {
    declare_common(app);
    add_word(app, "SERVICE", "service", "the default is every service");
  }

 private:
  Millis patience() const override { return kDrainPatience; }
};

class TargetCommand final : public OrderCommand {
 public:
  TargetCommand()
      : OrderCommand("target",
                     "what a target of a service gets: nothing new (drain), nothing while others\n"
                     "can serve (eject), its share again (enable), another share (weight N); or\n"
                     "end its connections (kick)") {}

  void declare(CLI::App& app) override {
    declare_common(app);
    add_word(app, "SERVICE", "service", "the service")->required();
    add_word(app, "TARGET", "target", "the target, as it is in `connect`")->required();
    add_word(app, "ACTION", "action", "drain, enable, eject, weight or kick")
        ->required()
        ->check(CLI::IsMember({"drain", "enable", "eject", "weight", "kick"}));
    app.add_option("N", weight_, "the weight")->type_name("")->check(CLI::Range(0, 65'535));
    add_duration(app, "--for", "for_ms", "reverts by itself then; default: at the next restart");
    add_duration(app, "--idle", "idle_ms",
                 "kick: only connections that have been quiet for this long");
  }

  std::string check() const override {
    const bool is_weight = more_.value("action", "") == "weight";
    if (is_weight && weight_ < 0) return "weight needs a number: tunnel target ... weight N";
    if (!is_weight && weight_ >= 0) return "only weight takes a number";
    if (more_.contains("idle_ms") && more_.value("action", "") != "kick") {
      return "--idle is for kick";
    }
    if (more_.contains("for_ms") &&
        (more_.value("action", "") == "kick" || more_.value("action", "") == "enable")) {
      return "--for is for drain, eject and weight";
    }
    return {};
  }

 private:
  Json request() const override {
    Json json = OrderCommand::request();
    if (weight_ >= 0) json["weight"] = weight_;
    return json;
  }

  int weight_ = -1;
};

class CloseCommand final : public OrderCommand {
 public:
  CloseCommand() : OrderCommand("close", "end one connection, named as in the log: ldap[12]") {}

  void declare(CLI::App& app) override {
    declare_common(app);
    app.add_option("CONNECTION", connection_, "SERVICE[N]")->required()->type_name("");
  }

  std::string check() const override {
    return parsed() ? "" : in_quotes(connection_) + " does not name a connection, such as ldap[12]";
  }

 private:
  // The service and the number.
  [[nodiscard]] std::optional<std::pair<std::string, std::uint64_t>> parsed() const {
    const std::size_t open = connection_.rfind('[');
    if (open == std::string::npos || open == 0 || !connection_.ends_with(']')) return std::nullopt;
    const std::string digits = connection_.substr(open + 1, connection_.size() - open - 2);
    // Nineteen digits always fit into 64 bits; std::stoull throws where they do not.
    if (digits.empty() || digits.size() > 19 ||
        digits.find_first_not_of("0123456789") != std::string::npos) {
      return std::nullopt;
    }
    return std::pair(connection_.substr(0, open), std::stoull(digits));
  }

  Json request() const override {
    Json json = OrderCommand::request();
    const auto place = parsed();
    json["service"] = place->first;
    json["connection"] = place->second;
    return json;
  }

  std::string connection_;
};

class LogLevelCommand final : public OrderCommand {
 public:
  LogLevelCommand() : OrderCommand("log-level", "what is logged, for all or for some lines") {}

  void declare(CLI::App& app) override {
    declare_common(app);
    add_word(app, "LEVEL", "level", "error, warning, info or debug")
        ->required()
        ->check(CLI::IsMember({"error", "warning", "info", "debug"}));
    add_word(app, "--service", "service", "only lines about this service")->type_name("SERVICE");
    add_word(app, "--client", "client", "only lines about connections of these clients")
        ->type_name("CIDR");
    add_duration(app, "--for", "for_ms", "reverts by itself then; default: at the next restart");
  }
};

class ConfigCommand final : public OrderCommand {
 public:
  ConfigCommand()
      : OrderCommand("config", "the configuration in force, with secrets masked, and its hash") {}
  void declare(CLI::App& app) override { declare_common(app); }

 private:
  Outcome present(const Json& answer, Form form) const override {
    if (form == Form::json || !answer.value("ok", false)) return printed(answer, form);
    return {0,
            "# " + answer.value("config", "") + "\n# " + answer.value("config_hash", "") + "\n" +
                answer.value("text", ""),
            ""};
  }
};

class ResolveCommand final : public OrderCommand {
 public:
  ResolveCommand() : OrderCommand("resolve", "ask DNS for the names of the targets now") {}
  void declare(CLI::App& app) override {
    declare_common(app);
    add_word(app, "SERVICE", "service", "the default is every service");
  }
};

}  // namespace

std::vector<std::unique_ptr<Command>> make_control_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(std::make_unique<ReloadCommand>());
  commands.push_back(std::make_unique<DrainCommand>());
  commands.push_back(std::make_unique<TargetCommand>());
  commands.push_back(std::make_unique<CloseCommand>());
  commands.push_back(std::make_unique<LogLevelCommand>());
  commands.push_back(std::make_unique<ConfigCommand>());
  commands.push_back(std::make_unique<ResolveCommand>());
  return commands;
}

}  // namespace tunnel::cli
