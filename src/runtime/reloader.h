// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <thread>

#include "runtime/loader.h"

namespace tunnel::runtime {

// Does what a reload reads and loads on a thread of its own: neither the accepting loop nor a
// worker waits for a disk or for a thousand keys. One job at a time. Owned by the Supervisor, on
// whose thread its methods are called.
class Reloader {
 public:
  enum class Task {
    configuration,  // everything is read again
    look,           // whether files of credentials have changed
    credentials,    // of one service
  };
  struct Done {
    Task task = Task::configuration;
    ServiceId service = 0;                        // Task::credentials
    Build build{};                                // but for Task::look
    std::map<ServiceId, FileIdentities> found{};  // Task::look
  };
  // `on_done` is called once for each job: on the thread, or at once where there can be no thread,
  // with a build that says so, or with no files found.
  Reloader(Loader& loader, std::function<void(Done)> on_done);
  ~Reloader();  // waits for the job
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  void load_configuration(Loader::Previous previous);
  void load_credentials(Loader::Previous previous, ServiceId service);
  void look(std::shared_ptr<const Snapshot> snapshot);
  // Between the start of a job and finish().
  [[nodiscard]] bool is_busy() const { return is_busy_; }
  // The job has said that it is done.
  void finish();

 private:
  // `none`: what is done without a thread.
  void begin(Done none, std::function<Done()> job);

  Loader& loader_;
  const std::function<void(Done)> on_done_;
  std::thread thread_;
  bool is_busy_ = false;
};

}  // namespace tunnel::runtime
