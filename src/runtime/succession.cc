// SPDX-License-Identifier: MIT
#include "runtime/succession.h"

#include <unistd.h>

#include <utility>

#include "base/text.h"

namespace tunnel::runtime {

Succession::Succession(uv::Loop& loop, log::Log& log, Settings settings, Owner owner)
    : loop_(loop), log_(log), settings_(std::move(settings)), owner_(std::move(owner)) {}

Succession::~Succession() = default;

// What would go wrong however good the new program is; empty: nothing.
std::string Succession::obstacle() const {
  if (upgrade_ || is_wanted_) {
    return "an upgrade is under way" +
           (upgrade_ ? ", with process " + std::to_string(upgrade_->pid()) : "");
  }
  if (::getpid() == 1) return "this is process 1, whose end is that of its container";
  if (settings_.followed_by.empty()) return "";
  return settings_.followed_by +
         " follows the process that it has started, and would start another one when this "
         "one ends; restart the service instead";
}

void Succession::want(const std::string& owners_obstacle) {
  const std::string why = owners_obstacle.empty() ? obstacle() : owners_obstacle;
  if (!why.empty()) return refuse({Upgrade::Failure::refused, why});
  is_wanted_ = true;
}

// Called when no reload is under way. From start() until an event, the other process may own the
// pid file, so every way that ends without it takes the file back.
void Succession::begin() {
  is_wanted_ = false;
  if (!settings_.program) {
    refuse({Upgrade::Failure::not_started, settings_.program.error().text});
    return owner_.on_over();
  }
  upgrade_ = std::make_unique<Upgrade>(
      loop_,
      Upgrade::Events{[this](pid_t pid, const std::string& said) { on_ready(pid, said); },
                      [this](const Upgrade::Failed& failed) { on_failed(failed); }},
      settings_.launcher);
  if (auto started = upgrade_->start(*settings_.program, owner_.handed()); !started) {
    upgrade_.reset();
    refuse({Upgrade::Failure::not_started, started.error().text});
    return owner_.on_over();
  }
  log_.info({}, "SIGUSR2: started " + printable(settings_.program->path, 4096) + " as process " +
                    std::to_string(upgrade_->pid()) + " to take over");
}

void Succession::abandon() {
  // In this order: destroying the Upgrade waits for the end of the process, which could write the
  // file until then.
  if (std::exchange(upgrade_, nullptr)) (void)settings_.take_back();
}

// The other process waits for us to leave clients to it.
void Succession::on_ready(pid_t pid, const std::string& said) {
  if (!said.empty()) log_.warning({}, "the new process said: " + printable(said, 4096));
  owner_.on_succeeded(pid);
  // Closes the socket at which the other process waits, and it begins to accept.
  return upgrade_->finish();
}

void Succession::on_failed(const Upgrade::Failed& failed) {
  upgrade_.reset();
  refuse({failed.why, failed.text + settings_.take_back()});
  return owner_.on_over();
}

void Succession::refuse(const Upgrade::Failed& failed) {
  log_.write(log::Level::error, log::Event::notice, {},
             "no upgrade, this process goes on as it is: " + failed.text,
             {{"kind", word(failed.why)}});
  return owner_.on_refused(failed.text);
}

}  // namespace tunnel::runtime
