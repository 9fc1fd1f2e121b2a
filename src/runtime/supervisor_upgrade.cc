// SPDX-License-Identifier: MIT
// The Supervisor's part that has another process take over.
#include <unistd.h>

#include <utility>

#include "base/text.h"
#include "runtime/supervisor.h"

namespace tunnel::runtime {

// What would go wrong however good the new program is; empty: nothing.
std::string Supervisor::why_no_upgrade() const {
  if (stdio_ != nullptr) return "the one connection of this process is its standard input";
  if (is_stopping_) return "the process is stopping";
  if (upgrade_ || is_upgrade_wanted_) {
    return "an upgrade is under way" +
           (upgrade_ ? ", with process " + std::to_string(upgrade_->pid()) : "");
  }
  if (::getpid() == 1) return "this is process 1, whose end is that of its container";
  if (followed_by_.empty()) return "";
  return followed_by_ + " follows the process that it has started, and would start another one when this "
                  "one ends; restart the service instead";
}

void Supervisor::on_upgrade_signal() {
  if (const std::string why = why_no_upgrade(); !why.empty()) {
    return report({Upgrade::Failure::refused, why});
  }
  // A reload that is under way may yet bind listeners.
  is_upgrade_wanted_ = true;
  return begin_next_job();
}

void Supervisor::begin_upgrade() {
  is_upgrade_wanted_ = false;
  if (!program_) {
    report({Upgrade::Failure::not_started, program_.error().text});
    return begin_next_job();
  }
  std::vector<process::Handed> handed = handed_();
  for (Own& own : own_sockets()) handed.push_back(std::move(own.handed));
  upgrade_ = std::make_unique<Upgrade>(
      loop_, Upgrade::Events{[this](pid_t pid, const std::string& said) { on_upgraded(pid, said); },
                             [this](const Upgrade::Failed& failed) { on_upgrade_failed(failed); }},
      launcher_);
  if (auto started = upgrade_->start(*program_, std::move(handed)); !started) {
    upgrade_.reset();
    report({Upgrade::Failure::not_started, started.error().text});
    return begin_next_job();
  }
  log_.info({}, "SIGUSR2: started " + printable(program_->path, 4096) + " as process " +
                    std::to_string(upgrade_->pid()) + " to take over");
}

// The other process waits for us to leave clients to it.
void Supervisor::on_upgraded(pid_t pid, const std::string& said) {
  if (!said.empty()) log_.warning({}, "the new process said: " + printable(said, 4096));
  (void)notifier_.main_process(pid);
  administration_->take_no_more_clients();
  status_->stop();
  is_succeeded_ = true;
  drain("SIGUSR2: process " + std::to_string(pid) + " has taken over", Successor::serves);
  return upgrade_->finish();
}

void Supervisor::on_upgrade_failed(const Upgrade::Failed& failed) {
  upgrade_.reset();
  report({failed.why, failed.text + restore_()});
  return begin_next_job();
}

void Supervisor::report(const Upgrade::Failed& failed) {
  log_.write(log::Level::error, log::Event::notice, {},
             "no upgrade, this process goes on as it is: " + failed.text,
             {{"kind", word(failed.why)}});
  if (!is_stopping_) {
    (void)notifier_.status(serving() + "; no upgrade: " + printable(failed.text, 512));
  }
}

}  // namespace tunnel::runtime
