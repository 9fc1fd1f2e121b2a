// SPDX-License-Identifier: MIT
#include "config/include.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/text.h"
#include "config/codec.h"
#include "config/unreadable.h"

namespace tunnel::config {
namespace {

constexpr std::size_t kMostFiles = 1000;

// Editors' and package managers' leftovers are no configuration.
bool is_leftover(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.starts_with('.') || name.ends_with('~');
}

std::vector<std::string> expand(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t found{};
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  // By bytes, not by the locale: the order must not depend on who starts the program.
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

std::vector<IncludedFile> find_included(Reader& reader, const Value& include,
                                        const std::string& main) {
  const Option option{.key = "include", .type = Type::globs};
  std::vector<IncludedFile> files;
  // The same file under two names (a link, a second pattern) is one file.
  std::set<std::pair<dev_t, ino_t>> seen;
  struct stat status {};
  // The main file counts as read, for a pattern such as "*.toml" finds it, too.
  if (::stat(main.c_str(), &status) == 0) seen.emplace(status.st_dev, status.st_ino);
  for (const Value* pattern : read_texts(reader, option, include)) {
    if (!reader.may_use_system()) continue;
    const std::string path = reader.absolute(*pattern, *pattern->as<std::string>());
    const bool is_pattern = path.find_first_of("*?[") != std::string::npos;
    // A name without a pattern is meant, even where it looks like a leftover.
    const std::vector<std::string> found = is_pattern ? expand(path) : std::vector{path};
    if (found.empty()) {
      reader.warning(*pattern, "no file matches " + printable(path, 1000),
                     why_unreadable(*pattern->as<std::string>(), path, ENOENT));
    }
    for (const std::string& each : found) {
      if (is_pattern && is_leftover(each)) continue;
      const bool exists = ::stat(each.c_str(), &status) == 0;
      if (exists && !seen.emplace(status.st_dev, status.st_ino).second) continue;
      if (files.size() == kMostFiles) {
        reader.error(*pattern,
                     "\"include\" finds more than " + std::to_string(kMostFiles) + " files");
        return files;
      }
      files.push_back({each, pattern->position});
    }
  }
  return files;
}

}  // namespace tunnel::config
