// SPDX-License-Identifier: MIT
#include "balance/describe.h"

#include <algorithm>
#include <string_view>

#include "balance/policy_words.h"
#include "base/text.h"

namespace tunnel::balance {

namespace {

using Sentences = std::vector<std::string>;
using Targets = std::vector<config::Target>;
using Form = config::Target::Form;

bool is_drained(const config::Target& target) { return target.weight <= 0; }

// Whether this entry may stand for several targets.
bool is_several(const config::Target& target) {
  return target.form == Form::srv || (target.expand && target.form == Form::name);
}

std::string named(const config::Target& target, bool says_weight) {
  std::string text = target.text;
  if (target.form == Form::srv) text = "the SRV records of " + target.host;
  if (target.form == Form::name && target.expand) text = "every address of " + target.text;
  if (says_weight) text += " (weight " + std::to_string(target.weight) + ")";
  return text;
}

// One of the targets that an entry stands for.
std::string one_of(const config::Target& target) {
  if (target.form == Form::srv) return "each target of " + target.text;
  return (is_several(target) ? "each address of " : "") + target.text;
}

// Who of the group serves: "a and b in turn", "a".
std::string choice(const Targets& group, config::Balance policy) {
  const bool has_weights =
      std::any_of(group.begin(), group.end(), [](const auto& t) { return t.weight != 1; });
  // The policy `first` knows no weights but 0.
  const bool says_weight = has_weights && policy != config::Balance::first;
  std::vector<std::string> names;
  for (const config::Target& target : group) {
    if (!is_drained(target)) names.push_back(named(target, says_weight && group.size() > 1));
  }
  if (names.empty()) return "nobody";
  if (names.size() == 1 &&
      std::none_of(group.begin(), group.end(), [](const auto& t) { return is_several(t); })) {
    return names.front();
  }
  const std::string all = enumerated(names, " and ");
  const std::string which(meaning(policy));
  const std::string called = " (" + std::string(word(policy)) + ")";
  switch (policy) {
    case config::Balance::round_robin:
      return all + " in turn" + (has_weights ? ", by weight" : "") + called;
    case config::Balance::least_connections:
      return which + (has_weights ? " for its weight" : "") + " of " + all + called;
    case config::Balance::random:
      return which + " from " + all + called;
    case config::Balance::hash:
      return which + " from " + all + ", always the same while it can be chosen" + called;
    case config::Balance::first:
      return which + " of " + all + called;
  }
  return all;
}

void describe_groups(const config::Service& service, Sentences& out) {
  if (service.connect.size() == 1) {
    const Targets& group = service.connect.front();
    const bool is_one_name = group.size() == 1 && group[0].form == Form::name && !group[0].expand;
    out.push_back("connections go to " + choice(group, service.balance) +
                  (is_one_name ? ", trying all its addresses" : ""));
    return;
  }
  out.push_back("connections go to the first of " + std::to_string(service.connect.size()) +
                " groups that has a target to choose:");
  for (std::size_t i = 0; i < service.connect.size(); ++i) {
    out.push_back("group " + std::to_string(i + 1) + ": " +
                  choice(service.connect[i], service.balance));
  }
}

void describe_target(const config::Target& target, const config::Service& service, Sentences& out) {
  if (is_drained(target)) {
    out.push_back(named(target, false) + " is drained (weight 0) and gets no new connections");
    return;
  }
  if (target.form == Form::srv) {
    out.push_back("the SRV records of " + target.host +
                  " are asked for while running; their priorities are groups, their weights "
                  "weights, and targets come and go with them");
    if (service.tls && target.name.empty() && service.tls->name.empty()) {
      out.push_back(
          "an SRV target outside its domain cannot be verified, because DNS is not "
          "trusted to name it; set tls.name if there is one");
    }
  }
  if (target.max_connections) {
    const std::string limit = std::to_string(*target.max_connections);
    out.push_back(one_of(target) + " takes at most " + limit +
                  (limit == "1" ? " connection" : " connections") + ", attempts included");
  }
  if (!target.name.empty() && service.tls) {
    out.push_back(one_of(target) + " must have a certificate for " + target.name);
  }
}

std::string_view check_words(config::Check check) {
  switch (check) {
    case config::Check::tcp:
      return "a TCP connection";
    case config::Check::tls:
      return "a TLS handshake";
    case config::Check::ldap:
      return "an LDAP bind";
    case config::Check::smtp:
      return "an SMTP greeting";
    case config::Check::imap:
      return "an IMAP greeting";
    case config::Check::pop3:
      return "a POP3 greeting";
    case config::Check::pgsql:
      return "a PostgreSQL greeting";
    case config::Check::mysql:
      return "a MySQL greeting";
    case config::Check::redis:
      return "a Redis PING";
    case config::Check::none:
      break;
  }
  return "nothing";
}

void describe_health(const config::Service& service, bool is_only_target, Sentences& out) {
  const config::Health& health = service.health;
  if (is_only_target) {
    out.push_back("it is the only target, so every connection tries it, whatever happened before");
  } else if (health.eject_time > Millis(0)) {
    const bool doubles = health.eject_max > health.eject_time;
    out.push_back(
        "a target whose dial fails is left out for " + format_duration(health.eject_time) +
        (doubles ? ", twice as long each time in a row up to " + format_duration(health.eject_max)
                 : "") +
        "; when all are left out they are tried anyway, in the same order");
  }
  if (health.check == config::Check::none) return;
  out.push_back("every target is checked every " + format_duration(health.interval) + " with " +
                std::string(check_words(health.check)) + ": out after " +
                std::to_string(health.fall) + (health.fall == 1 ? " failure" : " failures") +
                ", back after " + std::to_string(health.rise) +
                (health.rise == 1 ? " success" : " successes"));
}

void describe_waiting(const config::Service& service, Sentences& out) {
  bool all_limited = true;
  for (const Targets& group : service.connect) {
    for (const config::Target& target : group) {
      if (!is_drained(target) && !target.max_connections) all_limited = false;
    }
  }
  if (!all_limited) return;
  out.push_back("when every target is at its max_connections, connections wait for " +
                (service.timeouts.dial ? "at most " + format_duration(*service.timeouts.dial)
                                       : std::string("as long as it takes")));
}

}  // namespace

std::vector<std::string> describe(const config::Service& service) {
  std::size_t serving = 0;
  bool has_several = false;
  for (const Targets& group : service.connect) {
    for (const config::Target& target : group) {
      if (is_drained(target)) continue;
      ++serving;
      has_several = has_several || is_several(target);
    }
  }
  Sentences out;
  if (serving == 0) {
    out.push_back("connections go nowhere: every target is drained (weight 0)");
    return out;
  }
  describe_groups(service, out);
  for (const Targets& group : service.connect) {
    for (const config::Target& target : group) describe_target(target, service, out);
  }
  describe_waiting(service, out);
  describe_health(service, serving == 1 && !has_several, out);
  return out;
}

}  // namespace tunnel::balance
