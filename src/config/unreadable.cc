// SPDX-License-Identifier: MIT
#include "config/unreadable.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/text.h"

namespace tunnel::config {
namespace {

std::string user_name(uid_t id) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer{};
  (void)::getpwuid_r(id, &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->pw_name : std::to_string(id);
}

std::string group_name(gid_t id) {
  group entry{};
  group* found = nullptr;
  std::array<char, 65536> buffer{};
  (void)::getgrgid_r(id, &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->gr_name : std::to_string(id);
}

// "mode 0640, root:ssl-cert"
std::string owner_and_mode(const struct stat& status) {
  constexpr std::string_view kDigits = "01234567";
  const unsigned mode = status.st_mode & 07777U;
  std::string digits;
  for (const unsigned shift : {9U, 6U, 3U, 0U}) digits += kDigits[(mode >> shift) & 7U];
  return "mode " + digits + ", " + user_name(status.st_uid) + ":" + group_name(status.st_gid);
}

// The first folder on the way that does not exist, or that may not be entered; "" for none.
std::string first_folder(const std::string& path, bool (*is_wrong)(const char*)) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string folder = path.substr(0, slash);
    if (is_wrong(folder.c_str())) return folder;
  }
  return "";
}

std::string why_denied(const std::string& path) {
  const std::string us = "this process runs as " + user_name(::geteuid());
  // Under systemd nobody needs to loosen a mode: the manager reads the file.
  const std::string credential =
      ::getenv("INVOCATION_ID") != nullptr
          ? ", or hand it over with LoadCredential= in the unit and name it without its folder"
          : "";
  struct stat status {};
  // As the effective user, which opens the file; access(2) would ask for the real one.
  const std::string folder = first_folder(
      path, [](const char* each) { return ::faccessat(AT_FDCWD, each, X_OK, AT_EACCESS) != 0; });
  if (!folder.empty() && ::stat(folder.c_str(), &status) == 0) {
    return us + ", which may not enter the folder " + printable(folder) + " (" +
           owner_and_mode(status) + "); move the file, or let it in" + credential;
  }
  if (::stat(path.c_str(), &status) != 0) return us;
  return us + ", and the file is " + owner_and_mode(status) +
         "; let that user or one of its groups read it" + credential;
}

}  // namespace

std::string why_unreadable(std::string_view written, const std::string& path, int error) {
  if (error == EACCES) return why_denied(path);
  if (error != ENOENT && error != ENOTDIR) return "";
  if (written.starts_with('~')) return "\"~\" is not expanded: write the whole path";
  if (written.find('$') != std::string_view::npos) {
    return "variables such as $HOME are not expanded: write the whole path, or ${HOME} and "
           "expand_environment = true";
  }
  const std::string folder =
      first_folder(path, [](const char* each) { return ::access(each, F_OK) != 0; });
  if (!folder.empty()) return "there is no folder " + printable(folder);
  return written.starts_with('/') ? "" : "it is looked for beside the file that names it";
}

}  // namespace tunnel::config
