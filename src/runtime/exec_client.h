// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/fd.h"
#include "log/log.h"
#include "tunnel/service_life.h"
#include "uv/loop.h"
#include "uv/process.h"
#include "uv/timer.h"

namespace tunnel::runtime {

// The program of a service with `exec`: runs it, hands the other end of its standard input and
// output over as a client, and runs it again `retry` after both the program and its connection have
// ended. Supervisor's loop; owned by the Supervisor.
class ExecClient {
 public:
  // How long a program may stay after its connection has failed.
  static constexpr Millis kGrace{2000};

  struct Owner {
    std::function<void(const ServiceHandle& service, Fd client)> on_client;
    std::function<void()> on_over;  // after stop(): nothing runs any more
  };
  ExecClient(uv::Loop& loop, log::Log& log, ServiceHandle service, Owner owner);
  ~ExecClient();
  ExecClient(const ExecClient&) = delete;
  ExecClient& operator=(const ExecClient&) = delete;

  void start();
  enum class Connection { ended, failed };
  void connection_gone(Connection how);
  void stop();       // not again; SIGTERM as soon as its connection is over
  void terminate();  // SIGTERM now
  // From its next run on. One that was stopped runs again, once what runs has ended.
  void use(ServiceHandle service);
  [[nodiscard]] const ServiceHandle& service() const { return service_; }
  [[nodiscard]] bool is_over() const { return !process_ && !has_connection_; }

 private:
  void on_ended(uv::Process::Ended ended);
  void go_on_if_over();
  [[nodiscard]] const config::Service& settings() const { return service_.settings(); }

  uv::Loop& loop_;
  log::Log& log_;
  ServiceHandle service_;
  const Owner owner_;
  std::unique_ptr<uv::Process> process_;
  uv::Timer retry_;
  uv::Timer grace_;
  bool has_connection_ = false;
  bool is_stopping_ = false;
  bool is_wanted_again_ = false;  // stopped, and then not any more, while something still ran
};

}  // namespace tunnel::runtime
