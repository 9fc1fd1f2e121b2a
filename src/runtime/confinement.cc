// SPDX-License-Identifier: MIT
#include "runtime/confinement.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/control_path.h"
#include "x509/trust_store.h"

namespace tunnel::runtime {
namespace {

constexpr sandbox::Rights kRead{.read = true};
constexpr sandbox::Rights kWork{
    .read = true, .write = true, .make_file = true, .make_socket = true, .remove_file = true};

// Where a socket, a log or a capture that a reload brings is put as a rule.
constexpr std::pair<const char*, sandbox::Rights> kWorkFolders[] = {
    {"/run", {.make_socket = true, .remove_file = true}},
    {"/var/log", {.write = true, .make_file = true}},
    {"/var/lib/tunnel", kWork},
};
constexpr const char* kManagersFolders[] = {"RUNTIME_DIRECTORY", "STATE_DIRECTORY",
                                            "LOGS_DIRECTORY"};

// Up to the first component that is a pattern: files that match may come later.
std::string fixed_part(const std::string& pattern) {
  const std::size_t wild = pattern.find_first_of("*?[");
  return wild == std::string::npos ? pattern : pattern.substr(0, pattern.rfind('/', wild));
}

void add_pattern(const config::Value& value, const std::string& folder, sandbox::Needs& needs) {
  const auto* text = value.as<std::string>();
  if (text == nullptr || text->empty()) return;
  const std::string pattern = text->starts_with('/') ? *text : folder + "/" + *text;
  needs.files[fixed_part(pattern)].add(kRead);
}

void add_patterns(const config::Document& document, const std::string& folder,
                  sandbox::Needs& needs) {
  const config::Setting include = document.find("", "include");
  if (!include.is_set()) return;
  if (const auto* array = include.value().as<config::Array>()) {
    for (const config::Value& each : *array) add_pattern(each, folder, needs);
  } else {
    add_pattern(include.value(), folder, needs);
  }
}

void add_control(const config::Config& config, sandbox::Needs& needs) {
  if (!config.global.control.empty()) return;  // with the other sockets, or none
  const auto path = admin::control_path(config.path, admin::ControlSurroundings::of_process());
  if (!path) return;
  needs.files[path->socket].add({.make_socket = true, .remove_file = true});
  // A folder is removed from the one that it is in.
  const auto above = std::filesystem::path(path->folder).parent_path();
  if (!path->folder.empty()) needs.folders[above.string()].add({.remove_folder = true});
}

// Relative paths begin at the main file; in /etc and /usr nothing is put.
bool is_for_work(const std::string& folder) {
  return !folder.empty() && folder != "/" && !(folder + "/").starts_with("/etc/") &&
         !(folder + "/").starts_with("/usr/");
}

void add_work_folders(const std::string& main, sandbox::Needs& needs) {
  for (const auto& [folder, rights] : kWorkFolders) needs.folders[folder].add(rights);
  for (const char* variable : kManagersFolders) {
    // systemd separates several folders by colons.
    const char* value = std::getenv(variable);
    std::string_view rest = value != nullptr ? value : "";
    while (!rest.empty()) {
      const std::string folder(rest.substr(0, rest.find(':')));
      if (folder.starts_with('/')) needs.folders[folder].add(kWork);
      rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    }
  }
  if (is_for_work(main)) needs.folders[main].add(kWork);
}

std::string folder_of(const std::vector<std::string>& files) {
  return files.empty() ? "" : std::filesystem::path(files.front()).parent_path().string();
}

}  // namespace

sandbox::Needs needs_of(const config::Config& config) {
  return sandbox::needs_of(config, x509::system_trust_files());
}

sandbox::Needs needs_of(const config::Document& document) {
  sandbox::Needs needs = needs_of(document.config);
  const std::vector<std::string> files = document.files();
  for (const std::string& file : files) needs.files[file].add(kRead);
  add_patterns(document, folder_of(files), needs);
  return needs;
}

sandbox::Needs needs_of_process(const config::Document& document) {
  sandbox::Needs needs = needs_of(document);
  add_control(document.config, needs);
  // What a reload may bring at any time is not to fail for a path that everybody would choose.
  if (document.config.global.sandbox == config::Sandbox::automatic) {
    add_work_folders(folder_of(document.files()), needs);
  }
  return needs;
}

sandbox::Sandbox confine(const sandbox::Needs& needs, config::Sandbox mode) {
  // Landlock can keep a process from the abstract sockets of others (ABI 6), and the service
  // manager's may be one: "@..." stands for the abstract namespace.
  const char* manager = std::getenv("NOTIFY_SOCKET");
  return sandbox::Sandbox::enter(
      needs, {.mode = mode, .keeps_abstract_sockets = manager == nullptr || manager[0] != '@'});
}

admin::SandboxStatus status_of(const sandbox::Report& report) {
  admin::SandboxStatus status;
  switch (report.mode) {
    case config::Sandbox::automatic:
      status.mode = "auto";
      break;
    case config::Sandbox::require:
      status.mode = "require";
      break;
    case config::Sandbox::off:
      status.mode = "off";
      break;
  }
  for (const sandbox::Part part : report.in_force) status.in_force.emplace_back(word(part));
  for (const sandbox::Report::Absent& absent : report.absent) {
    status.absent.push_back({std::string(word(absent.part)), absent.text});
  }
  return status;
}

}  // namespace tunnel::runtime
