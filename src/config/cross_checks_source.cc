// SPDX-License-Identifier: MIT
#include "config/cross_checks.h"

namespace tunnel::config {
namespace {

bool is_stdio(const Service& service) {
  for (const Accept& accept : service.accept) {
    if (accept.form == Accept::Form::stdio) return true;
  }
  return false;
}

void check_program(Document& document, const Service& service) {
  const auto is_set = [&](std::string_view key) { return document.is_set(service.name, key); };
  if (is_set("exec")) {
    if (!is_set("accept")) return;
    return document.problem(service.name, "exec", -1,
                            "\"accept\" and \"exec\" exclude one another: the plaintext side is "
                            "either clients or a program",
                            "make two services of them");
  }
  for (const std::string_view key : {"exec_args", "exec_name", "retry"}) {
    // retry = "off" asks for nothing.
    if (key == "retry" ? !service.retry.has_value() : !is_set(key)) continue;
    document.problem(service.name, key, -1,
                     "\"" + std::string(key) + "\" belongs to \"exec\", and there is none",
                     "exec = \"/usr/local/bin/program\"");
  }
}

// There is one standard input, and when its connection is over the process ends: nobody else can be
// served beside it.
void check_stdio(Document& document, const Service& service) {
  if (service.accept.size() > 1) {
    document.problem(service.name, "accept", -1,
                     "\"stdio\" is one connection on standard input and output, so it cannot stand "
                     "beside other addresses",
                     "accept = \"stdio\"");
  }
  for (const Service& other : document.config.services) {
    if (&other == &service) continue;
    document.problem(other.name, "", -1,
                     "service \"" + other.name + "\" would end with the one connection of [" +
                         service.name + "], which has accept = \"stdio\"",
                     "give each of them a file of its own");
  }
  if (!document.config.global.pid_file.empty()) {
    document.warning(
        "", "pid_file", -1,
        "no pid file is written for accept = \"stdio\": it is not a daemon, and several "
        "may run at a time");
  }
}

// How connections end is laid down, and lingering would change it: a close would wait, and all
// others of the thread with it, or cut what was not delivered yet.
void check_linger(Document& document, const Service& service) {
  const SocketOptions& options = service.socket_options;
  const auto check = [&](const std::vector<SocketOption>& list, std::string_view key) {
    for (const SocketOption& option : list) {
      if (option.name != "SO_LINGER") continue;
      document.warning(service.name, "socket_options." + std::string(key) + ".SO_LINGER", -1,
                       "SO_LINGER is not set: the tunnel itself sees to it that everything is "
                       "delivered, and resets a connection only when it failed");
    }
  };
  check(options.listen, "listen");
  check(options.client, "client");
  check(options.target, "target");
}

}  // namespace

void cross_check_source(Document& document, const Service& service) {
  check_program(document, service);
  if (is_stdio(service)) check_stdio(document, service);
  check_linger(document, service);
}

}  // namespace tunnel::config
