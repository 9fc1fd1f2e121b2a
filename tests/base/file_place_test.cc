// SPDX-License-Identifier: MIT
#include "base/file_place.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <thread>
#include <vector>

#include "support/foreign_folder.h"

namespace tunnel {
namespace {

using test::ForeignFolder;
using test::is_root;
using test::kAlice;
using test::kBob;
using test::owner_of;
using test::read_file;

constexpr FileOwner kForAlice{.uid = kAlice, .gid = kAlice};

Result<Fd> open(const std::string& path, FileOwner owner = {}, int flags = O_CREAT) {
  return open_carefully(
      {.path = path, .flags = O_WRONLY | O_APPEND | flags, .mode = 0640, .owner = owner});
}

std::string refusal(const Result<Fd>& file) { return file ? "none" : file.error().text; }

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Capabilities are the calling thread's alone, and so is their loss.
void in_thread(const std::function<void()>& body) { std::thread(body).join(); }

// Of the calling thread, with which it reaches files: the gid, then the others.
std::vector<gid_t> file_groups() {
  std::vector<gid_t> groups(static_cast<std::size_t>(::getgroups(0, nullptr)));
  REQUIRE(::getgroups(static_cast<int>(groups.size()), groups.data()) >= 0);
  groups.insert(groups.begin(), static_cast<gid_t>(::setfsgid(static_cast<gid_t>(-1))));
  return groups;
}

bool give_up_capability(unsigned number) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return false;
  sets[0].effective &= ~(1U << number);
  return ::syscall(SYS_capset, &header, sets.data()) == 0;
}

}  // namespace

TEST_CASE("a file is made, opened again, and what is wrong with its path is said") {
  const test::TempFolder scratch;
  CHECK(open(scratch / "new"));
  CHECK(test::mode_of(scratch / "new") == (0640 & ~022));
  CHECK(open(scratch / "new", {}, 0));
  CHECK(open(scratch / "absent", {}, 0).error().code == ErrorCode::not_found);
  CHECK(open(scratch / "absent/file").error().text == "No such file or directory");
  CHECK(open(scratch / "new/file").error().text == "Not a directory");
  CHECK_FALSE(open(scratch / "."));
  CHECK(open("/dev/null"));
}

TEST_CASE("our own links are followed, also to what has no path") {
  const test::TempFolder scratch;
  std::filesystem::create_directory(scratch / "folder");
  std::filesystem::create_symlink("folder", scratch / "to folder");
  std::filesystem::create_symlink(scratch / "to folder/../file", scratch / "link");
  REQUIRE(open(scratch / "link"));
  CHECK(std::filesystem::exists(scratch / "file"));
  std::filesystem::create_symlink("loop", scratch / "loop");
  CHECK(open(scratch / "loop").error().text == "Too many levels of symbolic links");
  CHECK_FALSE(open(scratch / "link", {}, O_NOFOLLOW));
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Fd reading(ends[0]);
  const Fd writing(ends[1]);
  CHECK(open("/proc/self/fd/" + std::to_string(writing.get())));
  CHECK(open("/dev/fd/" + std::to_string(writing.get())));
}

TEST_CASE("root does not follow a link of another user's, wherever it stands in the path") {
  if (!is_root()) return;
  const ForeignFolder alice;
  alice.link("log", alice.beside("root"));
  alice.link("folder", alice.beside("."));
  for (const char* path : {"log", "folder/root", "folder/new"}) {
    CAPTURE(path);
    const auto file = open(alice / path);
    CHECK(contains(refusal(file), "is a link of user 12345's, which root does not follow"));
    CHECK(file.error().code == ErrorCode::permission);
  }
  CHECK_FALSE(std::filesystem::exists(alice.beside("new")));
  alice.link("of root's", alice.beside("root"), 0);
  CHECK(open(alice / "of root's"));
}

TEST_CASE("root does not write into another user's file, nor into one with several names") {
  if (!is_root()) return;
  const ForeignFolder alice;
  REQUIRE(open(alice / "log"));
  REQUIRE(open(alice / "log"));
  REQUIRE(::chown((alice / "log").c_str(), kAlice, kAlice) == 0);
  CHECK(contains(refusal(open(alice / "log")), "it belongs to user 12345"));
  std::filesystem::create_hard_link(alice.beside("root"), alice / "hard");
  CHECK(contains(refusal(open(alice / "hard")), "several names"));
}

TEST_CASE("what its owner may open is opened with the owner's rights") {
  if (!is_root()) return;
  const ForeignFolder alice;
  REQUIRE(open(alice / "log", kForAlice));
  CHECK(owner_of(alice / "log") == kAlice);
  alice.link("link", "log");
  CHECK(open(alice / "link", kForAlice));
  // Afterwards we are root again.
  CHECK(open(alice.beside("root")));
  CHECK(owner_of(alice.beside("root")) == 0);
}

TEST_CASE("what its owner may not open is judged as root's") {
  if (!is_root()) return;
  const ForeignFolder alice;
  REQUIRE(::chmod(alice.beside("root").c_str(), 0600) == 0);
  alice.link("log", alice.beside("root"));
  CHECK(contains(refusal(open(alice / "log", kForAlice)), "is a link of user 12345's"));
  alice.link("of bob's", alice.beside("root"), kBob);
  CHECK(contains(refusal(open(alice / "of bob's", kForAlice)), "is a link of user 12346's"));
  std::filesystem::create_hard_link(alice.beside("root"), alice / "hard");
  CHECK(contains(refusal(open(alice / "hard", kForAlice)), "several names"));
  CHECK(owner_of(alice.beside("root")) == 0);
}

TEST_CASE("root that cannot take the owner's rights judges as root") {
  if (!is_root()) return;
  const ForeignFolder alice;
  REQUIRE(::chmod(alice.beside("root").c_str(), 0600) == 0);
  alice.link("log", alice.beside("root"));
  bool is_ready = false;
  std::string refused;
  const std::vector<gid_t> before = file_groups();
  std::vector<gid_t> after = before;
  SUBCASE("without the capability to change its uid") {
    in_thread([&] {
      is_ready = give_up_capability(CAP_SETUID);
      refused = refusal(open(alice / "log", kForAlice));
      // What could be changed is root's again.
      after = file_groups();
    });
  }
  SUBCASE("where capabilities stay when the uid changes") {
    in_thread([&] {
      is_ready = ::prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) == 0;
      refused = refusal(open(alice / "log", kForAlice));
    });
  }
  if (is_ready) CHECK(contains(refused, "is a link of user 12345's"));
  CHECK(after == before);
}

TEST_CASE("in a folder of root's a new file is given to its owner") {
  if (!is_root()) return;
  const ForeignFolder alice;
  REQUIRE(open(alice.beside("log"), kForAlice));
  CHECK(owner_of(alice.beside("log")) == kAlice);
  REQUIRE(open(alice.beside("log"), kForAlice));
  // One that a start without `user` left there, too; not one that only stands in Alice's folder.
  REQUIRE(open(alice.beside("old")));
  REQUIRE(open(alice.beside("old"), kForAlice));
  CHECK(owner_of(alice.beside("old")) == kAlice);
  REQUIRE(open(alice / "old"));
  REQUIRE(::chmod((alice / "old").c_str(), 0600) == 0);
  REQUIRE(open(alice / "old", kForAlice));
  CHECK(owner_of(alice / "old") == 0);
}

TEST_CASE("a place keeps its folder when the path leads elsewhere meanwhile") {
  const test::TempFolder scratch;
  std::filesystem::create_directory(scratch / "a");
  std::filesystem::create_directory(scratch / "b");
  const auto place = FilePlace::find(scratch / "a/name", FilePlace::LastLink::keep);
  REQUIRE(place);
  CHECK(place->name == "name");
  std::filesystem::rename(scratch / "a", scratch / "c");
  std::filesystem::create_symlink("b", scratch / "a");
  const Fd file(::openat(place->folder.get(), "name", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  CHECK(file.valid());
  CHECK(std::filesystem::exists(scratch / "c/name"));
  CHECK(FilePlace::find(scratch / "c/", FilePlace::LastLink::keep)->name == ".");
}

}  // namespace tunnel
