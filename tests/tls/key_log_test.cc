// SPDX-License-Identifier: MIT
#include "tls/key_log.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "support/foreign_folder.h"

namespace tunnel::tls::key_log_test {
namespace {

using tunnel::test::ForeignFolder;
using tunnel::test::is_root;
using tunnel::test::kAlice;

constexpr FileOwner kForAlice{.uid = kAlice, .gid = kAlice};

// What open() and check() say, which must be the same.
std::string refusal(const std::string& path, const FileOwner& owner = {}) {
  const auto checked = KeyLog::check(path, owner);
  const std::string by_check = checked ? "none" : checked.error().text;
  const auto opened = KeyLog::open(path, owner);
  const std::string by_open = opened ? "none" : opened.error().text;
  CHECK(by_check == by_open);
  return by_open;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("key log: made for us alone, and opened again") {
  const tunnel::test::TempFolder scratch;
  CHECK(refusal(scratch / "keys") == "none");
  CHECK(tunnel::test::mode_of(scratch / "keys") == 0600);
  CHECK(refusal(scratch / "keys") == "none");
}

TEST_CASE("key log: a check makes no file") {
  const tunnel::test::TempFolder scratch;
  CHECK(KeyLog::check(scratch / "keys", {}));
  CHECK_FALSE(std::filesystem::exists(scratch / "keys"));
  CHECK_FALSE(KeyLog::check(scratch / "no/such/folder", {}));
}

TEST_CASE("key log: a file that others have access to is refused, by any bit") {
  const tunnel::test::TempFolder scratch;
  std::ofstream(scratch / "keys").flush();
  for (const mode_t mode : std::initializer_list<mode_t>{0640, 0620, 0610, 0604, 0602, 0601}) {
    CAPTURE(mode);
    REQUIRE(::chmod((scratch / "keys").c_str(), mode) == 0);
    CHECK(refusal(scratch / "keys") ==
          scratch / "keys" +
              std::string(": others than its owner have access to it; remove the file, and it is "
                          "made anew for this user alone, or choose another path"));
  }
}

TEST_CASE("key log: root writes into no file of another user's, nor through a link of theirs") {
  if (!is_root()) return;
  const ForeignFolder alice;
  std::ofstream(alice / "keys").flush();
  REQUIRE(::chmod((alice / "keys").c_str(), 0600) == 0);
  REQUIRE(::chown((alice / "keys").c_str(), kAlice, kAlice) == 0);
  CHECK(contains(refusal(alice / "keys"), "it belongs to user 12345"));
  alice.link("link", alice.beside("root"));
  CHECK(contains(refusal(alice / "link"), "is a link of user 12345's"));
  CHECK(tunnel::test::read_file(alice.beside("root")) == "root's");
}

TEST_CASE("key log: belongs to who the process is about to become") {
  if (!is_root()) return;
  const ForeignFolder alice;
  CHECK(refusal(alice / "keys", kForAlice) == "none");
  CHECK(tunnel::test::owner_of(alice / "keys") == kAlice);
  CHECK(refusal(alice.beside("keys"), kForAlice) == "none");
  CHECK(tunnel::test::owner_of(alice.beside("keys")) == kAlice);
  CHECK(refusal(alice.beside("keys"), kForAlice) == "none");
}

}  // namespace tunnel::tls::key_log_test
