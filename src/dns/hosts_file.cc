// SPDX-License-Identifier: MIT
#include "dns/hosts_file.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

namespace tunnel::dns {

namespace {

std::string folded(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string text(name);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

void add_once(std::vector<SocketAddress>& addresses, const SocketAddress& address) {
  if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
    addresses.push_back(address);
  }
}

}  // namespace

std::vector<SocketAddress> HostsFile::lookup(std::string_view name) {
  if (file_.has_changed()) asked_.clear();
  const std::string key = folded(name);
  const auto known = asked_.find(key);
  if (known != asked_.end()) return known->second;
  return asked_.emplace(key, scan(key)).first->second;
}

// Line by line, and only the addresses of this name are kept. A line whose first word is not an IP
// address says nothing.
std::vector<SocketAddress> HostsFile::scan(std::string_view name) const {
  std::vector<SocketAddress> found;
  std::ifstream file(file_.path());
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string ip;
    words >> ip;
    std::string word;
    while (words >> word) {
      if (folded(word) != name) continue;
      if (const auto address = SocketAddress::parse_ip(ip, 0)) add_once(found, *address);
      break;
    }
  }
  if (name == "localhost" || name.ends_with(".localhost")) {
    add_once(found, SocketAddress::loopback_v6(0));
    add_once(found, SocketAddress::loopback_v4(0));
  }
  return found;
}

}  // namespace tunnel::dns
