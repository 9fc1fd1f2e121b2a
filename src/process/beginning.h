// SPDX-License-Identifier: MIT
#pragma once

namespace tunnel::process {

// What a process must do before its libraries begin: their constructors open files and read the
// environment before main does anything. main.cc has the loader call this first of all
// (.preinit_array), with the environment that getenv() will see. Calls nothing that needs the C++
// or C library to be set up.
void begin(char** environment);

// The parts of it.

// Where the caller has closed standard input, output or error, the next file or connection would
// take that number, and what is said on standard error would be written into it.
void open_standard_streams();

// For root, who may be about to become another user: takes out the variables by which GnuTLS,
// Nettle and p11-kit can be made to write secrets to standard error or to a file
// (GNUTLS_DEBUG_LEVEL, SSLKEYLOGFILE), or to take their settings from one. GnuTLS ignores them by
// itself in set-user-ID programs only. GNUTLS_FORCE_FIPS_MODE stays: it makes GnuTLS stricter.
void forget_library_settings(char** environment);

}  // namespace tunnel::process
