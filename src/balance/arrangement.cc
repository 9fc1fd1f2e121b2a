// SPDX-License-Identifier: MIT
#include "balance/arrangement.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "base/text.h"

namespace tunnel::balance {

namespace {

std::string_view without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

std::uint32_t product(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(std::uint64_t{a} * b, std::numeric_limits<std::uint32_t>::max()));
}

std::uint32_t weight_of(const config::Target& target) {
  return static_cast<std::uint32_t>(std::max(0, target.weight));
}

// Builds the groups that one configured group becomes: one, or one for each SRV priority.
class GroupBuilder {
 public:
  explicit GroupBuilder(const Answers& answers) : answers_(answers) {}

  void add(const config::Target& target) {
    if (target.form == config::Target::Form::srv) return add_srv(target);
    add_host(0,
             {.form = target.form,
              .host = target.host,
              .port = target.port,
              .address = {},
              .name = target.name,
              .is_foreign = false,
              .text = target.text},
             target, weight_of(target));
  }

  [[nodiscard]] Arrangement take() { return std::move(groups_); }

 private:
  void add_srv(const config::Target& target) {
    const auto answer = answers_.srv.find(target.host);
    if (answer == answers_.srv.end()) return;
    std::vector<SrvRecord> records = answer->second;
    // By host and port as well: name servers turn their answers round, and the same set in another
    // order must give the same arrangement, or every answer would be a change.
    std::sort(records.begin(), records.end(), [](const SrvRecord& a, const SrvRecord& b) {
      return std::tie(a.priority, a.host, a.port) < std::tie(b.priority, b.host, b.port);
    });
    std::size_t rank = 0;
    std::optional<std::uint16_t> priority;
    for (const SrvRecord& record : records) {
      const std::string host(without_final_dot(record.host));
      if (host.empty()) continue;  // RFC 2782: "." says that the service is not offered
      // RFC 2782: a client must try the reachable hosts of the lowest number first. That is what a
      // group is.
      if (priority && *priority != record.priority) ++rank;
      priority = record.priority;
      // RFC 6125, section 6.2.1: what an answer without DNSSEC has named is not a name to verify a
      // certificate by, unless it lies in the domain that was asked for.
      const bool is_trusted = !target.name.empty() || is_inside(host, srv_domain(target.host));
      // RFC 2782 gives weight 0 a small chance, it does not drain.
      const std::uint32_t weight = std::max<std::uint32_t>(1, record.weight);
      add_host(rank,
               {.form = config::Target::Form::name,
                .host = host,
                .port = record.port,
                .address = {},
                .name = target.name,
                .is_foreign = !is_trusted,
                .text = host + ":" + std::to_string(record.port)},
               target, product(weight, weight_of(target)));
    }
  }

  // One endpoint, or one for each address if the target is to be expanded.
  void add_host(std::size_t rank, Endpoint endpoint, const config::Target& target,
                std::uint32_t weight) {
    const auto answer = answers_.addresses.find(endpoint.host);
    const bool expands = target.expand && endpoint.form == config::Target::Form::name &&
                         answer != answers_.addresses.end() && !answer->second.empty();
    if (!expands) return add_place(rank, {std::move(endpoint), weight, target.max_connections});
    std::vector<SocketAddress> addresses = answer->second;
    // Sorted and each once, as with SRV records.
    for (SocketAddress& address : addresses) address.set_port(endpoint.port);
    std::sort(addresses.begin(), addresses.end());
    addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
    const std::string text = endpoint.text;
    for (const SocketAddress& address : addresses) {
      endpoint.address = address;
      endpoint.text = text + " (" + address.ip() + ")";
      add_place(rank, {endpoint, weight, target.max_connections});
    }
  }

  // Named twice in one group, a target has the weight of both.
  void add_place(std::size_t rank, Place place) {
    if (groups_.size() <= rank) groups_.resize(rank + 1);
    for (Place& other : groups_[rank]) {
      if (other.endpoint != place.endpoint) continue;
      other.weight +=
          std::min(place.weight, std::numeric_limits<std::uint32_t>::max() - other.weight);
      // The stricter of two limits holds.
      if (!other.max_connections) other.max_connections = place.max_connections;
      if (place.max_connections) {
        other.max_connections = std::min(*other.max_connections, *place.max_connections);
      }
      return;
    }
    groups_[rank].push_back(std::move(place));
  }

  const Answers& answers_;
  Arrangement groups_;
};

}  // namespace

Arrangement arrange(const config::TargetGroups& connect, const Answers& answers) {
  Arrangement result;
  for (const std::vector<config::Target>& group : connect) {
    GroupBuilder builder(answers);
    for (const config::Target& target : group) builder.add(target);
    for (std::vector<Place>& places : builder.take()) {
      // An SRV that has not been answered gives no group, and the one behind it serves.
      if (!places.empty()) result.push_back(std::move(places));
    }
  }
  return result;
}

std::string_view srv_domain(std::string_view owner) {
  owner = without_final_dot(owner);
  while (owner.starts_with('_')) {
    const std::size_t dot = owner.find('.');
    if (dot == std::string_view::npos) return {};
    owner.remove_prefix(dot + 1);
  }
  return owner;
}

bool is_inside(std::string_view host, std::string_view domain) {
  host = without_final_dot(host);
  domain = without_final_dot(domain);
  if (domain.empty() || host.size() < domain.size()) return false;
  const std::size_t start = host.size() - domain.size();
  return equal_ignoring_case(host.substr(start), domain) && (start == 0 || host[start - 1] == '.');
}

}  // namespace tunnel::balance
