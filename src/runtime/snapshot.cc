// SPDX-License-Identifier: MIT
#include "runtime/snapshot.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"
#include "base/encoding.h"
#include "capture/ring_files.h"
#include "config/print.h"
#include "process/identity.h"
#include "x509/fingerprint.h"

namespace tunnel::runtime {
namespace {

// Builds one snapshot, service by service.
class Preparation {
 public:
  Preparation(const config::Config& config, tls::Context::Purpose purpose, const Snapshot* previous,
              std::optional<ServiceId> only)
      : purpose_(purpose),
        previous_(previous),
        only_(only),
        snapshot_(std::make_unique<Snapshot>()) {
    snapshot_->global = config.global;
    if (previous_ != nullptr) index();
    if (const auto identity = process::find_identity(config.global.user, config.global.group)) {
      shared_.owner = {identity->uid, identity->gid};
    }
  }

  // A service is one of three: the same as before, and goes on by the same handle; changed apart
  // from its TLS, whose contexts it keeps together with their tickets; or loaded anew. Its files
  // are looked at before they are read: what changes in between differs from what is noted, and the
  // next look finds it.
  void add(const config::Service& service) {
    FileIdentities files = files_of(service);
    if (const ServiceHandle* same = unchanged(service, files)) {
      keep_warnings(service.name, "");
      snapshot_->services.push_back(*same);
      snapshot_->files[same->life->id] = std::move(files);
      return;
    }
    if (service.capture) {
      if (auto fit = capture::RingFiles::check(service.capture->file); !fit) {
        problems_.push_back({service.name, "capture.file", -1, fit.error().text, {}});
      }
    }
    const ServiceHandle* same = has_same_files(service, files) ? known(service.name) : nullptr;
    ServiceConfig::Context context;
    ServiceConfig::Context check_context;
    if (same != nullptr && same->settings().tls == service.tls) {
      context = same->config->tls;
      keep_warnings(service.name, "tls.");
    } else if (service.tls) {
      context = load(service, *service.tls, "");
    }
    if (same != nullptr && same->settings().health.tls == service.health.tls) {
      check_context = same->config->check_tls;
      keep_warnings(service.name, "health.tls.");
    } else if (service.health.tls) {
      check_context = load(service, *service.health.tls, "health.");
    }
    snapshot_->services.push_back({std::make_shared<const ServiceConfig>(
                                       service, std::move(context), std::move(check_context)),
                                   life_of(service.name)});
    snapshot_->files[snapshot_->services.back().life->id] = std::move(files);
  }

  Prepared finish(const config::Config& config) {
    snapshot_->hash = hash_of(config);
    snapshot_->warnings = warnings_;
    // All or nothing, and only now: each service has had its say.
    if (!problems_.empty()) snapshot_.reset();
    return {std::move(snapshot_), std::move(problems_), std::move(warnings_)};
  }

 private:
  void index() {
    snapshot_->last_id = previous_->last_id;
    for (const ServiceHandle& service : previous_->services) {
      known_.emplace(service.life->name, &service);
    }
    for (const Warning& warning : previous_->warnings) {
      known_warnings_.emplace(warning.service, &warning);
    }
  }

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

  [[nodiscard]] FileIdentities files_of(const config::Service& service) const {
    const ServiceHandle* same = known(service.name);
    // Of the other services the noted identities stay: a change of theirs has not been loaded, and
    // must not be forgotten.
    if (only_ && same != nullptr && same->life->id != *only_) {
      const auto before = previous_->files.find(same->life->id);
      if (before != previous_->files.end()) return before->second;
    }
    return look_at(credential_files(service));
  }

  // What `previous` has under a name, or null.
  [[nodiscard]] const ServiceHandle* known(const std::string& name) const {
    const auto found = known_.find(name);
    return found == known_.end() ? nullptr : found->second;
  }

  [[nodiscard]] const ServiceHandle* unchanged(const config::Service& service,
                                               const FileIdentities& files) const {
    const ServiceHandle* same = known(service.name);
    return same != nullptr && same->settings() == service && has_same_files(service, files)
               ? same
               : nullptr;
  }

  // Whether credentials that were loaded for the same settings are what would be loaded now: a
  // context that stays keeps its tickets. Nobody can look at a token without loading from it.
  [[nodiscard]] bool has_same_files(const config::Service& service,
                                    const FileIdentities& files) const {
    const ServiceHandle* same = known(service.name);
    if (same == nullptr) return false;
    const bool is_asked_for = !only_ || same->life->id == *only_;
    if (is_asked_for && (is_on_token(service.tls) || is_on_token(service.health.tls))) return false;
    const auto before = previous_->files.find(same->life->id);
    return before != previous_->files.end() && before->second == files;
  }

  static bool is_on_token(const std::optional<config::Tls>& tls) {
    return tls && (tls->cert.starts_with("pkcs11:") || tls->key.starts_with("pkcs11:"));
  }

  void keep_warnings(const std::string& service, std::string_view beginning) {
    const auto [begin, end] = known_warnings_.equal_range(service);
    for (auto each = begin; each != end; ++each) {
      if (each->second->text.starts_with(beginning)) warnings_.push_back(*each->second);
    }
  }

  std::shared_ptr<ServiceLife> life_of(const std::string& name) {
    if (const ServiceHandle* same = known(name)) return same->life;
    return std::make_shared<ServiceLife>(++snapshot_->last_id, name);
  }

  const tls::Context::Purpose purpose_;
  const Snapshot* const previous_;
  const std::optional<ServiceId> only_;
  tls::Context::Shared shared_;
  // Of `previous_`, by the service's name; a service's warnings in their order.
  std::unordered_map<std::string_view, const ServiceHandle*> known_;
  std::multimap<std::string_view, const Warning*> known_warnings_;
  std::unique_ptr<Snapshot> snapshot_;
  std::vector<LoadProblem> problems_;
  std::vector<Warning> warnings_;
};

}  // namespace

const ServiceHandle* find(const Snapshot& snapshot, ServiceId service) {
  const auto found =
      std::find_if(snapshot.services.begin(), snapshot.services.end(),
                   [&](const ServiceHandle& each) { return each.life->id == service; });
  return found == snapshot.services.end() ? nullptr : &*found;
}

std::string hash_of(const config::Config& config) {
  config::Config nameless = config;
  // The same text at another place is the same configuration.
  nameless.path.clear();
  const auto print = x509::Fingerprinter().add(config::print(nameless)).finish();
  return print ? "sha256:" + hex(as_text(*print)) : "";
}

void report(config::Document& document, const std::vector<LoadProblem>& problems) {
  for (const LoadProblem& problem : problems) {
    document.problem(problem.service, problem.key, problem.index, problem.text, problem.hint);
  }
}

Prepared prepare(const config::Config& config, tls::Context::Purpose purpose,
                 const Snapshot* previous, std::optional<ServiceId> only) {
  Preparation preparation(config, purpose, previous, only);
  for (const config::Service& service : config.services) preparation.add(service);
  return preparation.finish(config);
}

}  // namespace tunnel::runtime
