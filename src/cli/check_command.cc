// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <ctime>

#include "cli/command.h"
#include "cli/endings.h"
#include "cli/summary.h"
#include "import/load.h"

namespace tunnel::cli {
namespace {

// Warnings of loading name their service and key in front: "[ldap] tls.verify = ...". They get the
// place of that key, like everything else that is reported.
void locate(config::Document& document, const std::string& warning) {
  for (const config::Service& service : document.config.services) {
    const std::string prefix = "[" + service.name + "] ";
    if (!warning.starts_with(prefix)) continue;
    const std::string text = warning.substr(prefix.size());
    const std::string key = text.substr(0, text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_."));
    const bool is_key = key.find('.') != std::string::npos && document.is_set(service.name, key);
    return document.warning(service.name, is_key ? key : "", -1, text);
  }
  document.warning("", "", -1, warning);
}

class CheckCommand final : public Command {
 public:
  CheckCommand() : Command("check", "validate CONFIG, print every problem, change nothing") {}

  void declare(CLI::App& app) override {
    add_config(app, config_);
    app.add_flag("--fail-on-warning", is_strict_, "status 1 when there is a warning");
  }

  Outcome run(const CommonOptions&, const Machinery& machinery) override {
    config::Document document = import::load(config_);
    for (const std::string& warning : machinery.check_credentials(document)) {
      locate(document, warning);
    }
    // Of a configuration with errors the summary might be wrong, and the endings need its files.
    if (document.has_errors()) return {kMisused, "", document.render()};
    const std::string ends = endings(document, std::time(nullptr));
    const bool has_warnings = !document.diagnostics().empty();
    return {is_strict_ && has_warnings ? kFailed : 0, summary(document.config) + ends,
            document.render()};
  }

 private:
  std::string config_;
  bool is_strict_ = false;
};

}  // namespace

std::unique_ptr<Command> make_check_command() { return std::make_unique<CheckCommand>(); }

}  // namespace tunnel::cli
