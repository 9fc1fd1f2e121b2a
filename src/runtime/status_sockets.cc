// SPDX-License-Identifier: MIT
#include "runtime/status_sockets.h"

#include <algorithm>
#include <map>
#include <utility>

namespace tunnel::runtime {
namespace {

// What an address of `status` has in common with one of a service.
config::Service as_service(const FileOwner& owner) {
  config::Service service;
  service.unix_owner.uid = owner.uid;
  service.unix_owner.gid = owner.gid;
  return service;
}

}  // namespace

StatusSockets bind_status(const config::Global& global, const FileOwner& owner,
                          const std::vector<StatusSocket>& at_hand,
                          process::PassedSockets* passed) {
  StatusSockets result;
  std::vector<StatusSocket> left = at_hand;
  std::map<int, std::size_t> bound;                     // by entry
  std::map<int, std::vector<std::string>> unavailable;  // families that this machine does not have
  for (const config::Accept& accept : global.status) {
    const auto same = std::find_if(left.begin(), left.end(), [&](const StatusSocket& each) {
      return each.wanted == accept.address;
    });
    if (same != left.end()) {
      result.sockets.push_back(std::move(*same));
      // Two addresses with port 0 are alike, and each has a socket of its own.
      left.erase(same);
      ++bound[accept.entry];
      continue;
    }
    auto socket = listen_at(as_service(owner), accept, passed);
    if (socket) {
      result.sockets.push_back(
          {accept.address, std::make_shared<ListeningSocket>(std::move(*socket))});
      ++bound[accept.entry];
      continue;
    }
    const std::string problem =
        "status cannot be served at " + accept.address.to_string() + ": " + socket.error().text;
    const bool is_missing_family = accept.optional && socket.error().code == ErrorCode::unavailable;
    (is_missing_family ? unavailable[accept.entry] : result.problems).push_back(problem);
  }
  for (auto& [entry, problems] : unavailable) {
    if (bound[entry] > 0) continue;
    result.problems.insert(result.problems.end(), problems.begin(), problems.end());
  }
  return result;
}

}  // namespace tunnel::runtime
