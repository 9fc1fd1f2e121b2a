// SPDX-License-Identifier: MIT
#include "cli/running_instances.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "import/load.h"
#include "process/proc_text.h"
#include "process/program.h"

namespace tunnel::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kComm = "tunnel\n";

bool is_ours(const fs::path& process) {
  struct stat status {};
  if (::stat(process.c_str(), &status) != 0) return false;
  const uid_t uid = ::geteuid();
  // Another user's instance would not answer this process, and its configuration is that user's
  // words.
  return (uid == 0 || status.st_uid == uid) &&
         process::proc_text((process / "comm").string()) == kComm;
}

// The file that a process serves; nothing for one that is a command or has services on its line.
std::optional<fs::path> config_of(const fs::path& process) {
  std::vector<std::string> arguments = process::arguments_of(process.string());
  if (!arguments.empty()) arguments.erase(arguments.begin());  // its name
  // By the parser that read them in that process, so that options in front of the file are
  // understood.
  const auto asked = parse_arguments(arguments);
  if (!asked || asked->what != Invocation::What::run || !asked->text.empty()) return std::nullopt;
  fs::path config = asked->config;
  if (config.is_relative()) {
    // Hidden where it may not dump core; people often ask from the folder that they started it in.
    std::error_code error;
    const fs::path folder = fs::read_symlink(process / "cwd", error);
    config = fs::absolute(error ? config : folder / config);
  }
  // Another program may have written the line: it is not to make us wait for a pipe.
  std::error_code error;
  if (!fs::is_regular_file(config, error)) return std::nullopt;
  return config;
}

}  // namespace

std::set<std::string> configured_control_sockets() {
  std::set<std::string> sockets;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!is_ours(entry->path())) continue;
    const auto config = config_of(entry->path());
    if (!config) continue;
    const auto document = import::load(config->string(), config::System::leave_alone);
    const std::string& control = document.config.global.control;
    if (control.starts_with('/')) sockets.insert(control);
  }
  return sockets;
}

}  // namespace tunnel::cli
