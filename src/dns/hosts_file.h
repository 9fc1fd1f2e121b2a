// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "dns/watched_file.h"

namespace tunnel::dns {

// /etc/hosts. Keeps only the lines that were asked for (such files may be lists of a million
// advertisers), and forgets them when the file changes. Belongs to Names.
class HostsFile {
 public:
  HostsFile(std::string path, const Clock& clock) : file_(std::move(path), clock) {}

  // The name's addresses in the order of the file, port 0; empty when it is not in there.
  // "localhost" and names under it always are 127.0.0.1 and ::1 (RFC 6761, section 6.3), with or
  // without the file. A dot at the end does not matter, nor does case.
  [[nodiscard]] std::vector<SocketAddress> lookup(std::string_view name);

 private:
  [[nodiscard]] std::vector<SocketAddress> scan(std::string_view name) const;

  WatchedFile file_;
  std::map<std::string, std::vector<SocketAddress>, std::less<>> asked_;
};

}  // namespace tunnel::dns
