// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/convert.h"
#include "import/load.h"

namespace tunnel::cli {
namespace {

Outcome refused(const std::string& text) { return {kMisused, "", "tunnel: " + text + "\n"}; }

class ConvertCommand final : public Command {
 public:
  explicit ConvertCommand(std::vector<std::string> command_line)
      : Command("convert",
                "a stunnel.conf as TOML, on standard output; after two dashes, a command\n"
                "line of balance: tunnel convert -- balance ARGS"),
        command_line_(std::move(command_line)) {}

  void declare(CLI::App& app) override {
    app.add_option("FILE", file_, "a configuration file, of stunnel if its name ends in .conf")
        ->type_name("");
  }

  std::string check() const override {
    if (command_line_.empty() != file_.empty()) return {};
    return "convert needs a file or a command line: tunnel convert FILE.conf, or tunnel convert -- "
           "balance ARGS";
  }

  Outcome run(const CommonOptions&, const Machinery&) override {
    if (file_.empty()) {
      const auto text = convert_command_line(command_line_);
      return text ? Outcome{0, *text, ""} : refused(text.error().text);
    }
    const config::Document document = import::load(file_);
    if (document.has_errors()) return {kMisused, "", document.render()};
    const auto text = convert_file(document);
    return text ? Outcome{0, *text, document.render()} : refused(text.error().text);
  }

 private:
  const std::vector<std::string> command_line_;
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> make_convert_command(std::vector<std::string> command_line) {
  return std::make_unique<ConvertCommand>(std::move(command_line));
}

}  // namespace tunnel::cli
