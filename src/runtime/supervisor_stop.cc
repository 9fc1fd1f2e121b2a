// SPDX-License-Identifier: MIT
// The Supervisor's part that ends: in order, when the last connection has gone, or at once.
#include <signal.h>

#include <cstdint>
#include <string>
#include <utility>

#include "base/text.h"
#include "runtime/supervisor.h"

namespace tunnel::runtime {

void Supervisor::on_signal(int number) {
  switch (number) {
    case SIGTERM:
      return on_stop_signal("SIGTERM");
    case SIGINT:
      return on_stop_signal("SIGINT");
    case SIGQUIT:  // stunnel's, and that of supervisors that speak to nginx
      return on_stop_signal("SIGQUIT");
    case SIGHUP:
      return on_reload_signal();
    case SIGUSR2:
      return on_upgrade_signal();
    default:
      return log_.reopen();
  }
}

// The first signal ends in order, the second at once.
void Supervisor::on_stop_signal(const char* name) {
  if (std::exchange(is_succeeded_, false)) {
    // The first that it hears of: a manager stops the whole group, the successor too.
    const config::Timeout& timeout = snapshot_->global.shutdown_timeout;
    log_.info({}, std::string(name) + ": the connections of this process may still finish" +
                      (timeout ? " within " + format_duration(*timeout) : ""));
    if (timeout) stop_timer_.start(*timeout);
    return;
  }
  if (is_stopping_) return stop_now("a second signal came");
  succession_.abandon();
  return drain(name, store_.keeps_files() ? Successor::keeps : Successor::none);
}

// From here on there are three ways out: leave_if_empty() when the last connection has gone,
// stop_now() at the second signal, and stop_now() by the timer. Each of them comes by leave(),
// once.
void Supervisor::drain(const std::string& why, Successor successor) {
  is_stopping_ = true;
  credentials_.stop();
  reload_requests_.answer_waiting(not_reloaded());
  const bool is_alone = successor == Successor::none;
  // Those of the control and status sockets; the Acceptor is told below. A file goes with its
  // socket, and the next process, or the manager's store, has that socket too.
  if (!is_alone) leave_files();
  // The signal may have overtaken clients that came before it.
  acceptor_->stop(is_alone ? Acceptor::SocketFiles::remove : Acceptor::SocketFiles::leave);
  // Each worker reports a connection that goes, from here on; see leave_if_empty().
  is_gone_wanted_.store(true);
  const std::size_t left = connections_.load();
  const config::Timeout& timeout = snapshot_->global.shutdown_timeout;
  log_.write(log::Level::info, log::Event::draining, {},
             why + ": no new connections; " + count_of(left, "connection") + " may finish" +
                 (timeout ? " within " + format_duration(*timeout) : ""),
             {{"connections", std::uint64_t{left}}});
  // The service is not stopping when another process serves it.
  if (successor != Successor::serves) (void)notifier_.stopping();
  send_all([] { return ToWorker(StopInOrder{}); });
  programs_.stop_all();
  if (timeout) stop_timer_.start(*timeout);
  return leave_if_empty();
}

void Supervisor::on_gone(const ConnectionGone& gone) {
  if (stdio_) {
    if (!is_leaving_) stdio_->on_connection_gone(gone.outcome);
    return leave_if_stdio_over();
  }
  programs_.connection_gone(gone.service, gone.outcome.has_failed()
                                              ? ExecClient::Connection::failed
                                              : ExecClient::Connection::ended);
  if (is_stopping_) return leave_if_empty();
  return acceptor_->reconsider();
}

// A client that cannot be read or written any more is gone: its connection is reset.
void Supervisor::on_stdio_done(const std::string& error) {
  stdio_->on_done(error);
  if (!error.empty()) {
    if (connections_.load() > 0) return stop_now(error.c_str());
    log_.error({}, error);
  }
  return leave_if_stdio_over();
}

// The process ends with its one connection.
void Supervisor::leave_if_stdio_over() {
  if (stdio_->is_over()) return leave_if_empty();
}

void Supervisor::leave_if_empty() {
  // A worker counts down before it reports, so the last report finds zero here.
  if (connections_.load() > 0 || is_leaving_) return;
  if (stdio_ && !stdio_->is_over()) return;
  if (!programs_.are_over()) return;
  leave();
  send_all([] { return ToWorker(Leave{}); });
  return loop_.stop();
}

void Supervisor::stop_now(const char* why) {
  if (is_leaving_) return;
  has_reset_ = true;
  // First: what follows waits for threads, one of which may never come.
  sentry_->end_within(kReset);
  log_.warning(
      {}, std::string(why) + ": " + count_of(connections_.load(), "connection") + " will be reset");
  leave();
  programs_.terminate_all();
  send_all([] { return ToWorker(StopNow{}); });
  return loop_.stop();
}

// The loop turns no more: what still waits for an answer gets one now.
void Supervisor::leave() {
  is_leaving_ = true;
  stop_timer_.stop();
  administration_->on_leaving();
  reload_requests_.answer_current(not_reloaded());
}

int Supervisor::exit_status() const {
  return has_reset_ || (stdio_ && stdio_->has_failed()) ? 1 : 0;
}

void Supervisor::log_stopped() {
  std::uint64_t ended = 0;
  std::uint64_t failed = 0;
  for (const ServiceHandle& service : snapshot_->services) {
    ended += service.life->ended.load();
    failed += service.life->failed.load();
  }
  std::string text = "stopped: ";
  if (stdio_) {
    text += exit_status() == 0 ? "the connection ended in order"
                               : "the connection did not end in order";
  } else if (has_reset_) {
    text += "connections that were left were reset";
  } else if (ended == 0) {
    text += "there was no connection";
  } else if (failed == 0) {
    text += "every connection ended in order";
  } else {
    text += "no connection was left";
  }
  if (!stdio_ && failed > 0) {
    text += "; " + std::to_string(failed) + " of " + count_of(ended, "connection") +
            " had failed (see " + (failed == 1 ? "its closed line)" : "their closed lines)");
  }
  log_.write(
      log::Level::info, log::Event::stopped, {}, text,
      {{"exit_status", std::int64_t{exit_status()}}, {"connections", ended}, {"failed", failed}});
}

}  // namespace tunnel::runtime
