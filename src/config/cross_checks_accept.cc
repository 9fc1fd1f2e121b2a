// SPDX-License-Identifier: MIT
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "base/text.h"
#include "config/cross_checks.h"

namespace tunnel::config {
namespace {

// Everything that is listened at, so that a second listener at the same place is found. Port 0 is
// never the same place: each takes a free port.
class Listening {
 public:
  explicit Listening(Document& document) : document_(document) {}

  // `service` is null for a global key.
  void add(const Service* service, std::string_view key, const Accept& accept) {
    if (accept.form == Accept::Form::tcp && accept.address.port() == 0) return;
    const User user{service, key, accept.entry};
    const User* other = find_clash(accept.address);
    if (other == nullptr) {
      remember(accept.address, user);
    } else if (reported_.emplace(service, key, accept.entry).second) {
      // Once for each entry, though it may clash with all that it was expanded to.
      report(accept, user, *other);
    }
  }

 private:
  struct User {
    const Service* service;
    std::string_view key;
    int entry;
    [[nodiscard]] std::string_view name() const {
      return service != nullptr ? std::string_view(service->name) : std::string_view();
    }
  };
  // The families have ports of their own: IPv6 sockets are bound for IPv6 alone.
  using FamilyAndPort = std::pair<int, std::uint16_t>;

  // The wildcard address takes the port of every address of its family.
  [[nodiscard]] const User* find_clash(const SocketAddress& address) const {
    if (const auto same = by_address_.find(address); same != by_address_.end()) {
      return &same->second;
    }
    if (!address.is_ip()) return nullptr;
    const FamilyAndPort key{address.family(), address.port()};
    const auto& others = address.is_any() ? any_of_port_ : wildcards_;
    const auto found = others.find(key);
    return found != others.end() ? &found->second : nullptr;
  }

  void remember(const SocketAddress& address, const User& user) {
    by_address_.emplace(address, user);
    if (!address.is_ip()) return;
    const FamilyAndPort key{address.family(), address.port()};
    any_of_port_.emplace(key, user);
    if (address.is_any()) wildcards_.emplace(key, user);
  }

  void report(const Accept& accept, const User& user, const User& other) {
    const Position first = document_.position(other.name(), other.key, other.entry);
    const std::string whose = other.service != nullptr
                                  ? "an accept address of service \"" + other.service->name + "\""
                                  : "an address of `" + std::string(other.key) + "`";
    document_.problem(
        user.name(), user.key, user.entry,
        accept.address.to_string() + " is already " + whose + ", at " + document_.place(first));
  }

  Document& document_;
  std::map<SocketAddress, User> by_address_;
  std::map<FamilyAndPort, User> wildcards_;
  std::map<FamilyAndPort, User> any_of_port_;
  std::set<std::tuple<const Service*, std::string_view, int>> reported_;
};

// The socket of `control`, when the file names one.
void check_control(Document& document, Listening& listening) {
  const std::string& path = document.config.global.control;
  if (path.empty() || path == "off" || path.starts_with("fd:")) return;
  if (auto address = SocketAddress::unix_path(path)) {
    listening.add(
        nullptr, "control",
        {.form = Accept::Form::unix_socket, .address = *address, .entry = -1, .text = path});
  } else {
    document.problem("", "control", -1, address.error().text);
  }
}

// A Host header is compared without its port.
void check_hosts(Document& document) {
  const std::vector<std::string>& hosts = document.config.global.status_hosts;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (!hosts[i].empty() && hosts[i].find_first_of(":/ *\t") == std::string::npos) continue;
    document.problem("", "status_hosts", static_cast<int>(i),
                     in_quotes(hosts[i]) + " is not a host name",
                     "write the name alone, as \"monitor.example.com\"");
  }
}

}  // namespace

void check_status(Document& document, const Accept& accept) {
  if (document.config.global.status_allow_remote || accept.address.is_loopback()) return;
  document.problem("", "status", accept.entry,
                   "\"" + accept.text +
                       "\" can be reached by other machines, which then read clients' addresses "
                       "and the names of servers, without a password",
                   "set status_allow_remote = true if that is what you want");
}

void check_remote(Document& document, const Service& service, const Accept& accept) {
  if (service.allow_remote || accept.address.is_loopback()) return;
  document.problem(service.name, "accept", accept.entry,
                   "\"" + accept.text +
                       "\" can be reached by other machines, and what they send to it is plaintext",
                   "set allow_remote = true if that is what you want");
}

void cross_check_accepts(Document& document) {
  Listening listening(document);
  // Global keys first: a clash is reported at the later one, the service's.
  check_control(document, listening);
  for (const Accept& accept : document.config.global.status) {
    if (accept.address.family() == AF_UNSPEC) continue;  // one that was not looked up
    check_status(document, accept);
    listening.add(nullptr, "status", accept);
  }
  check_hosts(document);
  std::map<std::string, const Service*> passed;
  for (const Service& service : document.config.services) {
    for (const Accept& accept : service.accept) {
      if (accept.form == Accept::Form::passed) {
        const auto [first, is_new] = passed.emplace(accept.text, &service);
        if (is_new) continue;
        document.problem(service.name, "accept", accept.entry,
                         "\"" + accept.text + "\" is already an accept address of service \"" +
                             first->second->name + "\"");
      }
      if (accept.address.family() == AF_UNSPEC) continue;  // a name that was not looked up
      check_remote(document, service, accept);
      listening.add(&service, "accept", accept);
    }
  }
}

}  // namespace tunnel::config
