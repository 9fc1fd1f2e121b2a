// SPDX-License-Identifier: MIT
#include "runtime/stdio_client.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/thread.h"

namespace tunnel::runtime {
namespace {

constexpr std::size_t kBuffer = 65536;

struct stat status_of(int fd) {
  struct stat status {};
  (void)::fstat(fd, &status);
  return status;
}

bool is_same_socket(int one, int other) {
  const struct stat a = status_of(one);
  const struct stat b = status_of(other);
  return S_ISSOCK(a.st_mode) && S_ISSOCK(b.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int socket_option(int fd, int number) {
  int value = 0;
  socklen_t length = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, number, &value, &length) == 0 ? value : 0;
}

// Above the standard streams, whose numbers take() gives to /dev/null.
Fd copy_of(int fd) { return Fd(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)); }

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

// One direction: what was read and is not yet written.
struct Flow {
  std::vector<char> buffer = std::vector<char>(kBuffer);
  std::size_t begin = 0, end = 0;
  bool is_read_to_end = false;
  bool is_done = false;  // the end was passed on, too

  [[nodiscard]] bool wants_input() const { return begin == end && !is_read_to_end; }
  [[nodiscard]] bool has_output() const { return begin < end; }
};

// What the thread runs: both directions, one poll.
// A direction reads only when its buffer is empty, so each side is held up by the other and memory
// is bounded. Standard input and output stay in blocking mode, which they may share with a shell:
// they are touched only when poll(2) has said that it will not block.
class Mover {
 public:
  Mover(Fd& input, Fd& output, Fd& pair, int wake)
      : input_(input), output_(output), pair_(pair), wake_(wake) {
    const mode_t mode = status_of(output.get()).st_mode;
    is_socket_ = S_ISSOCK(mode);
    // A pipe that is ready takes this much without making us wait, in blocking mode, too.
    most_at_once_ = S_ISREG(mode) || is_socket_ ? kBuffer : PIPE_BUF;
  }

  // Why it could not go on; empty: all is done. Nothing when it was woken to end.
  std::optional<std::string> run() {
    while (!up_.is_done || !down_.is_done) {
      std::array<pollfd, 4> ready{{
          {up_.wants_input() ? input_.get() : -1, POLLIN, 0},
          {is_pair_watched() ? pair_.get() : -1, pair_events(), 0},
          {down_.has_output() ? output_.get() : -1, POLLOUT, 0},
          {wake_, POLLIN, 0},
      }};
      if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) {
        return failed("cannot wait for standard input");
      }
      if (ready[3].revents != 0) return std::nullopt;
      if (ready[0].revents != 0 && !read_input()) return failed("cannot read standard input");
      if (up_.has_output()) send_up();
      if (down_.wants_input()) receive_down();
      if (ready[2].revents != 0 && !write_output()) return failed("cannot write standard output");
      pass_ends_on();
      // The tunnel has closed its end: nobody reads any more what comes in.
      if (down_.is_done && (ready[1].revents & POLLHUP) != 0) up_.is_done = true;
    }
    return std::string();
  }

 private:
  static std::string failed(const char* what) {
    return std::string(what) + ": " + std::strerror(errno);
  }

  // A hangup is always told, and would not let us rest while standard output is slow. Without
  // anything to send or receive it is worth knowing only when just standard input is left.
  [[nodiscard]] bool is_pair_watched() const { return pair_events() != 0 || down_.is_done; }

  [[nodiscard]] short pair_events() const {
    int events = 0;
    if (up_.has_output()) events |= POLLOUT;
    if (down_.wants_input()) events |= POLLIN;
    return static_cast<short>(events);
  }

  bool read_input() {
    const ssize_t count = ::read(input_.get(), up_.buffer.data(), up_.buffer.size());
    if (count < 0) return would_block();
    up_.begin = 0;
    up_.end = static_cast<std::size_t>(count);
    up_.is_read_to_end = count == 0;
    return true;
  }

  // The tunnel's end may be gone: then there is nothing to send to, which is not an error.
  void send_up() {
    const ssize_t count = ::send(pair_.get(), up_.buffer.data() + up_.begin, up_.end - up_.begin,
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      up_.begin += static_cast<std::size_t>(count);
    } else if (!would_block()) {
      up_.begin = up_.end = 0;
      up_.is_read_to_end = true;
    }
  }

  void receive_down() {
    const ssize_t count =
        ::recv(pair_.get(), down_.buffer.data(), down_.buffer.size(), MSG_DONTWAIT);
    if (count < 0 && would_block()) return;
    down_.begin = 0;
    down_.end = count > 0 ? static_cast<std::size_t>(count) : 0;
    down_.is_read_to_end = count <= 0;
  }

  bool write_output() {
    const char* data = down_.buffer.data() + down_.begin;
    const std::size_t size = std::min(down_.end - down_.begin, most_at_once_);
    const ssize_t count = is_socket_
                              ? ::send(output_.get(), data, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                              : ::write(output_.get(), data, size);
    if (count < 0) return would_block();
    down_.begin += static_cast<std::size_t>(count);
    return true;
  }

  // An end is passed on behind the last byte, each way for itself.
  void pass_ends_on() {
    if (up_.is_read_to_end && !up_.has_output() && !up_.is_done) {
      up_.is_done = true;
      (void)::shutdown(pair_.get(), SHUT_WR);
    }
    if (down_.is_read_to_end && !down_.has_output() && !down_.is_done) {
      down_.is_done = true;
      // Others may hold the same socket, and the reader waits for the end all the same.
      if (is_socket_) (void)::shutdown(output_.get(), SHUT_WR);
      output_.reset();
    }
  }

  Fd& input_;
  Fd& output_;
  Fd& pair_;
  const int wake_;
  bool is_socket_ = false;
  std::size_t most_at_once_ = PIPE_BUF;
  Flow up_, down_;
};

}  // namespace

Result<std::unique_ptr<StdioClient>> StdioClient::take() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) {
    // Closed when the process began: then it was given an end that is of no use here.
    // See process::open_standard_streams().
    const int wrong_way = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) != wrong_way) continue;
    return failed(ErrorCode::invalid, fd == STDIN_FILENO ? "standard input is not open"
                                                         : "standard output is not open");
  }
  std::unique_ptr<StdioClient> stdio(new StdioClient());
  const bool is_one_socket = is_same_socket(STDIN_FILENO, STDOUT_FILENO) &&
                             socket_option(STDIN_FILENO, SO_TYPE) == SOCK_STREAM;
  stdio->is_stderr_taken_ =
      is_same_socket(STDIN_FILENO, STDERR_FILENO) || is_same_socket(STDOUT_FILENO, STDERR_FILENO);
  const auto taken = is_one_socket ? stdio->take_socket() : stdio->take_pair();
  if (!taken) return tl::make_unexpected(taken.error());
  // Nobody else may hold the client's descriptors, or it would never see them closed.
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) return failed(ErrorCode::system, "cannot open /dev/null", errno);
  (void)::dup2(null.get(), STDIN_FILENO);
  (void)::dup2(null.get(), STDOUT_FILENO);
  // Under inetd a message would go to the client, in the middle of its protocol.
  if (stdio->is_stderr_taken_) (void)::dup2(null.get(), STDERR_FILENO);
  return stdio;
}

Result<void> StdioClient::take_socket() {
  if (socket_option(STDIN_FILENO, SO_ACCEPTCONN) != 0) {
    return failed(ErrorCode::invalid,
                  "standard input is a listening socket, not a connection; use `nowait` in "
                  "inetd.conf, Accept=yes in a systemd socket unit");
  }
  client_ = copy_of(STDIN_FILENO);
  const int flags = ::fcntl(client_.get(), F_GETFL);
  if (!client_.valid() || flags < 0 || ::fcntl(client_.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return failed(ErrorCode::system, "cannot use the socket on standard input", errno);
  }
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* peer = reinterpret_cast<sockaddr*>(&storage);
  // A client that has gone already has no address any more; its family still counts.
  if (::getpeername(client_.get(), peer, &length) != 0) {
    length = sizeof storage;
    (void)::getsockname(client_.get(), peer, &length);
  }
  address_ = SocketAddress::from(peer, length);
  return {};
}

Result<void> StdioClient::take_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return failed(ErrorCode::system, "cannot make a pair of sockets", errno);
  }
  client_ = Fd(ends[0]);
  pair_ = Fd(ends[1]);
  (void)::fcntl(client_.get(), F_SETFL, O_NONBLOCK);
  input_ = copy_of(STDIN_FILENO);
  output_ = copy_of(STDOUT_FILENO);
  wake_ = Fd(::eventfd(0, EFD_CLOEXEC));
  if (!input_.valid() || !output_.valid() || !wake_.valid()) {
    return failed(ErrorCode::system, "cannot use standard input and output", errno);
  }
  // For the log: there is no address.
  address_ = *SocketAddress::unix_path("stdio");
  return {};
}

void StdioClient::start(std::function<void(std::string error)> on_done) {
  if (!pair_.valid()) return on_done({});
  auto thread = start_thread("stdio", [this, told = on_done] {
    // After a failure the pair stays open until the tunnel has reset its side: an end that it saw
    // would look like an orderly one.
    if (auto error = Mover(input_, output_, pair_, wake_.get()).run()) told(std::move(*error));
  });
  if (!thread) return on_done(thread.error().text);
  thread_ = std::move(*thread);
}

StdioClient::~StdioClient() { stop(); }

void StdioClient::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
  thread_.join();
}

}  // namespace tunnel::runtime
