// SPDX-License-Identifier: MIT
#include "process/beginning.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace tunnel::process {
namespace {

std::string without_settings(std::vector<std::string> variables) {
  std::vector<char*> environment;
  environment.reserve(variables.size() + 1);
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  forget_library_settings(environment.data());
  std::string left;
  for (char** variable = environment.data(); *variable != nullptr; ++variable) {
    left += std::string(*variable) + " ";
  }
  return left;
}

// Which of the standard streams are /dev/null in a child that had closed those of `closed` (bits)
// before it began; -1: one is still closed.
int nulls_after_closing(unsigned closed) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (int fd = 0; fd < 3; ++fd) {
      if ((closed >> fd & 1) != 0) (void)::close(fd);
    }
    open_standard_streams();
    struct stat null {};
    int nulls = ::stat("/dev/null", &null) == 0 ? 0 : 8;
    for (int fd = 0; fd < 3; ++fd) {
      struct stat stream {};
      if (::fstat(fd, &stream) != 0) ::_exit(255);
      if (stream.st_rdev == null.st_rdev && (closed >> fd & 1) != 0) nulls |= 1 << fd;
      const int mode = ::fcntl(fd, F_GETFL) & O_ACCMODE;
      const bool is_usable = (fd == 0 && mode != O_WRONLY) || (fd == 1 && mode != O_RDONLY);
      if ((closed >> fd & 1) != 0 && is_usable) ::_exit(254);
    }
    ::_exit(nulls);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("variables that make the crypto libraries talk are forgotten, others stay in order") {
  CHECK(without_settings({"HOME=/", "GNUTLS_DEBUG_LEVEL=9", "SSLKEYLOGFILE=/x", "PATH=/bin",
                          "GNUTLS_SYSTEM_PRIORITY_FILE=/x", "GNUTLS_FORCE_FIPS_MODE=1",
                          "NETTLE_FAT_VERBOSE=1", "P11_KIT_DEBUG=all", "XGNUTLS_X=1",
                          "SSLKEYLOGFILES=1"}) ==
        "HOME=/ PATH=/bin GNUTLS_FORCE_FIPS_MODE=1 XGNUTLS_X=1 SSLKEYLOGFILES=1 ");
  CHECK(without_settings({"GNUTLS_DEBUG_LEVEL"}).empty());
  CHECK(without_settings({}).empty());
}

TEST_CASE("standard streams that were closed are /dev/null, the others stay") {
  for (unsigned closed = 0; closed < 8; ++closed) {
    CAPTURE(closed);
    CHECK(nulls_after_closing(closed) == static_cast<int>(closed));
  }
}

}  // namespace tunnel::process
