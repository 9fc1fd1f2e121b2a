// SPDX-License-Identifier: MIT
// Services that connect to themselves, by themselves or around others: each connection would make
// another one, until no descriptor is left.
#include <map>
#include <optional>
#include <vector>

#include "base/text.h"
#include "config/cross_checks.h"

namespace tunnel::config {
namespace {

// Who accepts at an address.
class Listeners {
 public:
  void add(std::size_t service, const Accept& accept) {
    if (accept.form == Accept::Form::stdio || accept.address.family() == AF_UNSPEC) return;
    if (accept.form == Accept::Form::tcp && accept.address.port() == 0) return;  // a free one
    if (accept.address.is_ip() && accept.address.is_any()) {
      any_.emplace(std::pair(accept.address.family(), accept.address.port()), service);
    } else {
      by_address_.emplace(accept.address, service);
    }
  }
  // The wildcard address takes every one of this machine; of those only loopback is known here.
  [[nodiscard]] std::optional<std::size_t> at(const SocketAddress& address) const {
    if (const auto same = by_address_.find(address); same != by_address_.end()) return same->second;
    if (!address.is_ip() || !address.is_loopback()) return std::nullopt;
    const auto any = any_.find({address.family(), address.port()});
    return any != any_.end() ? std::optional(any->second) : std::nullopt;
  }

 private:
  std::map<SocketAddress, std::size_t> by_address_;
  std::map<std::pair<int, std::uint16_t>, std::size_t> any_;
};

// Where a target leads as far as that is known without asking DNS.
std::vector<SocketAddress> addresses_of(const Target& target) {
  switch (target.form) {
    case Target::Form::unix_socket:
      if (const auto path = SocketAddress::unix_path(target.host)) return {*path};
      return {};
    case Target::Form::ip: {
      const auto ip = SocketAddress::parse_ip(target.host, target.port);
      if (!ip) return {};
      // To connect to the wildcard address is to connect to this machine.
      if (!ip->is_any()) return {*ip};
      return {ip->family() == AF_INET ? SocketAddress::loopback_v4(target.port)
                                      : SocketAddress::loopback_v6(target.port)};
    }
    case Target::Form::name:
      if (!equal_ignoring_case(target.host, "localhost")) return {};
      return {SocketAddress::loopback_v4(target.port), SocketAddress::loopback_v6(target.port)};
    case Target::Form::srv:
      break;
  }
  return {};
}

// A target that leads to a service of this file.
struct Step {
  std::size_t to = 0;
  const Target* target = nullptr;
  int index = 0;           // of the targets in `connect`
  bool is_certain = true;  // not only by one of several addresses
};

class Loops {
 public:
  explicit Loops(Document& document)
      : document_(document),
        services_(document.config.services),
        steps_(services_.size()),
        states_(services_.size(), State::unseen) {
    for (std::size_t i = 0; i < services_.size(); ++i) {
      for (const Accept& accept : services_[i].accept) listeners_.add(i, accept);
    }
    for (std::size_t i = 0; i < services_.size(); ++i) add_steps(i);
  }

  void report() {
    for (std::size_t i = 0; i < services_.size(); ++i) {
      if (states_[i] == State::unseen) walk(i);
    }
  }

 private:
  enum class State { unseen, on_path, done };
  struct Visit {
    std::size_t service;
    std::size_t next = 0;  // of its steps
  };

  void add_steps(std::size_t from) {
    const Service& service = services_[from];
    if (!service.proxies.empty()) return;  // "localhost" is the proxy's
    int index = 0;
    for (const auto& group : service.connect) {
      for (const Target& target : group) {
        if (target.weight > 0) add_steps(from, target, index);
        ++index;
      }
    }
  }

  void add_steps(std::size_t from, const Target& target, int index) {
    const std::vector<SocketAddress> addresses = addresses_of(target);
    std::vector<std::size_t> found;
    for (const SocketAddress& address : addresses) {
      if (const auto to = listeners_.at(address)) found.push_back(*to);
    }
    for (const std::size_t to : found) {
      steps_[from].push_back({to, &target, index, found.size() == addresses.size()});
    }
  }

  // Depth first, without recursion: there may be thousands of services in a row.
  void walk(std::size_t start) {
    path_ = {{start}};
    states_[start] = State::on_path;
    while (!path_.empty()) {
      Visit& visit = path_.back();
      if (visit.next == steps_[visit.service].size()) {
        states_[visit.service] = State::done;
        path_.pop_back();
        continue;
      }
      const Step& step = steps_[visit.service][visit.next++];
      if (states_[step.to] == State::on_path) report(step);
      if (states_[step.to] != State::unseen) continue;
      states_[step.to] = State::on_path;
      path_.push_back({step.to});
    }
  }

  // The loop is the path from the service that `last` leads to, and `last`.
  void report(const Step& last) {
    std::size_t begin = path_.size() - 1;
    while (path_[begin].service != last.to) --begin;
    bool is_certain = true;
    std::string way;
    for (std::size_t i = begin; i < path_.size(); ++i) {
      const Step& step = steps_[path_[i].service][path_[i].next - 1];
      is_certain = is_certain && step.is_certain;
      way += (i == begin ? "" : ", and ") + name(path_[i].service) + " connects to \"" +
             printable(step.target->text) + "\", where " + name(step.to) + " accepts";
    }
    const std::size_t from = path_.back().service;
    const bool is_alone = begin + 1 == path_.size();
    const std::string text =
        is_alone
            ? "\"" + printable(last.target->text) + "\" is where this service accepts, so it " +
                  (is_certain ? "would" : "may") + " connect to itself, again and again"
            : "connections " + std::string(is_certain ? "would" : "may") +
                  " go round and round: " + way;
    const std::string hint = "the target is the server's own address: \"HOST:PORT\"";
    if (is_certain) {
      document_.problem(services_[from].name, "connect", last.index, text, hint);
    } else {
      document_.warning(services_[from].name, "connect", last.index, text, hint);
    }
  }

  [[nodiscard]] std::string name(std::size_t service) const {
    return "[" + printable(services_[service].name, 60) + "]";
  }

  Document& document_;
  const std::vector<Service>& services_;
  Listeners listeners_;
  std::vector<std::vector<Step>> steps_;  // by service
  std::vector<State> states_;
  std::vector<Visit> path_;
};

}  // namespace

void cross_check_loops(Document& document) { Loops(document).report(); }

}  // namespace tunnel::config
