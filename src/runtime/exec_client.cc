// SPDX-License-Identifier: MIT
#include "runtime/exec_client.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/text.h"

namespace tunnel::runtime {

ExecClient::ExecClient(uv::Loop& loop, log::Log& log, ServiceHandle service, Owner owner)
    : loop_(loop),
      log_(log),
      service_(std::move(service)),
      owner_(std::move(owner)),
      retry_(loop, [this] { start(); }),
      grace_(loop, [this] { terminate(); }) {}

ExecClient::~ExecClient() = default;

void ExecClient::start() {
  loop_.assert_here();
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    log_.error({settings().name},
               "cannot run " + settings().exec + ": no pair of sockets: " + std::strerror(errno));
    return go_on_if_over();
  }
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  // Ours alone: programs expect their standard input and output to block.
  (void)::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  auto process = uv::Process::start(
      loop_,
      {settings().exec, settings().exec_name.empty() ? settings().exec : settings().exec_name,
       settings().exec_args},
      std::move(theirs), [this](uv::Process::Ended ended) { on_ended(ended); });
  if (!process) {
    log_.error({settings().name}, process.error().text);
    return go_on_if_over();
  }
  process_ = std::move(*process);
  has_connection_ = true;
  log_.info({settings().name},
            "running " + settings().exec + " as process " + std::to_string(process_->pid()));
  return owner_.on_client(service_, std::move(ours));
}

void ExecClient::on_ended(uv::Process::Ended ended) {
  process_.reset();
  grace_.stop();
  const std::string how = ended.signal != 0
                              ? "was killed by signal " + std::to_string(ended.signal) + " (" +
                                    ::strsignal(ended.signal) + ")"
                              : "ended with status " + std::to_string(ended.status);
  const bool is_good = ended.signal == 0 && ended.status == 0;
  log_.write(is_good ? log::Level::info : log::Level::warning, log::Event::notice,
             {settings().name}, settings().exec + " " + how);
  return go_on_if_over();
}

// After an orderly end the program may take its time with what it got. After a failure it could not
// tell the difference (a unix socket has no reset): a signal tells it, unless it leaves by
// itself.
void ExecClient::connection_gone(Connection how) {
  loop_.assert_here();
  has_connection_ = false;
  if (process_ && is_stopping_) process_->kill(SIGTERM);
  if (process_ && how == Connection::failed) grace_.start(kGrace);
  return go_on_if_over();
}

// The program and its connection end in either order, and each end comes here. A failed start does,
// too: it is over at once, and `retry` tries it again.
void ExecClient::go_on_if_over() {
  if (!is_over()) return;
  if (is_stopping_) return owner_.on_over();
  if (std::exchange(is_wanted_again_, false)) return start();
  if (settings().retry) return retry_.start(*settings().retry);
  log_.info({settings().name}, "the service has finished: " + settings().exec +
                                   " is run once, because `retry` is off");
}

void ExecClient::use(ServiceHandle service) {
  loop_.assert_here();
  service_ = std::move(service);
  if (!std::exchange(is_stopping_, false)) return;
  if (is_over()) return start();
  is_wanted_again_ = true;
}

void ExecClient::stop() {
  loop_.assert_here();
  is_stopping_ = true;
  is_wanted_again_ = false;
  retry_.stop();
  // While it has its connection it may finish what it does: connection_gone() sends the signal
  // then.
  if (process_ && !has_connection_) process_->kill(SIGTERM);
}

void ExecClient::terminate() {
  loop_.assert_here();
  if (process_) process_->kill(SIGTERM);
}

}  // namespace tunnel::runtime
