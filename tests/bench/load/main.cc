// SPDX-License-Identifier: MIT
// The benchmark's load: plain sockets and epoll, so that it costs little beside what is measured.
//
//   load serve SOCKET
//   load down|up|connect|request|latency PORT COUNT [CONNECTIONS [IN-FLIGHT]]

#include <sys/resource.h>

#include <cstdlib>
#include <string_view>

#include "client.h"
#include "poller.h"
#include "server.h"

int main(int argc, char** argv) {
  rlimit files{};
  (void)::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);

  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "serve" && argc == 3) load::serve(argv[2]);
  if (argc < 4 || argc > 6) load::refuse("see the beginning of main.cc for the arguments");
  const auto number = [&](int index, std::uint64_t otherwise) {
    return index < argc ? std::strtoull(argv[index], nullptr, 10) : otherwise;
  };
  load::Plan plan;
  plan.port = static_cast<std::uint16_t>(number(2, 0));
  plan.count = number(3, 0);
  plan.connections = number(4, 1);
  plan.in_flight = number(5, plan.connections);
  if (plan.port == 0 || plan.count == 0 || plan.connections == 0) load::refuse("a number is wrong");
  if (what == "down") {
    load::stream_down(plan);
  } else if (what == "up") {
    load::stream_up(plan);
  } else if (what == "connect") {
    load::connect_often(plan);
  } else if (what == "request") {
    load::request_often(plan);
  } else if (what == "latency") {
    load::request_slowly(plan);
  } else {
    load::refuse("no such load");
  }
  return 0;
}
