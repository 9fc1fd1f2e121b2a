// SPDX-License-Identifier: MIT
#include "runtime/reloader.h"

#include <sched.h>

#include <utility>

#include "base/thread.h"

namespace tunnel::runtime {

Reloader::Reloader(Loader& loader, std::function<void(Done)> on_done)
    : loader_(loader), on_done_(std::move(on_done)) {}

Reloader::~Reloader() {
  if (thread_.joinable()) thread_.join();
}

void Reloader::finish() {
  // The message was the thread's last act, so there is nothing to wait for.
  if (thread_.joinable()) thread_.join();
  is_busy_ = false;
}

void Reloader::begin(Done none, std::function<Done()> job) {
  is_busy_ = true;
  auto thread = start_thread("reload", [this, job = std::move(job)] {
    // A socket file is bound under a mask for new files of its own, which neither a log file nor a
    // program that starts at the same moment may get. Not allowed everywhere: then there is a
    // moment in which they may.
    (void)::unshare(CLONE_FS);
    on_done_(job());
  });
  if (!thread) {
    none.build.problems.push_back(thread.error().text);
    return on_done_(std::move(none));
  }
  thread_ = std::move(*thread);
}

void Reloader::load_configuration(Loader::Previous previous) {
  return begin({.task = Task::configuration}, [this, previous = std::move(previous)] {
    return Done{.task = Task::configuration, .build = loader_.load_again(previous)};
  });
}

void Reloader::load_credentials(Loader::Previous previous, ServiceId service) {
  return begin({.task = Task::credentials, .service = service},
               [this, previous = std::move(previous), service] {
                 return Done{.task = Task::credentials,
                             .service = service,
                             .build = loader_.load_credentials(previous, service)};
               });
}

void Reloader::look(std::shared_ptr<const Snapshot> snapshot) {
  return begin({.task = Task::look}, [snapshot = std::move(snapshot)] {
    Done done{.task = Task::look};
    for (const ServiceHandle& service : snapshot->services) {
      done.found[service.life->id] = look_at(credential_files(service.settings()));
    }
    return done;
  });
}

}  // namespace tunnel::runtime
