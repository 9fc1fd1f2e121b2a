// SPDX-License-Identifier: MIT
#include "runtime/snapshot.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "process/identity.h"

namespace tunnel::runtime {
namespace {

// Builds one snapshot, service by service.
class Preparation {
 public:
  Preparation(const config::Config& config, tls::Context::Purpose purpose, const Snapshot* previous)
      : purpose_(purpose), previous_(previous), snapshot_(std::make_unique<Snapshot>()) {
    snapshot_->global = config.global;
    if (previous_ != nullptr) snapshot_->last_id = previous_->last_id;
    if (const auto identity = process::find_identity(config.global.user, config.global.group)) {
      shared_.owner = {identity->uid, identity->gid};
    }
  }

  void add(const config::Service& service) {
    ServiceConfig::Context context;
    ServiceConfig::Context check_context;
    if (service.tls) context = load(service, *service.tls, "");
    if (service.health.tls) check_context = load(service, *service.health.tls, "health.");
    snapshot_->services.push_back(
        {std::make_shared<const ServiceConfig>(service, std::move(context),
                                               std::move(check_context)),
         life_of(service.name)});
  }

  Prepared finish() {
    snapshot_->warnings = warnings_;
    if (!problems_.empty()) snapshot_.reset();
    return {std::move(snapshot_), std::move(problems_), std::move(warnings_)};
  }

 private:
  // `above` is what stands in front of the table "tls" that is loaded.
  ServiceConfig::Context load(const config::Service& service, const config::Tls& tls,
                              const std::string& above) {
    tls::Context::Loaded loaded = tls::Context::load(tls, shared_, purpose_);
    for (x509::Problem& problem : loaded.problems) {
      problems_.push_back({service.name, above + "tls." + problem.key, problem.index,
                           std::move(problem.text), std::move(problem.hint)});
    }
    for (const std::string& warning : loaded.warnings) {
      warnings_.push_back({service.name, above + warning});
    }
    return std::move(loaded.context);
  }

  std::shared_ptr<ServiceLife> life_of(const std::string& name) {
    if (previous_ != nullptr) {
      const auto known =
          std::find_if(previous_->services.begin(), previous_->services.end(),
                       [&](const ServiceHandle& service) { return service.life->name == name; });
      if (known != previous_->services.end()) return known->life;
    }
    return std::make_shared<ServiceLife>(++snapshot_->last_id, name);
  }

  const tls::Context::Purpose purpose_;
  const Snapshot* const previous_;
  tls::Context::Shared shared_;
  std::unique_ptr<Snapshot> snapshot_;
  std::vector<LoadProblem> problems_;
  std::vector<Warning> warnings_;
};

}  // namespace

void report(config::Document& document, const std::vector<LoadProblem>& problems) {
  for (const LoadProblem& problem : problems) {
    document.problem(problem.service, problem.key, problem.index, problem.text, problem.hint);
  }
}

Prepared prepare(const config::Config& config, tls::Context::Purpose purpose,
                 const Snapshot* previous) {
  Preparation preparation(config, purpose, previous);
  for (const config::Service& service : config.services) preparation.add(service);
  return preparation.finish();
}

}  // namespace tunnel::runtime
