// SPDX-License-Identifier: MIT
#include "process/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

namespace tunnel::process {
namespace {

// The folder in which it was started is to be free for others: to be unmounted, say.
void leave_folder() { [[maybe_unused]] const int done = ::chdir("/"); }

// What goes through the pipe: one byte of exit status, then the error text until end of file.
// End of file at once: the daemon died.

// SIGPIPE may not be ignored yet, and a caller that was interrupted while waiting is no reason for
// the daemon to die.
void write_all(int fd, std::string_view text) {
  sigset_t pipe_signal;
  sigset_t before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  bool is_broken = false;
  while (!text.empty() && !is_broken) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n >= 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      is_broken = true;
    }
  }
  if (is_broken && !sigismember(&before, SIGPIPE)) {
    const timespec at_once{};
    (void)sigtimedwait(&pipe_signal, nullptr, &at_once);  // take the one that is pending
  }
  (void)pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

std::string read_until_end(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
    if (n == 0 || (n < 0 && errno != EINTR)) return text;
  }
}

int say_how_it_died(pid_t daemon) {
  int status = 0;
  while (::waitpid(daemon, &status, 0) < 0) {
    if (errno != EINTR) return 1;
  }
  std::string text = "tunnel: the daemon ended before it was ready";
  if (WIFSIGNALED(status)) {
    text += ": " + std::string(strsignal(WTERMSIG(status)));
  } else {
    text += " (exit status " + std::to_string(WEXITSTATUS(status)) + ")";
  }
  write_all(STDERR_FILENO, text + "\n");
  const bool has_own_status = WIFEXITED(status) && WEXITSTATUS(status) != 0;
  return has_own_status ? WEXITSTATUS(status) : 1;
}

int wait_for(pid_t daemon, int pipe) {
  std::string report = read_until_end(pipe);
  if (report.empty()) return say_how_it_died(daemon);
  const int status = static_cast<unsigned char>(report.front());
  report.erase(0, 1);
  if (!report.empty() && report.back() != '\n') report += '\n';
  write_all(STDERR_FILENO, report);
  return status;
}

void detach_streams() {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) return;  // a chroot without /dev: the streams stay as they are
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    (void)::dup2(null.get(), stream);
  }
}

}  // namespace

void Readiness::also_tell(int descriptor) {
  // A copy, so that a standard stream stays open.
  supervisor_ = Fd(::fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (descriptor > STDERR_FILENO) (void)::close(descriptor);
}

void Readiness::take_standard_error() {
  const Fd standard_error = std::move(predecessor_.standard_error);
  if (standard_error.valid()) (void)::dup2(standard_error.get(), STDERR_FILENO);
}

// Its answer is the end of the connection. It answers within a turn of its loop; should it stand
// still, there is nothing to wait for.
void Readiness::tell_predecessor() {
  constexpr int kPatienceMs = 5000;
  const Fd ready = std::move(predecessor_.ready);
  if (!ready.valid()) return;
  if (predecessor_.is_daemon) {
    leave_folder();
    detach_streams();
  }
  // From here on it must outlive the process that has started it.
  (void)::prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);  // see Launcher
  write_all(ready.get(), "\n");
  pollfd wait{.fd = ready.get(), .events = POLLIN, .revents = 0};
  (void)::poll(&wait, 1, kPatienceMs);
}

void Readiness::ready() {
  tell_predecessor();
  if (supervisor_.valid()) {
    write_all(supervisor_.get(), "\n");
    supervisor_.reset();
  }
  if (!pipe_.valid()) return;
  leave_folder();
  // Before the word: a caller that waits for the end of its output must not wait for ours.
  detach_streams();
  write_all(pipe_.get(), std::string_view("\0", 1));
  pipe_.reset();
}

void Readiness::failed(std::string_view text, int exit_status) {
  if (!pipe_.valid()) return;
  // The caller's process leaves with this status, as if there were no daemon.
  write_all(pipe_.get(), static_cast<char>(exit_status) + std::string(text));
  pipe_.reset();
}

std::string supervising_parent() {
  // The kernel cuts names at 15 characters, which leaves all of these whole.
  constexpr std::array<std::string_view, 7> kNames = {
      "runsv", "s6-supervise", "supervise", "supervisord", "perpd", "nosh", "dinit"};
  std::ifstream file("/proc/" + std::to_string(::getppid()) + "/comm");
  std::string name;
  std::getline(file, name);
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() ? name : "";
}

Result<Daemonized> daemonize() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return tunnel::failed(ErrorCode::system, "pipe", errno);
  Fd reading(ends[0]);
  Fd writing(ends[1]);

  const pid_t child = ::fork();
  if (child < 0) return tunnel::failed(ErrorCode::system, "fork", errno);
  if (child > 0) {
    writing.reset();
    return Daemonized{.exit_status = wait_for(child, reading.get()), .readiness = {}};
  }
  reading.reset();
  // One fork suffices: a session leader could gain a terminal by opening one, but every file is
  // opened with O_NOCTTY here; and so the caller is the parent, who learns how its child died.
  (void)::setsid();
  return Daemonized{.exit_status = std::nullopt, .readiness = Readiness(std::move(writing))};
}

}  // namespace tunnel::process
