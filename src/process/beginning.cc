// SPDX-License-Identifier: MIT
#include "process/beginning.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

namespace tunnel::process {
namespace {

bool is_setting(std::string_view variable) {
  const std::string_view name = variable.substr(0, variable.find('='));
  if (name == "GNUTLS_FORCE_FIPS_MODE") return false;
  return name.starts_with("GNUTLS_") || name.starts_with("NETTLE_FAT_") ||
         name == "SSLKEYLOGFILE" || name == "P11_KIT_DEBUG" || name == "P11_KIT_STRICT";
}

}  // namespace

void open_standard_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    // Input can still not be read, nor output written: who serves a client on them must see that
    // they are not open. The lowest free number is this one. In a chroot without /dev any folder
    // will do: it keeps the number, and neither reads nor writes.
    const int mode = stream == STDIN_FILENO    ? O_WRONLY
                     : stream == STDOUT_FILENO ? O_RDONLY
                                               : O_RDWR;
    int opened = ::open("/dev/null", mode);
    if (opened < 0) opened = ::open("/", O_RDONLY | O_DIRECTORY);
    if (opened != stream) ::_exit(1);
  }
}

void forget_library_settings(char** environment) {
  char** kept = environment;
  for (char** variable = environment; *variable != nullptr; ++variable) {
    // In place, without unsetenv(3): the C library is not set up yet.
    if (!is_setting(*variable)) *kept++ = *variable;
  }
  *kept = nullptr;
}

void begin(char** environment) {
  open_standard_streams();
  if (::geteuid() == 0) forget_library_settings(environment);
}

}  // namespace tunnel::process
