// SPDX-License-Identifier: MIT
#include "capture/ring_files.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "support/temp_folder.h"

namespace tunnel::capture {
namespace {

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("the oldest file goes, those of earlier runs first, and nothing else") {
  const test::TempFolder folder;
  (void)folder.write("ldap_00007_20200101000000.pcapng", "earlier");
  (void)folder.write("ldap_00008_20200101000001.pcapng", "earlier");
  (void)folder.write("ldap_notes.pcapng", "mine");
  auto ring = RingFiles::open({.file = folder / "ldap.pcapng", .max_size = 10, .files = 2});
  REQUIRE(ring);
  auto names = names_in(folder / "");
  REQUIRE(names.size() == 3);
  CHECK(names[0] == "ldap_00008_20200101000001.pcapng");
  CHECK(names[1].starts_with("ldap_00009_20"));
  CHECK(names[2] == "ldap_notes.pcapng");
  struct stat status {};
  REQUIRE(::stat((folder / names[1]).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);

  CHECK((*ring)->room() == 10U);
  REQUIRE((*ring)->write(as_bytes("0123456789ab")));
  CHECK((*ring)->room() == 0U);
  auto next = (*ring)->begin_next();
  REQUIRE(next);
  CHECK(*next);
  names = names_in(folder / "");
  CHECK(names[0].starts_with("ldap_00009_"));
  CHECK(names[1].starts_with("ldap_00010_"));
}

TEST_CASE("a folder that everybody may write to, or that is not there, is refused with its name") {
  const test::TempFolder folder;
  std::filesystem::create_directory(folder / "open");
  REQUIRE(::chmod((folder / "open").c_str(), 0777) == 0);
  const auto open = RingFiles::check(folder / "open/x.pcapng");
  REQUIRE_FALSE(open);
  CHECK(open.error().text.find("everybody may write") != std::string::npos);
  const auto missing = RingFiles::check(folder / "none/x.pcapng");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().text.find("none/x.pcapng") != std::string::npos);
  REQUIRE(::chmod((folder / "open").c_str(), 01777) == 0);
  CHECK(RingFiles::check(folder / "open/x.pcapng"));
}

}  // namespace tunnel::capture
