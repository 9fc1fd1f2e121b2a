// SPDX-License-Identifier: MIT
#include "process/limits.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/resource.h>

#include <fstream>

#include "support/temp_folder.h"

namespace tunnel::process {
namespace {

void write_file(const std::string& path, std::string_view text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

struct Machine {
  test::TempFolder root;
  unsigned all = usable_cpus(root / "proc", root / "nothing");  // affinity alone

  [[nodiscard]] unsigned cpus() const { return usable_cpus(root / "proc", root / "cgroup"); }
};

}  // namespace

TEST_CASE("the soft limit of open files is raised to the hard one") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit low = before;
  low.rlim_cur = 64;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  CHECK(raise_open_files().value() == before.rlim_max);
  rlimit now{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &now) == 0);
  CHECK(now.rlim_cur == before.rlim_max);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

TEST_CASE("CPUs are those of the affinity mask") {
  cpu_set_t mask;
  REQUIRE(::sched_getaffinity(0, sizeof mask, &mask) == 0);
  const Machine machine;
  CHECK(machine.all == static_cast<unsigned>(CPU_COUNT(&mask)));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &mask)) CPU_SET(cpu, &one);
  }
  REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(machine.cpus() == 1);
  REQUIRE(::sched_setaffinity(0, sizeof mask, &mask) == 0);
}

TEST_CASE("a control group's quota counts, rounded up, wherever in the hierarchy it is") {
  const Machine machine;
  write_file(machine.root / "proc/cgroup", "1:name=x:/other\n0::/system.slice/tunnel.service\n");
  write_file(machine.root / "cgroup/system.slice/tunnel.service/cpu.max", "max 100000\n");
  CHECK(machine.cpus() == machine.all);
  write_file(machine.root / "cgroup/system.slice/tunnel.service/cpu.max", "50000 100000\n");
  CHECK(machine.cpus() == 1);
  write_file(machine.root / "cgroup/system.slice/tunnel.service/cpu.max", "99900000 100000\n");
  CHECK(machine.cpus() == machine.all);
  write_file(machine.root / "cgroup/system.slice/cpu.max", "100000 100000\n");
  CHECK(machine.cpus() == 1);
}

TEST_CASE("a container's own root group counts") {
  const Machine machine;
  write_file(machine.root / "proc/cgroup", "0::/\n");
  write_file(machine.root / "cgroup/cpu.max", "100 100000\n");
  CHECK(machine.cpus() == 1);
}

TEST_CASE("a quota file that makes no sense limits nothing") {
  const Machine machine;
  write_file(machine.root / "proc/cgroup", "0::/\n");
  for (const std::string_view text : {"", "x y", "1 0", "-5 100000", "100000"}) {
    CAPTURE(text);
    write_file(machine.root / "cgroup/cpu.max", text);
    CHECK(machine.cpus() == machine.all);
  }
}

}  // namespace tunnel::process
