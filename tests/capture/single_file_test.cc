// SPDX-License-Identifier: MIT
#include "capture/single_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "support/temp_folder.h"

namespace tunnel::capture {

TEST_CASE("a file that others could read becomes its owner's alone, and empty") {
  const test::TempFolder folder;
  const std::string path = folder.write("x.pcapng", "for everybody");
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  REQUIRE(SingleFile::open(path));
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(status.st_size == 0);
}

TEST_CASE("root does not give to another user what is captured, whose file it would be") {
  if (::geteuid() != 0) return;  // only root could
  const test::TempFolder folder;
  const std::string path = folder.write("x.pcapng", "laid out as a trap");
  REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
  const auto file = SingleFile::open(path);
  REQUIRE_FALSE(file);
  CHECK(file.error().text ==
        "cannot capture to " + path + ": it is another user's; remove it, or choose another name");
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK(status.st_size > 0);
}

TEST_CASE("a new file is its owner's alone") {
  const test::TempFolder folder;
  REQUIRE(SingleFile::open(folder / "x.pcapng"));
  struct stat status {};
  REQUIRE(::stat((folder / "x.pcapng").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a link is not followed, and a device is no file to be made private") {
  const test::TempFolder folder;
  std::filesystem::create_symlink(folder / "target", folder / "link");
  const auto link = SingleFile::open(folder / "link");
  REQUIRE_FALSE(link);
  CHECK(link.error().text.starts_with("cannot capture to " + (folder / "link") + ": "));
  CHECK_FALSE(std::filesystem::exists(folder / "target"));
  CHECK(SingleFile::open("/dev/null"));
}

}  // namespace tunnel::capture
