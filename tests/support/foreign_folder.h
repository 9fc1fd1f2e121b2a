// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "temp_folder.h"

namespace tunnel::test {

// For tests that need root: other users, who have folders and files of their own.
inline bool is_root() { return ::geteuid() == 0; }
inline constexpr uid_t kAlice = 12345;
inline constexpr uid_t kBob = 12346;

inline uid_t owner_of(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_uid : static_cast<uid_t>(-1);
}
inline unsigned mode_of(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 01000;
}

// Alice's folder inside one that everybody may enter, and where root has a file.
class ForeignFolder {
 public:
  ForeignFolder() {
    std::filesystem::permissions(scratch_ / ".", std::filesystem::perms(0755));
    std::filesystem::create_directory(scratch_ / "alice");
    (void)!::chown((scratch_ / "alice").c_str(), kAlice, kAlice);
    write("root", "root's");
  }
  // A path in Alice's folder, and one beside it.
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return scratch_ / ("alice/" + name);
  }
  [[nodiscard]] std::string beside(const std::string& name) const { return scratch_ / name; }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(beside(name)) << text;
  }
  // A link of that user's.
  void link(const std::string& name, const std::string& target, uid_t user = kAlice) const {
    std::filesystem::create_symlink(target, *this / name);
    (void)!::lchown((*this / name).c_str(), user, user);
  }

 private:
  TempFolder scratch_;
};

}  // namespace tunnel::test
