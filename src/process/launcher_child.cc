// SPDX-License-Identifier: MIT
#include "process/launcher_child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "base/argv.h"
#include "base/fd.h"
#include "process/pass_descriptors.h"
#include "process/passed_sockets.h"

namespace tunnel::process::launcher {
namespace {

constexpr std::size_t kLargest = 65536;

// Why a new process has not become the program.
struct Verdict {
  Answer::What what = Answer::What::not_started;
  int error = 0;
};

// The launcher's life: orders until its parent has gone.
class Life {
 public:
  Life(int socket, const Program& program) : socket_(socket), program_(program) {
    sigset_t child;
    (void)::sigemptyset(&child);
    (void)::sigaddset(&child, SIGCHLD);
    // SIGCHLD is blocked with all others in live(), so it waits here to be read.
    children_ = Fd(::signalfd(-1, &child, SFD_CLOEXEC));
  }

  [[noreturn]] void run() {
    for (;;) {
      std::array<pollfd, 2> wait{{{.fd = socket_, .events = POLLIN, .revents = 0},
                                  {.fd = children_.get(), .events = POLLIN, .revents = 0}}};
      if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) ::_exit(1);
      if (wait[1].revents != 0) reap();
      if (wait[0].revents != 0 && !obey()) ::_exit(0);
    }
  }

 private:
  // False: the parent has gone.
  bool obey() {
    auto received = receive_descriptors(socket_, kLargest);
    if (!received) return errno == EINTR;
    const std::string& text = received->message;
    if (text.empty()) return false;
    const Order order = static_cast<Order>(text.front());
    if (order == Order::take && text.size() == 1) {
      // The first part of an order. One that was broken off has left its own behind.
      names_.clear();
      descriptors_.clear();
      is_cut_ = false;
    }
    is_cut_ = is_cut_ || received->is_cut;
    for (Fd& each : received->descriptors) descriptors_.push_back(std::move(each));
    switch (order) {
      case Order::take:
        names_.push_back(text.substr(1));
        break;
      case Order::launch:
        ++round_;
        launch();
        descriptors_.clear();
        break;
      case Order::kill:
        if (pid_ > 0) (void)::kill(pid_, SIGKILL);
        break;
    }
    return true;
  }

  // The names only: what they are for has its number by now.
  [[nodiscard]] std::vector<Handed> handed() const {
    std::vector<Handed> result;
    for (const std::string& names : names_) {
      for (std::size_t at = 0; at < names.size();) {
        const std::size_t end = std::min(names.find('\0', at), names.size());
        result.push_back({names.substr(at, end - at), -1});
        at = end + 1;
      }
    }
    return result;
  }

  void launch() {
    if (is_cut_) return answer(Answer::What::not_started, EMFILE);
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) return answer(Answer::What::not_started, errno);
    const Fd verdict(pipe[0]);
    Fd its_verdict(pipe[1]);
    const std::vector<std::string> environment = handed_environment(handed());
    const pid_t child = ::fork();
    if (child == 0) become(environment, its_verdict.get());
    its_verdict.reset();
    if (child < 0) return answer(Answer::What::not_started, errno);
    Verdict why;
    // A good execve closes the other end, which is close-on-exec: end of file means that the
    // program runs.
    if (::read(verdict.get(), &why, sizeof why) == sizeof why) {
      (void)::waitpid(child, nullptr, 0);
      return answer(why.what, why.error);
    }
    pid_ = child;
    return answer(Answer::What::started, 0);
  }

  // Between fork and execve a process of several threads may call next to nothing. The launcher has
  // one thread, so memory may be allocated here.
  [[noreturn]] void become(const std::vector<std::string>& environment, int verdict) {
    // Out of the way first: sources may have the numbers that others are to have.
    const int count = static_cast<int>(descriptors_.size());
    verdict = ::fcntl(verdict, F_DUPFD_CLOEXEC, count);
    std::vector<int> sources;
    for (const Fd& each : descriptors_) {
      sources.push_back(::fcntl(each.get(), F_DUPFD_CLOEXEC, count));
    }
    const auto fail = [verdict](Answer::What what) {
      const Verdict why{what, errno};
      (void)!::write(verdict, &why, sizeof why);
      ::_exit(127);
    };
    // Without us nobody could end it, should it not be wanted; it gives that up when it serves.
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (::chdir(program_.folder.c_str()) != 0) fail(Answer::What::no_folder);
    bool is_good = true;
    for (int i = 0; is_good && i < count; ++i) {
      is_good = ::dup2(sources[static_cast<std::size_t>(i)], i) == i;
    }
    // execve keeps what is ignored and what is blocked, and the new process is to begin like the
    // first.
    for (int number = 1; number < NSIG; ++number) (void)::signal(number, SIG_DFL);
    sigset_t none;
    (void)::sigemptyset(&none);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
    const std::vector<char*> arguments = argv_of(program_.arguments);
    if (is_good) {
      (void)::execve(program_.path.c_str(), arguments.data(), argv_of(environment).data());
    }
    fail(Answer::What::not_started);
    ::_exit(127);
  }

  void reap() {
    signalfd_siginfo ignored{};
    (void)!::read(children_.get(), &ignored, sizeof ignored);
    int status = 0;
    // Signals of one number do not queue: one may stand for several children.
    while (const pid_t child = ::waitpid(-1, &status, WNOHANG)) {
      if (child < 0) return;
      if (child == pid_) answer(Answer::What::ended, status);
      if (child == pid_) pid_ = 0;
    }
  }

  void answer(Answer::What what, int value) {
    const Answer answer{.what = what, .pid = pid_, .value = value, .round = round_};
    (void)::send(socket_, &answer, sizeof answer, MSG_NOSIGNAL);
  }

  const int socket_;
  const Program& program_;
  Fd children_;
  std::vector<Fd> descriptors_;
  std::vector<std::string> names_;
  bool is_cut_ = false;  // descriptors were lost on the way
  pid_t pid_ = 0;
  int round_ = 0;
};

void close_above(int last) {
  if (::close_range(static_cast<unsigned>(last) + 1, ~0U, 0) == 0) return;
  rlimit limit{};  // before Linux 5.9
  (void)::getrlimit(RLIMIT_NOFILE, &limit);
  const int end = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 1 << 20));
  for (int fd = last + 1; fd < end; ++fd) (void)::close(fd);
}

}  // namespace

// Nothing of the parent's stays open here: not its listeners, nor what somebody waits on.
[[noreturn]] void live(int socket, const Program& program, const Identity& identity) {
  // A stop is the parent's to hear of; its end is ours.
  sigset_t all;
  (void)::sigfillset(&all);
  (void)::sigprocmask(SIG_SETMASK, &all, nullptr);
  constexpr int kSocket = 3;
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int standard : {0, 1, 2}) (void)::dup2(null, standard);
  const int moved = socket == kSocket ? socket : ::dup2(socket, kSocket);
  (void)::fcntl(kSocket, F_SETFD, FD_CLOEXEC);
  close_above(kSocket);
  if (moved < 0 || !assume(identity)) ::_exit(1);
  // It is outside of the sandbox and runs as the user of the process inside, which must not attach
  // to it (ptrace(2)).
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (::chdir("/") != 0) ::_exit(1);
  Life(kSocket, program).run();
}

}  // namespace tunnel::process::launcher
