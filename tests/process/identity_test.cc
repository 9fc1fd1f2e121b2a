// SPDX-License-Identifier: MIT
#include "process/identity.h"

#include <doctest/doctest.h>
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace tunnel::process {
namespace {

// Identity changes are for good, so each is made in a child. Returns its exit status.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(body());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

}  // namespace

TEST_CASE("names and numbers are found, and a user brings its own group") {
  const Identity root = find_identity("root", "").value();
  CHECK(root.uid == 0);
  CHECK(root.gid == 0);
  CHECK(root.user_name == "root");
  const Identity by_number = find_identity("0", "").value();
  CHECK(by_number.uid == 0);
  CHECK(by_number.gid == 0);
  const Identity with_group = find_identity("root", "54321").value();
  CHECK(with_group.gid == 54321);
  const Identity nothing = find_identity("", "").value();
  CHECK_FALSE(nothing.uid.has_value());
  CHECK_FALSE(nothing.gid.has_value());
  const Identity only_group = find_identity("", "root").value();
  CHECK_FALSE(only_group.uid.has_value());
  CHECK(only_group.gid == 0);
}

TEST_CASE("an unknown name is an error that shows it") {
  const auto user = find_identity("no-such-user", "");
  REQUIRE_FALSE(user.has_value());
  CHECK(user.error().code == ErrorCode::not_found);
  CHECK(user.error().text.find("\"no-such-user\"") != std::string::npos);
  const auto group = find_identity("root", "no-such-group");
  REQUIRE_FALSE(group.has_value());
  CHECK(group.error().text.find("\"no-such-group\"") != std::string::npos);
}

TEST_CASE("a number without an account needs a group") {
  const auto bare = find_identity("54321", "");
  REQUIRE_FALSE(bare.has_value());
  CHECK(bare.error().text.find("set group") != std::string::npos);
  const Identity complete = find_identity("54321", "54322").value();
  CHECK(complete.uid == 54321);
  CHECK(complete.gid == 54322);
  CHECK(complete.user_name.empty());
}

TEST_CASE("the id that means \"unchanged\" to the kernel is refused") {
  CHECK_FALSE(find_identity("4294967295", "1").has_value());
  CHECK_FALSE(find_identity("", "4294967295").has_value());
  CHECK_FALSE(find_identity("-1", "1").has_value());
}

TEST_CASE("nothing asked is nothing done") { CHECK(assume(Identity{}).has_value()); }

TEST_CASE("root is given up for good: user, group and supplementary groups") {
  if (::geteuid() != 0) {
    MESSAGE("needs root");
    return;
  }
  CHECK(in_child([] {
          const gid_t extra[] = {0, 4, 27};
          if (::setgroups(3, extra) != 0) return 10;
          if (!assume(find_identity("54321", "54322").value())) return 1;
          if (::geteuid() != 54321 || ::getuid() != 54321) return 2;
          if (::getegid() != 54322 || ::getgid() != 54322) return 3;
          gid_t groups[64];
          const int n = ::getgroups(64, groups);
          if (n != 1 || groups[0] != 54322) return 4;
          if (::setuid(0) == 0 || ::seteuid(0) == 0 || ::setgid(0) == 0) return 5;
          return 0;
        }) == 0);
}

TEST_CASE("who is not root may only stay who it is") {
  if (::geteuid() != 0) {
    MESSAGE("needs root");
    return;
  }
  CHECK(in_child([] {
          if (!assume(find_identity("54321", "54322").value())) return 1;
          if (!assume(find_identity("54321", "54322").value())) return 2;
          const Result<void> back = assume(find_identity("root", "").value());
          if (back || back.error().code != ErrorCode::permission) return 3;
          return 0;
        }) == 0);
}

}  // namespace tunnel::process
