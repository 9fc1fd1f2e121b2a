// SPDX-License-Identifier: MIT
#include "runtime/upgrade.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/text.h"

namespace tunnel::runtime {
namespace {

// What of its words goes into our log.
constexpr std::size_t kMostSaid = 4096;

// Its last words, on one line.
std::string quoted(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "" : "; it said: " + printable(text, kMostSaid);
}

std::string how(uv::Process::Ended ended) {
  if (ended.signal != 0) return "was killed by signal " + std::to_string(ended.signal);
  return "ended with exit status " + std::to_string(ended.status);
}

}  // namespace

std::string_view word(Upgrade::Failure failure) {
  switch (failure) {
    case Upgrade::Failure::refused:
      return "upgrade_refused";
    case Upgrade::Failure::not_started:
      return "upgrade_not_started";
    case Upgrade::Failure::exited:
      return "upgrade_exited";
    case Upgrade::Failure::timeout:
      return "upgrade_timeout";
  }
  return "";
}

Upgrade::Upgrade(uv::Loop& loop, Events events, process::Launcher* launcher, Millis patience)
    : loop_(loop),
      events_(std::move(events)),
      launcher_(launcher),
      patience_(patience),
      timer_(loop, [this] { on_timeout(); }) {}

// Not by SIGTERM: an end in order would take the socket files along, which are ours. Until it has
// ended it may write the pid file, or take the end of `ready_` for the word that it is alone.
Upgrade::~Upgrade() {
  if (pid_ == 0 || is_ready_) return;
  if (launcher_ != nullptr) {
    launcher_->kill_and_wait();
    return;
  }
  process_->kill(SIGKILL);
  siginfo_t ended{};  // libuv is to reap it
  while (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
}

void Upgrade::kill() {
  if (launcher_ != nullptr) return launcher_->kill();
  process_->kill(SIGKILL);
}

// From here on three things may come: the line that says "ready", the end of the process (told by
// libuv, or by the launcher that has it for a child), and the deadline, which only kills and leaves
// the rest to that end. Whichever decides silences the others. Its standard error is read all the
// while, or a talkative process would stand still at a full pipe.
Result<void> Upgrade::start(const process::Program& program, std::vector<process::Handed> handed) {
  int sockets[2];
  int pipe[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    return failed(ErrorCode::system, "socketpair", errno);
  }
  ready_ = Fd(sockets[0]);
  // Ours alone: the new process waits at its end.
  (void)::fcntl(ready_.get(), F_SETFL, O_NONBLOCK);
  const Fd its_ready(sockets[1]);
  if (::pipe2(pipe, O_CLOEXEC) != 0) return failed(ErrorCode::system, "pipe", errno);
  said_ = Fd(pipe[0]);
  const Fd its_stderr(pipe[1]);
  (void)::fcntl(said_.get(), F_SETFL, O_NONBLOCK);

  handed.push_back({std::string(process::kHandedReady), its_ready.get()});
  // Its own standard error is the pipe at first, so that this process can log why it failed. It
  // takes ours when it serves.
  handed.push_back({std::string(process::kHandedStderr), STDERR_FILENO});
  const auto pid = launcher_ != nullptr ? launcher_->launch(handed, its_stderr.get())
                                        : start_here(program, handed, its_stderr.get());
  if (!pid) return tl::unexpected(pid.error());
  pid_ = *pid;
  if (launcher_ != nullptr) {
    launcher_watch_ = std::make_unique<uv::FdWatch>(loop_, launcher_->fd(),
                                                    [this](uv::FdWatch::Ready) { on_launcher(); });
    launcher_watch_->watch(uv::FdWatch::Read::yes, uv::FdWatch::Write::no);
  }
  ready_watch_ = std::make_unique<uv::FdWatch>(loop_, ready_.get(),
                                               [this](uv::FdWatch::Ready) { on_ready_socket(); });
  said_watch_ =
      std::make_unique<uv::FdWatch>(loop_, said_.get(), [this](uv::FdWatch::Ready) { on_said(); });
  ready_watch_->watch(uv::FdWatch::Read::yes, uv::FdWatch::Write::no);
  said_watch_->watch(uv::FdWatch::Read::yes, uv::FdWatch::Write::no);
  timer_.start(patience_);
  return {};
}

Result<pid_t> Upgrade::start_here(const process::Program& program,
                                  const std::vector<process::Handed>& handed, int standard_error) {
  std::vector<int> descriptors = {STDIN_FILENO, STDOUT_FILENO, standard_error};
  for (const process::Handed& each : handed) descriptors.push_back(each.fd);
  auto process =
      uv::Process::start(loop_,
                         {.path = program.path,
                          .name = program.arguments.front(),
                          .arguments = {program.arguments.begin() + 1, program.arguments.end()},
                          .environment = process::handed_environment(handed),
                          .folder = program.folder},
                         descriptors, [this](uv::Process::Ended ended) { on_ended(ended); });
  if (!process) return tl::unexpected(std::move(process).error());
  process_ = std::move(*process);
  return process_->pid();
}

void Upgrade::on_ready_socket() {
  char byte = 0;
  const ssize_t n = ::read(ready_.get(), &byte, 1);
  if (n < 0 && errno == EAGAIN) return;
  // At end of file its exit, or the deadline, will say more.
  ready_watch_->watch(uv::FdWatch::Read::no, uv::FdWatch::Write::no);
  if (n != 1) return;
  is_ready_ = true;
  timer_.stop();
  ready_watch_.reset();
  launcher_watch_.reset();
  // What it has said is in the pipe by now, though the loop may not have come to it.
  (void)read_said();
  said_watch_.reset();
  return events_.on_ready(pid_, text_);
}

void Upgrade::on_said() {
  if (read_said() == Said::all) said_watch_.reset();
}

Upgrade::Said Upgrade::read_said() {
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(said_.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 && errno == EAGAIN ? Said::so_far : Said::all;
    if (text_.size() < kMostSaid) text_.append(buffer, static_cast<std::size_t>(n));
  }
}

void Upgrade::on_launcher() {
  const auto ended = launcher_->ended();
  if (!ended) return;
  if (!ended->is_lost) return on_ended({ended->status, ended->signal});
  return fail({Failure::exited,
               "the process that starts others has ended, and the new one with it; restart the "
               "service instead"});
}

void Upgrade::on_ended(uv::Process::Ended ended) {
  if (is_ready_) return;
  if (is_late_) {
    return fail({Failure::timeout, "the new process was not ready within " +
                                       format_duration(patience_) + " and has been killed"});
  }
  return fail({Failure::exited, "the new process " + how(ended)});
}

void Upgrade::fail(const Failed& failed) {
  (void)read_said();
  process_.reset();
  launcher_watch_.reset();
  pid_ = 0;
  timer_.stop();
  ready_watch_.reset();
  said_watch_.reset();
  // The owner destroys this, and with it the function.
  const auto on_failed = events_.on_failed;
  return on_failed({failed.why, failed.text + quoted(text_)});
}

// Its end is waited for: the file and the sockets are ours again only then.
void Upgrade::on_timeout() {
  is_late_ = true;
  kill();
}

}  // namespace tunnel::runtime
