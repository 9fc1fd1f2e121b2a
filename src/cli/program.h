// SPDX-License-Identifier: MIT
// The commands. `main` passes in what they need of the rooms below, so that they can be tested
// without sockets or certificates.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/document.h"

namespace tunnel::cli {

struct Machinery {
  // Loads every credential, adds what is wrong to the document, returns the warnings of each start
  // ("[SERVICE] tls.KEY ...").
  std::function<std::vector<std::string>(config::Document&)> check_credentials;
  // Runs the services of a document without errors; the exit status.
  std::function<int(config::Document)> run;
  std::string libraries;  // "GnuTLS 3.7.9, libuv 1.44.2"
};

// What a command printed, and its exit status: 0, 1 (at run time), 2 (usage or configuration).
struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
};

[[nodiscard]] Outcome execute(std::vector<std::string> arguments, const Machinery& machinery);

}  // namespace tunnel::cli
