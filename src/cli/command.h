// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/document.h"
#include "log/level.h"
#include "probe/options.h"
#include "probe/report.h"

namespace CLI {
class App;
}

namespace tunnel::cli {

// What the commands need of the rooms below. `main` passes it in, so that they can be tested
// without sockets or certificates.
struct Machinery {
  // Loads every credential, adds what is wrong to the document, returns the warnings of each start
  // ("[SERVICE] tls.KEY ...").
  std::function<std::vector<std::string>(config::Document&)> check_credentials;
  // Runs the services of a document without errors, which the function reads again for a reload;
  // the exit status. `ready_fd` is the descriptor to write a line to when they are served, or -1.
  std::function<int(config::Document, std::function<config::Document()>, int ready_fd)> run;
  // See probe::run.
  std::function<std::optional<probe::Report>(config::Document&, const probe::Options&)> probe{};
  std::string libraries{};  // "GnuTLS 3.7.9, libuv 1.44.2"
};

// What a command printed, and its exit status: 0, 1 (at run time), 2 (usage or configuration).
struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
};

inline constexpr int kFailed = 1;
inline constexpr int kMisused = 2;

// Options that mean the same wherever they stand on the line.
struct CommonOptions {
  bool foreground = false;
  std::optional<log::Level> log_level;
  std::string control;  // where the running instance is reached; empty: by the file's name
  int ready_fd = -1;    // of a supervisor that waits for a line on it
};

// A word of the command line, what it takes, and what it does. Made for one command line; the
// options it declares are its members. CLI11 parses them, checks them and prints the help.
class Command {
 public:
  virtual ~Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& help() const { return help_; }
  // Adds options and arguments to the command's own part of the grammar.
  virtual void declare(CLI::App& app) = 0;
  // After everything was parsed: a sentence about what does not go together, or empty.
  [[nodiscard]] virtual std::string check() const { return {}; }
  [[nodiscard]] virtual Outcome run(const CommonOptions& common, const Machinery& machinery) = 0;

 protected:
  Command(std::string name, std::string help) : name_(std::move(name)), help_(std::move(help)) {}
  // The argument that most of them have.
  static void add_config(CLI::App& app, std::string& config);

 private:
  const std::string name_;
  const std::string help_;
};

// An error of the command line, as all of them are printed.
[[nodiscard]] Outcome misused(const std::string& text);
// The same of a monitoring plugin: on standard output, with its own status.
[[nodiscard]] Outcome unknown_to_monitoring(const std::string& why);

// What is at a command's own: one maker for each, in the order of the help.
std::unique_ptr<Command> make_check_command();
std::unique_ptr<Command> make_convert_command(std::vector<std::string> command_line);
std::unique_ptr<Command> make_explain_command();
std::unique_ptr<Command> make_probe_command();
std::unique_ptr<Command> make_status_command();
std::unique_ptr<Command> make_capture_command();
// reload, drain, target, close, log-level, config, resolve
std::vector<std::unique_ptr<Command>> make_control_commands();

}  // namespace tunnel::cli
