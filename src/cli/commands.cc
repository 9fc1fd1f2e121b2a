// SPDX-License-Identifier: MIT
#include "cli/commands.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "cli/command_line.h"
#include "import/load.h"

namespace tunnel::cli {
namespace {

// The configuration as it is now, with what the command line says.
config::Document read(const Invocation& invocation) {
  const auto syntax = invocation.is_stunnel ? import::Syntax::stunnel : import::Syntax::by_name;
  config::Document document = import::load(invocation.config, config::System::use, syntax);
  if (invocation.common.foreground) document.config.global.foreground = true;
  if (!invocation.common.control.empty()) {
    document.config.global.control = invocation.common.control;
  }
  if (invocation.common.log_level) document.config.global.log_level = *invocation.common.log_level;
  return document;
}

std::filesystem::path here() {
  std::error_code ignored;
  return std::filesystem::current_path(ignored);
}

// A daemon reads its file again from "/", where a relative path would lead elsewhere. In the folder
// where it was started the path stays as it is, and with it the words of each message.
std::string seen_from_here(const std::string& path, const std::filesystem::path& folder) {
  return here() == folder ? path : (folder / path).string();
}

Outcome run(const Invocation& invocation, const Machinery& machinery) {
  CommonOptions common = invocation.common;
  if (!common.control.empty()) common.control = std::filesystem::absolute(common.control).string();
  const auto invoked = [common, is_stunnel = invocation.is_stunnel](const std::string& config) {
    return Invocation{.what = Invocation::What::run,
                      .common = common,
                      .config = config,
                      .is_stunnel = is_stunnel,
                      .help = {},
                      .command = nullptr};
  };
  config::Document document = read(invoked(invocation.config));
  if (document.has_errors()) return {kMisused, "", document.render()};
  const auto read_again = [invoked, config = invocation.config, folder = here()] {
    return read(invoked(seen_from_here(config, folder)));
  };
  return {machinery.run(std::move(document), read_again), "", ""};
}

}  // namespace

Outcome misused(const std::string& text) {
  return {kMisused, "", "tunnel: " + text + "\nTry \"tunnel --help\".\n"};
}

Outcome execute(std::vector<std::string> arguments, const Machinery& machinery) {
  const auto invocation = parse_arguments(std::move(arguments));
  if (!invocation) return misused(invocation.error().text);
  switch (invocation->what) {
    case Invocation::What::run:
      return run(*invocation, machinery);
    case Invocation::What::command:
      return invocation->command->run(invocation->common, machinery);
    case Invocation::What::help:
      return {0, invocation->help, ""};
    case Invocation::What::version:
      return {0, "tunnel " TUNNEL_VERSION " (" + machinery.libraries + ")\n", ""};
  }
  return {kMisused, "", ""};
}

}  // namespace tunnel::cli
