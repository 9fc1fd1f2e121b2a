// SPDX-License-Identifier: MIT
#include "process/program.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "process/proc_text.h"

namespace tunnel::process {
namespace {

bool is_program(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::vector<std::string> arguments_of(const std::string& process) {
  const std::string all = proc_text(process + "/cmdline");
  std::vector<std::string> arguments;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\0', at), all.size());
    arguments.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return arguments;
}

std::string find_program(const std::string& name, std::string_view search,
                         const std::string& folder) {
  const std::filesystem::path here(folder);
  if (name.find('/') != std::string::npos) return (here / name).string();
  while (!name.empty() && !search.empty()) {
    const std::size_t end = std::min(search.find(':'), search.size());
    const std::string path = (here / search.substr(0, end) / name).string();
    if (is_program(path)) return path;
    search.remove_prefix(std::min(end + 1, search.size()));
  }
  return {};
}

std::vector<std::string> without_ready_fd(std::vector<std::string> arguments) {
  constexpr std::string_view kOption = "--ready-fd";
  std::vector<std::string> result;
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    std::string& word = arguments[at];
    if (word == kOption) {
      ++at;  // and its value
    } else if (!word.starts_with(std::string(kOption) + "=")) {
      result.push_back(std::move(word));
    }
  }
  return result;
}

Result<Program> Program::of_this_process() {
  std::error_code error;
  Program program;
  program.folder = std::filesystem::current_path(error).string();
  if (error) return failed(ErrorCode::system, "the working folder is not known", error.value());
  program.arguments = arguments_of("/proc/self");
  if (program.arguments.empty()) {
    return failed(ErrorCode::not_found, "/proc/self/cmdline, the command line, cannot be read");
  }
  // As a shell would find it. /proc/self/exe is the file that runs: once a package has replaced
  // that, it is one without a name.
  const char* search = std::getenv("PATH");
  program.path =
      find_program(program.arguments.front(), search != nullptr ? search : "", program.folder);
  if (program.path.empty()) program.path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return failed(ErrorCode::system, "the program's path is not known", error.value());
  program.arguments = without_ready_fd(std::move(program.arguments));
  return program;
}

}  // namespace tunnel::process
