// SPDX-License-Identifier: MIT
#include "cli/commands.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "cli/command_line.h"
#include "cli/service_option.h"
#include "import/load.h"
#include "probe/nagios.h"

namespace tunnel::cli {
namespace {

// The configuration as it is now, with what the command line says.
config::Document read(const Invocation& invocation, const std::string& path) {
  const auto syntax = invocation.is_stunnel ? import::Syntax::stunnel : import::Syntax::by_name;
  const bool has_file = invocation.text.empty();
  config::Document document = has_file ? import::load(path, config::System::use, syntax)
                                       : import::parse(invocation.text, path);
  // The control socket is named after the configuration, here after the first service.
  if (!has_file) document.config.path = invocation.config;
  // What the command line says holds over the file, after a reload, too.
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

bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) >= 0; }

Outcome run(const Invocation& invocation, const Machinery& machinery) {
  const int ready_fd = invocation.common.ready_fd;
  // Before a file is opened, which would get this very number.
  if (ready_fd >= 0 && !is_open(ready_fd)) {
    return misused("--ready-fd " + std::to_string(ready_fd) + ": this descriptor is not open");
  }
  CommonOptions common = invocation.common;
  const bool is_path = !common.control.empty() && !common.control.starts_with("fd:");
  // A daemon binds it, and reads the configuration again, in "/".
  if (is_path) common.control = std::filesystem::absolute(common.control).string();
  // Shared and constant: a reload reads it on a thread of its own.
  const auto invoked =
      std::make_shared<const Invocation>(Invocation{.what = Invocation::What::run,
                                                    .common = common,
                                                    .config = invocation.config,
                                                    .text = invocation.text,
                                                    .is_stunnel = invocation.is_stunnel,
                                                    .help = {},
                                                    .command = nullptr});
  const std::string path = invocation.text.empty() ? invocation.config : kServiceOption;
  config::Document document = read(*invoked, path);
  if (document.has_errors()) return {kMisused, "", document.render()};
  const auto read_again = [invoked, path, folder = here()] {
    return read(*invoked, seen_from_here(path, folder));
  };
  return {machinery.run(std::move(document), read_again, ready_fd), "", ""};
}

// Even a misused plugin has to say so in its own way: 2 would be CRITICAL.
bool is_monitoring_plugin(const std::vector<std::string>& arguments) {
  const auto has = [&](const char* word) {
    return std::find(arguments.begin(), arguments.end(), word) != arguments.end();
  };
  return has("probe") && has("--nagios");
}

}  // namespace

Outcome unknown_to_monitoring(const std::string& why) {
  probe::PluginResult result = probe::nagios_unknown(why);
  return {result.status, std::move(result.text), ""};
}

Outcome misused(const std::string& text) {
  return {kMisused, "", "tunnel: " + text + "\nTry \"tunnel --help\".\n"};
}

Outcome execute(std::vector<std::string> arguments, const Machinery& machinery) {
  // From the words as they are, because the parser may refuse them.
  const bool is_plugin = is_monitoring_plugin(arguments);
  const auto invocation = parse_arguments(std::move(arguments));
  if (!invocation && is_plugin) return unknown_to_monitoring(invocation.error().text);
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
