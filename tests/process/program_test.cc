// SPDX-License-Identifier: MIT
#include "process/program.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/temp_folder.h"

namespace tunnel::process {
namespace {

void install(const std::string& path, mode_t mode) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << "#!/bin/sh\n";
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

}  // namespace

TEST_CASE("a program is found as the shell that started it would find it") {
  const test::TempFolder scratch;
  const std::string here = scratch / "";
  install(scratch / "a/tunnel", 0644);
  install(scratch / "b/tunnel", 0755);
  const std::string both = scratch / "a" + ":" + (scratch / "b");
  CHECK(find_program("tunnel", both, "/") == scratch / "b/tunnel");
  CHECK(find_program("tunnel", "none:b", scratch / "") == scratch / "b/tunnel");
  CHECK(find_program("tunnel", scratch / "a", "/").empty());
  CHECK(find_program("tunnel", "", "/").empty());
  CHECK(find_program("", both, "/").empty());
}

TEST_CASE("a path stays the path it is, for what is installed there later") {
  CHECK(find_program("/usr/bin/tunnel", "", "/home") == "/usr/bin/tunnel");
  CHECK(find_program("build/tunnel", "/usr/bin", "/home") == "/home/build/tunnel");
}

TEST_CASE("the descriptor of the first start's supervisor is not one of the next") {
  using Words = std::vector<std::string>;
  CHECK(without_ready_fd({"tunnel", "-f", "--ready-fd", "3", "x.toml"}) ==
        Words{"tunnel", "-f", "x.toml"});
  CHECK(without_ready_fd({"tunnel", "--ready-fd=3", "x.toml"}) == Words{"tunnel", "x.toml"});
  CHECK(without_ready_fd({"tunnel", "--ready-fd"}) == Words{"tunnel"});
}

TEST_CASE("this process knows how it was started") {
  const auto program = Program::of_this_process();
  REQUIRE(program.has_value());
  CHECK(std::filesystem::exists(program->path));
  CHECK(program->folder == std::filesystem::current_path().string());
  CHECK_FALSE(program->arguments.empty());
}

}  // namespace tunnel::process
