// SPDX-License-Identifier: MIT
#include "sandbox/rules.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "base/fd.h"
#include "base/text.h"

namespace tunnel::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as the kernel has it
constexpr std::size_t kMostEntries = 10'000;
constexpr std::size_t kLongestPath = 4096;

fs::path real_path(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  return error ? fs::path() : real;
}

bool is_link(const fs::path& path) {
  std::error_code error;
  return fs::is_symlink(fs::symlink_status(path, error));
}

// Finds the places of one file. Its path is followed as the kernel would, link by link. Each step
// adds the folder in which the next file of that name will be: certificates are renewed and logs
// rotated by putting another file, with another inode, in the place of the old one, and a rule of
// Landlock is about an inode. A rule for the file alone would end with the first renewal, and the
// reload would fail.
class Search {
 public:
  explicit Search(const Rights& rights) : rights_(rights) {}

  enum class Entry { no, yes };  // of a folder that is read as a whole

  void visit(const fs::path& path, Entry entry = Entry::no, int links = 0) {
    if (links > kMostLinks) return;
    add_swapped_folders(path.parent_path());
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (fs::is_directory(status)) return visit_folder(path, entry);
    if (fs::exists(status) && !fs::is_regular_file(status) && !fs::is_socket(status)) {
      add(real_path(path));  // a device or FIFO: nobody replaces it by another of its name
    } else {
      add_folder_of(path);
    }
    follow(path, links);
  }

  std::vector<Rules::Place> take() {
    std::vector<Rules::Place> places;
    for (const std::string& path : found_) places.push_back({path, rights_});
    return places;
  }

 private:
  // Not those within it.
  void visit_folder(const fs::path& path, Entry is_entry) {
    if (is_entry == Entry::yes) return;
    add_swapped_folders(path);
    add(real_path(path));
    std::error_code error;
    std::size_t count = 0;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
      if (++count > kMostEntries) return;
      // What is in the folder itself is granted with it; only a link leads out.
      if (entry->is_symlink()) visit(entry->path(), Entry::yes);
    }
  }

  void follow(const fs::path& path, int links) {
    if (!is_link(path)) return;
    std::error_code error;
    const fs::path target = fs::read_symlink(path, error);
    if (!error) visit(path.parent_path() / target, Entry::no, links + 1);
  }

  // The root of all would be everything: then it is the file alone, unless it has yet to be made.
  void add_folder_of(const fs::path& path) {
    const fs::path folder = real_path(path.parent_path());
    const bool is_root = folder == folder.root_path();
    add(is_root && Rights{.read = true}.cover(rights_) ? real_path(path) : folder);
  }

  // "current -> v1": the next version is beside this one.
  void add_swapped_folders(const fs::path& folder) {
    fs::path so_far;
    for (const fs::path& part : folder) {
      so_far /= part;
      if (!is_link(so_far)) continue;
      std::error_code error;
      const fs::path target = fs::read_symlink(so_far, error);
      const fs::path beside = real_path(so_far.parent_path());
      // A link to somewhere else, "current -> /srv/other/v1", says nothing about its neighbours
      // here.
      const bool stays = !error && target.is_relative() && !target.has_parent_path();
      if (stays && beside != beside.root_path()) add(beside);
    }
  }

  void add(const fs::path& place) {
    if (!place.empty()) found_.insert(place.string());
  }

  const Rights rights_;
  std::set<std::string> found_;
};

bool is_below(const std::string& path, const std::string& folder) {
  if (!path.starts_with(folder)) return false;
  return path.size() == folder.size() || folder.ends_with('/') || path[folder.size()] == '/';
}

// The kernel knows a folder by its inode, not by its path: one that has been put in the place of
// another grants nothing. access(2) speaks of permissions alone, which Landlock is not among.
bool is_kept_out(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return false;
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return false;
  if (::faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) != 0) return false;
  const Fd opened(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  return !opened.valid() && errno == EACCES;
}

std::string deed(const Rights& rights) {
  if (rights.make_socket) return "making the socket ";
  return rights.write ? "writing to " : "reading ";
}

void find_forbidden_ports(const std::optional<std::set<std::uint16_t>>& allowed,
                          const std::set<std::uint16_t>& wanted, const std::string& what,
                          std::vector<std::string>& forbidden) {
  if (!allowed) return;
  for (const std::uint16_t port : wanted) {
    if (!allowed->contains(port)) forbidden.push_back(what + std::to_string(port));
  }
}

}  // namespace

std::vector<Rules::Place> places_of(const std::string& file, const Rights& rights) {
  Search search(rights);
  search.visit(file);
  return search.take();
}

Rules rules_for(const Needs& needs) {
  std::map<std::string, Rights> places;
  for (const auto& [file, wanted] : needs.files) {
    for (const Rules::Place& place : places_of(file, wanted)) places[place.path].add(place.rights);
  }
  for (const auto& [folder, wanted] : needs.folders) {
    if (const fs::path place = real_path(folder); !place.empty()) {
      places[place.string()].add(wanted);
    }
  }
  Rules rules;
  for (auto& [path, rights] : places) rules.places.push_back({path, rights});
  return rules;
}

bool Rules::allow(const Place& wanted) const {
  // The kernel adds up what the folders on the way grant.
  Rights granted;
  for (const Place& place : places) {
    if (is_below(wanted.path, place.path)) granted.add(place.rights);
  }
  return granted.cover(wanted.rights);
}

std::vector<std::string> Rules::forbid(const Needs& needs) const {
  std::vector<std::string> forbidden;
  for (const auto& [file, rights] : needs.files) {
    const std::vector<Place> wanted = places_of(file, rights);
    const bool is_inside = std::all_of(wanted.begin(), wanted.end(),
                                       [this](const Place& place) { return allow(place); });
    if (!is_inside) {
      forbidden.push_back(deed(rights) + printable(file, kLongestPath));
    } else if (rights.read && is_kept_out(file)) {
      forbidden.push_back(deed({.read = true}) + printable(file, kLongestPath) +
                          " (its folder is another one than when the process started)");
    }
  }
  find_forbidden_ports(connect_ports, needs.connect_ports, "connecting to TCP port ", forbidden);
  find_forbidden_ports(bind_ports, needs.bind_ports, "listening at TCP port ", forbidden);
  if (keeps_abstract_sockets && needs.has_abstract_targets) {
    forbidden.emplace_back("connecting to a unix socket without a file (\"@...\")");
  }
  if (connect_ports) {
    for (const std::string& service : needs.srv_services) {
      forbidden.push_back("the ports that DNS gives [" + printable(service) + "]");
    }
  }
  return forbidden;
}

}  // namespace tunnel::sandbox
