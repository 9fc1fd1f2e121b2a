// SPDX-License-Identifier: MIT
#include "runtime/credential_watch.h"

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "tls/context.h"

namespace tunnel::runtime {
namespace {

// Between two looks at files that are being written, and before another try to look.
constexpr Millis kSecondLook{1'000};

tls::Context::Shown shown(const ServiceHandle& service) {
  if (service.config->tls) return service.config->tls->client_certificate();
  return service.config->check_tls ? service.config->check_tls->client_certificate()
                                   : tls::Context::Shown{};
}

}  // namespace

CredentialWatch::CredentialWatch(uv::Loop& loop, log::Log& log, Look look)
    : log_(log), look_(std::move(look)), failures_(loop), timer_(loop, [this] { on_timer(); }) {}

// A look makes a round through the owner: on_timer() asks for it, a thread looks, on_looked()
// judges. What is settled the owner takes by take_settled() and loads, one service at a time; then
// refused() logs why not, or taken() logs what, and use() begins anew with the files as they were
// loaded.
void CredentialWatch::use(const Snapshot& snapshot) {
  timer_.stop();
  auto before = std::exchange(watches_, {});
  for (const ServiceHandle& service : snapshot.services) {
    const ServiceId id = service.life->id;
    const auto files = snapshot.files.find(id);
    if (files == snapshot.files.end() || files->second.empty()) continue;
    // What waits to be loaded goes on waiting, for several services may have one new file; unless a
    // reload has loaded it already.
    const auto old = before.find(id);
    const bool waits = std::find(settled_.begin(), settled_.end(), id) != settled_.end();
    if (waits && old != before.end() && old->second.use(files->second)) {
      watches_.emplace(id, std::move(old->second));
    } else {
      watches_.emplace(id, FileWatch(files->second));
      std::erase(settled_, id);
    }
  }
  std::erase_if(settled_, [this](ServiceId id) { return !has(id); });
  period_ = snapshot.global.certificate_poll;
  if (period_ && !watches_.empty()) timer_.start(*period_);
}

void CredentialWatch::stop() {
  timer_.stop();
  period_.reset();
}

void CredentialWatch::on_timer() {
  // Refused while another job is under way. A look that has begun starts the timer again in
  // on_looked().
  if (!look_()) timer_.start(kSecondLook);
}

void CredentialWatch::on_looked(std::map<ServiceId, FileIdentities> found) {
  // stop() came while the files were being looked at.
  if (!period_) return;
  bool is_changing = false;
  for (auto& [id, files] : found) {
    const auto watch = watches_.find(id);
    if (watch == watches_.end()) continue;
    const FileWatch::Verdict verdict = watch->second.look(std::move(files));
    is_changing = is_changing || verdict == FileWatch::Verdict::changing;
    if (verdict == FileWatch::Verdict::settled) settled_.push_back(id);
  }
  // A change counts when two looks find the same, and the second one need not wait for a whole
  // period.
  timer_.start(is_changing ? std::min(*period_, kSecondLook) : *period_);
}

std::optional<ServiceId> CredentialWatch::take_settled() {
  if (settled_.empty()) return std::nullopt;
  const ServiceId service = settled_.front();
  settled_.pop_front();
  return service;
}

void CredentialWatch::refused(const ServiceHandle& service,
                              const std::vector<std::string>& problems) {
  service.life->files_refused.add();
  const std::string why = enumerated(problems, ", ");
  // Files that cannot be loaded are found settled at every look (see FileWatch), so this would be a
  // line in every period.
  const log::RateLimit::Verdict verdict = failures_.admit(why);
  if (!verdict.write) return;
  log_.warning({service.life->name},
               "changed credential files are not taken over, the old ones serve on: " + why,
               {{"repeats", verdict.suppressed}});
}

void CredentialWatch::taken(const ServiceHandle& before, const ServiceHandle& after) {
  before.life->files_taken.add();
  before.life->files_taken_at = static_cast<std::int64_t>(std::time(nullptr));
  const tls::Context::Shown was = shown(before);
  const tls::Context::Shown now = shown(after);
  std::string text = "changed credential files are in force";
  if (was.fingerprint != now.fingerprint) {
    text += ": the client certificate was " + was.fingerprint + " and is " + now.fingerprint +
            ", valid until " + now.not_after;
  }
  log_.write(log::Level::info, log::Event::certificates_reloaded, {before.life->name}, text,
             {{"old", std::string_view(was.fingerprint)},
              {"new", std::string_view(now.fingerprint)},
              {"not_after", std::string_view(now.not_after)}});
}

}  // namespace tunnel::runtime
