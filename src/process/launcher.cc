// SPDX-License-Identifier: MIT
#include "process/launcher.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "base/text.h"
#include "process/launcher_child.h"
#include "process/pass_descriptors.h"

namespace tunnel::process {
namespace {

using launcher::Answer;
using launcher::Order;

constexpr int kPatienceMillis = 10'000;

// Within ten seconds. A loop that has watched the socket has made it non-blocking.
bool is_ready(int socket, short events) {
  pollfd wait{.fd = socket, .events = events, .revents = 0};
  int found = 0;
  do found = ::poll(&wait, 1, kPatienceMillis);
  while (found < 0 && errno == EINTR);
  return found > 0;
}

bool send(int socket, Order order, const std::string& text, const std::vector<int>& descriptors) {
  const std::string message = static_cast<char>(order) + text;
  for (;;) {
    const ssize_t sent = send_descriptors(socket, message, descriptors);
    if (sent >= 0) return sent == static_cast<ssize_t>(message.size());
    if (errno == EAGAIN && !is_ready(socket, POLLOUT)) return false;
    if (errno != EAGAIN && errno != EINTR) return false;
  }
}

}  // namespace

Result<std::unique_ptr<Launcher>> Launcher::start(const Program& program,
                                                  const Identity& identity) {
  int sockets[2];
  // SOCK_SEQPACKET: an order comes as one message with its descriptors, and the end of a process is
  // seen by the other one.
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
    return failed(ErrorCode::system, "socketpair", errno);
  }
  Fd ours(sockets[0]);
  const Fd theirs(sockets[1]);
  const pid_t child = ::fork();
  if (child < 0) return failed(ErrorCode::system, "fork", errno);
  if (child == 0) launcher::live(theirs.get(), program, identity);
  return std::unique_ptr<Launcher>(new Launcher(std::move(ours), program));
}

Result<pid_t> Launcher::launch(const std::vector<Handed>& handed, int standard_error) {
  const auto silent = [](const char* how) {
    return failed(ErrorCode::unavailable, std::string("the process that starts others ") + how +
                                              "; restart the service instead");
  };
  // An empty `take` begins an order: it makes the child forget one that was broken off.
  bool is_sent =
      send(socket_.get(), Order::take, "", {STDIN_FILENO, STDOUT_FILENO, standard_error});
  for (std::size_t at = 0; is_sent && at < handed.size(); at += kMostDescriptors) {
    std::string names;
    std::vector<int> descriptors;
    for (std::size_t i = at; i < std::min(at + kMostDescriptors, handed.size()); ++i) {
      names += handed[i].name + '\0';
      descriptors.push_back(handed[i].fd);
    }
    is_sent = send(socket_.get(), Order::take, names, descriptors);
  }
  if (!is_sent || !send(socket_.get(), Order::launch, "", {})) return silent("takes no orders");
  ++round_;
  // A fork and an execve. What an earlier order may have left to say is passed over.
  for (;;) {
    if (!is_ready(socket_.get(), POLLIN)) {
      kill();
      return silent("did not answer within 10s");
    }
    Answer answer;
    const ssize_t size = ::recv(socket_.get(), &answer, sizeof answer, 0);
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size != sizeof answer) return silent("has ended");
    if (answer.round != round_) continue;
    switch (answer.what) {
      case Answer::What::started:
        pid_ = answer.pid;
        return pid_;
      case Answer::What::no_folder:
        return failed(ErrorCode::system, "cannot enter " + printable(folder_, 4096), answer.value);
      case Answer::What::not_started:
        return failed(ErrorCode::system, "cannot run " + printable(path_, 4096), answer.value);
      case Answer::What::ended:
        break;
    }
  }
}

void Launcher::kill() { (void)send(socket_.get(), Order::kill, "", {}); }

void Launcher::kill_and_wait() {
  kill();
  while (!ended() && is_ready(socket_.get(), POLLIN)) {
  }
}

// Called whenever the socket is readable, whatever for: a loop watches it, and answers of earlier
// rounds may come first.
std::optional<Launcher::Ended> Launcher::ended() {
  Answer answer;
  ssize_t size = 0;
  while ((size = ::recv(socket_.get(), &answer, sizeof answer, MSG_DONTWAIT)) == sizeof answer) {
    // Of an earlier one, which was killed and not waited for.
    if (answer.what != Answer::What::ended || answer.pid != pid_) continue;
    const int status = answer.value;
    if (WIFSIGNALED(status)) return Ended{.status = 0, .signal = WTERMSIG(status)};
    return Ended{.status = WEXITSTATUS(status), .signal = 0};
  }
  const bool is_waiting = size < 0 && (errno == EAGAIN || errno == EINTR);
  return is_waiting ? std::nullopt : std::optional(Ended{.is_lost = true});
}

}  // namespace tunnel::process
