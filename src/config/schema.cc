// SPDX-License-Identifier: MIT
#include "config/schema.h"

namespace tunnel::config {
namespace {

template <class T>
void collect(std::string_view group, std::string_view prefix, std::vector<Named>& all) {
  for (const Row<T>& row : rows<T>()) {
    if (row.availability == Availability::later) continue;
    all.push_back({group, std::string(prefix) + std::string(row.key), &row});
  }
}

}  // namespace

std::vector<Named> all_options() {
  std::vector<Named> all;
  collect<Global>("global", "", all);
  collect<Service>("service", "", all);
  collect<Tls>("tls", "tls.", all);
  collect<SmtpLogin>("smtp_login", "smtp_login.", all);
  collect<Timeouts>("timeouts", "timeouts.", all);
  collect<Keepalive>("keepalive", "keepalive.", all);
  collect<SocketOptions>("socket_options", "socket_options.", all);
  collect<Health>("health", "health.", all);
  collect<Capture>("capture", "capture.", all);
  collect<Target>("connect", "connect.", all);
  return all;
}

}  // namespace tunnel::config
