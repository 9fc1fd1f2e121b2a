// SPDX-License-Identifier: MIT
#include "runtime/passed_accepts.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "config/cross_checks.h"

namespace tunnel::runtime {
namespace {

using Names = std::vector<std::string>;
using Form = config::Accept::Form;

std::string listed(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + in_quotes(name);
  return text.empty() ? "none" : text;
}

bool is_on_stdio(const config::Service& service) {
  return !service.accept.empty() && service.accept.front().form == Form::stdio;
}

// What `control` names, or nothing.
std::string control_name(const config::Global& global) {
  return global.control.starts_with("fd:") ? global.control.substr(3) : "";
}

Names wanted_names(const config::Config& config) {
  Names names;
  for (const config::Service& service : config.services) {
    for (const config::Accept& accept : service.accept) {
      if (accept.form == Form::passed) names.push_back(accept.passed_name());
    }
  }
  for (const config::Accept& accept : config.global.status) {
    if (accept.form == Form::passed) names.push_back(accept.passed_name());
  }
  const std::string control = control_name(config.global);
  if (!control.empty()) names.push_back(control);
  return names;
}

class LookUp {
 public:
  LookUp(config::Document& document, const process::PassedSockets& passed)
      : document_(document),
        passed_(passed),
        wanted_(wanted_names(document.config)),
        both_("the service manager passes " + listed(passed.names()) +
              ", and the configuration asks for " + listed(wanted_)) {}

  void look_up(config::Service& service) {
    look_up(service.accept, service.name, "accept");
    for (const config::Accept& accept : service.accept) {
      // What the name stands for is known only now: an address beyond the loopback needs
      // allow_remote here as anywhere.
      if (accept.form == Form::passed) config::check_remote(document_, service, accept);
    }
  }

  void look_up_status() {
    look_up(document_.config.global.status, "", "status");
    for (const config::Accept& accept : document_.config.global.status) {
      if (accept.form == Form::passed) config::check_status(document_, accept);
    }
  }

  void look_up(std::vector<config::Accept>& accepts, const std::string& service,
               const std::string& key) {
    std::vector<config::Accept> found;
    for (const config::Accept& accept : std::exchange(accepts, {})) {
      // A reload that has to leave out a port builds from the same document a second time.
      const bool is_known = accept.address.family() != AF_UNSPEC;
      if (accept.form != Form::passed || is_known) {
        found.push_back(accept);
        continue;
      }
      const auto addresses = passed_.addresses_of(accept.passed_name());
      if (addresses.empty()) {
        document_.problem(service, key, accept.entry,
                          "there is no socket " + in_quotes(accept.passed_name()) + ": " + both_,
                          "FileDescriptorName= of the socket unit is the name");
      }
      // A socket unit may have several ListenStream= under one name.
      for (const SocketAddress& address : addresses) {
        found.push_back(accept);
        found.back().address = address;
      }
    }
    accepts = std::move(found);
  }

  void check_control() {
    const std::string name = control_name(document_.config.global);
    if (name.empty() || !passed_.addresses_of(name).empty()) return;
    document_.problem("", "control", -1, "there is no socket " + in_quotes(name) + ": " + both_);
  }

  void check_all_are_wanted() {
    // Its clients would connect, for the socket listens, and then wait forever.
    for (const std::string& name : passed_.names()) {
      if (std::find(wanted_.begin(), wanted_.end(), name) != wanted_.end()) continue;
      document_.problem("", "", -1,
                        "nothing accepts at the socket " + in_quotes(name) + ": " + both_,
                        "write accept = \"fd:" + name + "\" in the service that it is for");
    }
  }

 private:
  config::Document& document_;
  const process::PassedSockets& passed_;
  const Names wanted_;
  const std::string both_;
};

}  // namespace

void look_up_passed(config::Document& document, const process::PassedSockets& passed) {
  auto& services = document.config.services;
  // Started for one connection: what is passed is that, as "connection".
  if (std::any_of(services.begin(), services.end(), is_on_stdio)) return;
  LookUp look_up(document, passed);
  for (config::Service& service : services) look_up.look_up(service);
  look_up.look_up_status();
  look_up.check_control();
  look_up.check_all_are_wanted();
}

}  // namespace tunnel::runtime
