// SPDX-License-Identifier: MIT
#include "cli/command_line.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "cli/arguments.h"
#include "cli/service_option.h"

namespace tunnel::cli {
namespace {

bool exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

// Commands have their own lines of help, and a file alone is run.
class HelpText final : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string name) const override {
    if (app->get_parent() != nullptr) {
      return "\n" + CLI::Formatter::make_usage(app, std::move(name));
    }
    return "\nUsage: tunnel [OPTIONS] CONFIG        run the services of CONFIG\n"
           "       tunnel [OPTIONS] -fd N         those of a stunnel.conf that descriptor N is "
           "open "
           "on\n"
           "       tunnel [OPTIONS] --service NAME=ACCEPT,TARGET...\n"
           "                                      one service, without a file\n"
           "       tunnel COMMAND --help          what a command takes\n";
  }
};

// The command line as CLI11 sees it. It parses, checks values and prints the help. Its exceptions
// become results here, and sentences about unknown words are made here, because CLI11 suggests
// nothing.
class Grammar {
 public:
  explicit Grammar(std::vector<std::unique_ptr<Command>> commands)
      : commands_(std::move(commands)) {
    app_.formatter(std::make_shared<HelpText>());
    app_.get_formatter()->column_width(30);
    app_.footer(
        "Exit status: 0 ended as asked, 1 failed at run time, 2 usage or configuration "
        "error.");
    // A command behind a command is an argument of it: tunnel explain capture.
    app_.require_subcommand(0, 1);
    app_.set_help_flag("-h,--help", "print this text");
    app_.set_version_flag("-V,--version", "", "print the version, and those of GnuTLS and libuv");
    app_.add_flag("-f,--foreground", common_.foreground,
                  "stay in the foreground and log to standard error");
    app_.add_option_function<std::string>(
            "--log-level",
            [this](const std::string& word) { common_.log_level = log::parse_level(word); },
            "error, warning, info or debug")
        ->type_name("LEVEL")
        ->check(CLI::Validator(
            [](std::string& word) {
              if (log::parse_level(word)) return std::string();
              return in_quotes(word) + " is not error, warning, info or debug";
            },
            "", "level"));
    app_.add_option("--control", common_.control,
                    "where the running instance is reached, a unix socket")
        ->type_name("PATH")
        ->check(CLI::Validator(
            [](std::string& path) { return std::string(path.empty() ? "the path is empty" : ""); },
            "", "path"));
    // Without allow_extra_args(false), an option with a list takes all words that follow it.
    app_.add_option(
            "--service", services_,
            "run a service without a file, its targets separated by commas; may be repeated")
        ->type_name("NAME=...")
        ->allow_extra_args(false);
    app_.add_option("--ready-fd", common_.ready_fd,
                    "write a line to descriptor N when every listener is bound (s6)")
        ->type_name("N")
        ->check(CLI::Range(0, 1 << 20).description(""));
    app_.add_option("CONFIG", config_, "the configuration file")->type_name("");
    for (const auto& command : commands_) {
      CLI::App* sub = app_.add_subcommand(command->name(), command->help());
      sub->fallthrough();  // common options may follow the command
      command->declare(*sub);
    }
  }

  Result<Invocation> parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    try {
      app_.parse(std::move(words));
    } catch (const CLI::CallForHelp&) {
      return help();
    } catch (const CLI::CallForVersion&) {
      return version();
    } catch (const CLI::ExtrasError&) {
      return misuse(unexpected(app_.remaining(true).front()));
    } catch (const CLI::RequiredError& error) {
      const Command* command = chosen();
      return misuse((command != nullptr ? command->name() + ": " : "") + error.what());
    } catch (const CLI::Error& error) {
      // The one place where an exception may come from: CLI11 has no other way to say no.
      return misuse(error.what());
    }
    return finished();
  }

 private:
  static tl::unexpected<Error> misuse(std::string text) {
    return failed(ErrorCode::invalid, std::move(text));
  }

  Invocation help() {
    const Command* command = chosen();
    Invocation result;
    result.what = Invocation::What::help;
    result.help = command != nullptr ? app_.get_subcommand(command->name())->help("tunnel") + "\n"
                                     : app_.help();
    return result;
  }

  static Invocation version() {
    Invocation result;
    result.what = Invocation::What::version;
    return result;
  }

  [[nodiscard]] Command* chosen() const {
    for (const auto& command : commands_) {
      if (app_.got_subcommand(command->name())) return command.get();
    }
    return nullptr;
  }

  // What no option and no command takes.
  [[nodiscard]] std::string unexpected(const std::string& word) const {
    // In "tunnel chek x.toml" the first word passes for the file, so the second is the one too
    // many.
    if (const std::string mistyped = mistyped_command(); !mistyped.empty()) return mistyped;
    // A dash alone is not an option but, for many programs, standard input.
    if (!word.starts_with('-') || word == "-") return "unexpected argument " + in_quotes(word);
    if (word == "-v") {
      return "unknown option \"-v\"; -V prints the version, and --log-level debug logs more";
    }
    const std::string name = word.substr(0, word.find('='));
    std::vector<std::string> known;
    add_options(app_, known);
    if (const Command* command = chosen()) {
      add_options(*app_.get_subcommand(command->name()), known);
    }
    const std::string_view meant = nearest(name, known);
    return "unknown option " + in_quotes(name) +
           (meant.empty() ? "" : "; did you mean " + in_quotes(meant) + "?");
  }

  static void add_options(const CLI::App& app, std::vector<std::string>& names) {
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }

  static std::string_view nearest(std::string_view typed, const std::vector<std::string>& names) {
    const std::vector<std::string_view> views(names.begin(), names.end());
    return did_you_mean(typed, views);
  }

  // A first word that is neither a command nor a file: what it was probably meant to be.
  [[nodiscard]] std::string mistyped_command() const {
    // A word with a dot or a slash was meant to be a file.
    if (config_.empty() || config_.find_first_of("./") != std::string::npos || exists(config_)) {
      return {};
    }
    std::vector<std::string> names = {"help", "version"};
    for (const auto& command : commands_) names.push_back(command->name());
    const std::string_view meant = nearest(config_, names);
    if (meant.empty()) return {};
    return "there is no command " + in_quotes(config_) + ", and no such file; did you mean " +
           in_quotes(meant) + "?";
  }

  Result<Invocation> finished() {
    if (const std::string mistyped = mistyped_command(); !mistyped.empty()) return misuse(mistyped);
    Invocation result;
    result.common = common_;
    Command* command = chosen();
    if (!services_.empty()) return from_services(std::move(result));
    if (command == nullptr) {
      if (config_.empty()) return misuse("which configuration file?");
      result.config = config_;
      return result;
    }
    // An argument too many of the command falls through to here, too.
    if (!config_.empty()) return misuse("unexpected argument " + in_quotes(config_));
    if (const std::string wrong = command->check(); !wrong.empty()) return misuse(wrong);
    result.what = Invocation::What::command;
    const auto found = std::find_if(commands_.begin(), commands_.end(),
                                    [&](const auto& one) { return one.get() == command; });
    result.command = std::move(*found);
    return result;
  }

  // Instead of a file.
  Result<Invocation> from_services(Invocation result) {
    if (const Command* command = chosen()) {
      return misuse("--service is for running, not for " + in_quotes(command->name()));
    }
    if (!config_.empty()) {
      return misuse("--service is used instead of a file, so what is " + in_quotes(config_) + "?");
    }
    auto services = read_service_options(services_);
    if (!services) return tl::unexpected(std::move(services).error());
    result.config = std::move(services->name);
    result.text = std::move(services->toml);
    return result;
  }

  std::vector<std::unique_ptr<Command>> commands_;
  CLI::App app_{"tunnel: carries plain TCP connections over TLS", "tunnel"};
  CommonOptions common_;
  std::vector<std::string> services_;
  std::string config_;
};

std::vector<std::unique_ptr<Command>> all_commands(Arguments& arguments) {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(make_check_command());
  commands.push_back(make_probe_command());
  commands.push_back(make_convert_command(std::move(arguments.command_line)));
  commands.push_back(make_explain_command());
  commands.push_back(make_capture_command());
  commands.push_back(make_status_command());
  for (auto& command : make_control_commands()) commands.push_back(std::move(command));
  return commands;
}

}  // namespace

void Command::add_config(CLI::App& app, std::string& config) {
  app.add_option("CONFIG", config, "the configuration file")->required()->type_name("");
}

Result<Invocation> parse_arguments(std::vector<std::string> words) {
  auto arguments = Arguments::sort(std::move(words));
  if (!arguments) return tl::unexpected(arguments.error());
  Grammar grammar(all_commands(*arguments));
  auto invocation = grammar.parse(std::move(arguments->words));
  if (invocation) invocation->is_stunnel = arguments->is_stunnel;
  return invocation;
}

}  // namespace tunnel::cli
