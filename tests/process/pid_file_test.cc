// SPDX-License-Identifier: MIT
#include "process/pid_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "support/foreign_folder.h"
#include "support/temp_folder.h"

namespace tunnel::process {
namespace {

using test::read_file;
using test::TempFolder;

std::string own_line() { return std::to_string(::getpid()) + "\n"; }

// A process that does nothing until it is stopped.
class Sleeper {
 public:
  Sleeper() : pid_(::fork()) {
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      for (;;) (void)::pause();
    }
  }
  ~Sleeper() { stop(); }
  void stop() {
    if (pid_ == 0) return;
    (void)::kill(pid_, SIGKILL);
    (void)::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("the file holds the process id while the service runs, and is gone afterwards") {
  const TempFolder scratch;
  const std::string path = scratch / "pid";
  auto file = PidFile::create(path).value();
  CHECK(read_file(path) == own_line());
  file.reset();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE(
    "a file that is handed over names the old process until it is claimed, and stays locked") {
  const TempFolder scratch;
  const std::string path = scratch / "pid";
  auto old = PidFile::create(path).value();
  { std::ofstream(path) << "1\n"; }  // the number of the process that hands it over
  auto handed = PidFile::adopt(path, Fd(::dup(old->fd())));
  REQUIRE(handed);
  handed.reset();  // it has come to nothing
  CHECK(read_file(path) == "1\n");
  handed = PidFile::adopt(path, Fd(::dup(old->fd())));
  CHECK(handed->claim());
  CHECK(read_file(path) == own_line());
  CHECK_FALSE(PidFile::create(path).has_value());
  CHECK_FALSE(PidFile::adopt(scratch / "other", Fd(::dup(old->fd()))));
  CHECK_FALSE(PidFile::adopt(path, Fd()));
}

TEST_CASE("a file whose process is gone is replaced, and so is one with nonsense in it") {
  const TempFolder scratch;
  const std::string path = scratch / "pid";
  Sleeper gone;
  const pid_t pid = gone.pid();
  gone.stop();
  for (const std::string& text : {std::to_string(pid) + "\n", std::string(), std::string("junk"),
                                  std::string("-5"), std::string(5000, '9')}) {
    CAPTURE(text);
    std::ofstream(path) << text;
    CHECK(PidFile::create(path).has_value());
  }
}

TEST_CASE("a living process without a lock on its file has lost it, and is named") {
  const TempFolder scratch;
  const std::string path = scratch / "pid";
  const Sleeper other;
  std::ofstream(path) << other.pid() << "\n";
  SUBCASE("one that may have written it") {
    const auto file = PidFile::create(path);
    REQUIRE(file.has_value());
    CHECK((*file)->replaced() == other.pid());
    CHECK(read_file(path) == own_line());
  }
  SUBCASE("one that began after the file was written is another one, and of no interest") {
    const timespec long_ago[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), long_ago, 0) == 0);
    const auto file = PidFile::create(path);
    REQUIRE(file.has_value());
    CHECK((*file)->replaced() == 0);
  }
}

TEST_CASE("a locked file is left alone, and the process in it is named") {
  const TempFolder scratch;
  const std::string path = scratch / "pid";
  const auto first = PidFile::create(path).value();
  CHECK(first->replaced() == 0);
  const auto second = PidFile::create(path);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == ErrorCode::in_use);
  CHECK(second.error().text.find(std::to_string(::getpid())) != std::string::npos);
  CHECK(read_file(path) == own_line());
}

TEST_CASE("two starts at once: the second is refused even before the first has written") {
  const TempFolder scratch;
  const std::string path = scratch / "pid";
  const auto first = PidFile::create(path).value();
  REQUIRE(::truncate(path.c_str(), 0) == 0);
  const auto second = PidFile::create(path);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == ErrorCode::in_use);
}

TEST_CASE("a file that somebody else put in its place is not removed") {
  const TempFolder scratch;
  const std::string path = scratch / "pid";
  auto file = PidFile::create(path).value();
  std::filesystem::remove(path);
  std::ofstream(path) << "12345\n";
  file.reset();
  CHECK(read_file(path) == "12345\n");
}

TEST_CASE("a forked child does not remove its parent's file") {
  const TempFolder scratch;
  const std::string path = scratch / "pid";
  auto file = PidFile::create(path).value();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    file.reset();
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(read_file(path) == own_line());
}

TEST_CASE("links, folders and fifos are no pid files") {
  const TempFolder scratch;
  std::ofstream(scratch / "victim") << "precious";
  std::filesystem::create_symlink(scratch / "victim", scratch / "link");
  CHECK_FALSE(PidFile::create(scratch / "link").has_value());
  CHECK(read_file(scratch / "victim") == "precious");
  CHECK_FALSE(PidFile::create(scratch / "").has_value());
  REQUIRE(::mkfifo((scratch / "fifo").c_str(), 0600) == 0);
  CHECK_FALSE(PidFile::create(scratch / "fifo").has_value());
  const auto missing = PidFile::create(scratch / "no/folder/pid");
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().text.find("no/folder/pid") != std::string::npos);
}

TEST_CASE("where the folder is not ours to write in any more, the file is left empty") {
  if (::geteuid() != 0) {
    MESSAGE("needs root");
    return;
  }
  const TempFolder scratch;
  const std::string path = scratch / "pid";
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto file = PidFile::create(path);
    if (!file || ::chmod((scratch / "").c_str(), 0755) != 0 || ::setuid(54321) != 0) ::_exit(1);
    file->reset();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  CHECK(std::filesystem::exists(path));
  CHECK(read_file(path).empty());
  CHECK(PidFile::create(path).has_value());
}

TEST_CASE("root does not overwrite what another user has put where the file is to be") {
  if (!test::is_root()) return;
  const test::ForeignFolder alice;
  std::filesystem::create_hard_link(alice.beside("root"), alice / "hard");
  alice.link("folder", alice.beside("."));
  for (const char* name : {"hard", "folder/root", "folder/new"}) {
    CAPTURE(name);
    const auto refused = PidFile::create(alice / name);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text.starts_with("cannot create pid file "));
    CHECK(read_file(alice.beside("root")) == "root's");
  }
  CHECK_FALSE(std::filesystem::exists(alice.beside("new")));
}

}  // namespace tunnel::process
