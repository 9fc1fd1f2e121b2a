// SPDX-License-Identifier: MIT
#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "poller.h"
#include "protocol.h"

namespace load {
namespace {

double seconds() {
  timespec now{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The other side of this conversation measures between the two.
void wait_for_start() {
  (void)std::puts("ready");
  (void)std::fflush(stdout);
  char line[16];
  if (std::fgets(line, sizeof line, stdin) == nullptr) std::exit(0);
}

void wait_for_end() {
  (void)std::fflush(stdout);
  char line[16];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
  }
}

// A socket that connects, or has connected, without blocking.
int open_socket(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  const int on = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 &&
      errno != EINPROGRESS)
    die("connect");
  return fd;
}

// Requests of kEchoSize bytes, each with a number of its own, and the check of what comes back.
class Caller {
 public:
  Caller(std::uint16_t port, Poller& poller) : fd_(open_socket(port)), poller_(poller) {
    poller_.add(fd_, EPOLLOUT, this);
  }
  ~Caller() { (void)::close(fd_); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  void ask(std::uint64_t number) {
    const Header header{.wish = Header::Wish::echo, .size = kEchoSize};
    std::memcpy(request_.data(), &header, sizeof header);
    std::memcpy(request_.data() + sizeof header, &number, sizeof number);
    for (std::size_t i = sizeof header + sizeof number; i < request_.size(); ++i)
      request_[i] = static_cast<char>(number + i);
    got_ = 0;
    is_asked_ = true;
    if (is_connected_) send();
  }

  // True when the answer is complete.
  bool on_ready(std::uint32_t events) {
    if (!is_connected_) {
      int error = 0;
      socklen_t size = sizeof error;
      (void)::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
      errno = error;
      if (error != 0 || (events & EPOLLERR) != 0) die("connect");
      is_connected_ = true;
      poller_.change(fd_, EPOLLIN, this);
      if (is_asked_) send();
      return false;
    }
    std::array<char, kEchoSize + 1> answer;  // one more: nothing may come behind it
    const ssize_t count = ::recv(fd_, answer.data(), answer.size() - got_, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count < 0) die("a connection broke while it waited for an answer");
    if (count == 0) refuse("a connection ended without an answer");
    const auto size = static_cast<std::size_t>(count);
    if (!is_asked_ || got_ + size > kEchoSize) refuse("more came than was asked for");
    if (std::memcmp(answer.data(), request_.data() + got_, size) != 0)
      refuse("an answer is not what was asked for");
    got_ += size;
    if (got_ < kEchoSize) return false;
    is_asked_ = false;
    return true;
  }

 private:
  void send() {
    if (::send(fd_, request_.data(), request_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request_.size()))
      die("a request could not be sent");
  }

  int fd_;
  Poller& poller_;
  bool is_connected_ = false;
  bool is_asked_ = false;
  std::size_t got_ = 0;
  std::array<char, kEchoSize> request_{};
};

// One stream of the pattern, either way.
class Stream {
 public:
  Stream(std::uint16_t port, Header::Wish wish, std::uint64_t size, Poller& poller,
         const Pattern& pattern)
      : fd_(open_socket(port)), size_(size), is_up_(wish == Header::Wish::up), pattern_(pattern) {
    pollfd connected{fd_, POLLOUT, 0};
    if (::poll(&connected, 1, Poller::kPatienceMillis) <= 0) die("connect");
    const Header header{.wish = wish, .size = size};
    if (::send(fd_, &header, sizeof header, MSG_NOSIGNAL) != sizeof header) die("send");
    poller.add(fd_, is_up_ ? EPOLLOUT : EPOLLIN, this);
    poller_ = &poller;
  }
  ~Stream() { (void)::close(fd_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // True when it is complete.
  bool on_ready(std::string& scratch) {
    if (is_up_ && at_ < size_) return send();
    return is_up_ ? take_answer() : take(scratch);
  }

 private:
  bool send() {
    const std::string_view next = pattern_.at(at_, size_ - at_);
    const ssize_t count = ::send(fd_, next.data(), next.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) die("a stream broke");
    if (count > 0) at_ += static_cast<std::uint64_t>(count);
    if (at_ == size_) poller_->change(fd_, EPOLLIN, this);
    return false;
  }
  bool take_answer() {
    Header answer;
    const ssize_t count = ::recv(fd_, &answer, sizeof answer, 0);
    if (count != sizeof answer) die("a stream ended without the server's answer");
    if (answer.wish != Header::Wish::taken || answer.size != size_)
      refuse("the server did not get what was sent");
    return true;
  }
  bool take(std::string& scratch) {
    const ssize_t count = ::recv(fd_, scratch.data(), scratch.size(), 0);
    if (count < 0 && errno == EAGAIN) return false;
    if (count < 0) die("a stream broke");
    if (count == 0) refuse("a stream ended early");
    const std::string_view got(scratch.data(), static_cast<std::size_t>(count));
    if (at_ + got.size() > size_ || !pattern_.matches(at_, got)) refuse("a stream was spoilt");
    at_ += got.size();
    return at_ == size_;
  }

  int fd_;
  std::uint64_t size_;
  std::uint64_t at_ = 0;
  bool is_up_;
  const Pattern& pattern_;
  Poller* poller_ = nullptr;
};

void stream(const Plan& plan, Header::Wish wish) {
  const Pattern pattern;
  Poller poller;
  std::string scratch(kChunk, '\0');
  wait_for_start();
  const double begin = seconds();
  std::vector<std::unique_ptr<Stream>> streams;
  for (std::uint64_t i = 0; i < plan.connections; ++i)
    streams.push_back(std::make_unique<Stream>(plan.port, wish, plan.count, poller, pattern));
  for (std::uint64_t complete = 0; complete < plan.connections;) {
    poller.wait([&](void* what, std::uint32_t) {
      const auto found = std::ranges::find_if(
          streams, [what](const auto& stream) { return stream.get() == what; });
      if (!(*found)->on_ready(scratch)) return;
      ++complete;
      found->reset();
    });
  }
  (void)std::printf("{\"bytes\": %llu, \"seconds\": %.6f}\n",
                    static_cast<unsigned long long>(plan.count * plan.connections),
                    seconds() - begin);
  wait_for_end();
}

}  // namespace

void stream_down(const Plan& plan) { return stream(plan, Header::Wish::down); }
void stream_up(const Plan& plan) { return stream(plan, Header::Wish::up); }

void connect_often(const Plan& plan) {
  Poller poller;
  wait_for_start();
  const double begin = seconds();
  std::uint64_t begun = 0;
  std::uint64_t complete = 0;
  const auto next = [&] {
    if (begun < plan.count) (new Caller(plan.port, poller))->ask(begun++);
  };
  while (begun < std::min(plan.count, plan.connections)) next();
  while (complete < plan.count) {
    poller.wait([&](void* what, std::uint32_t events) {
      auto* caller = static_cast<Caller*>(what);
      if (!caller->on_ready(events)) return;
      delete caller;
      ++complete;
      next();
    });
  }
  (void)std::printf("{\"connections\": %llu, \"seconds\": %.6f}\n",
                    static_cast<unsigned long long>(complete), seconds() - begin);
  wait_for_end();
}

void request_often(const Plan& plan) {
  Poller poller;
  std::vector<std::unique_ptr<Caller>> callers;
  // Every connection is used once before the start, few at a time: the whole way is there then.
  constexpr std::uint64_t kOpeningAtOnce = 32;
  std::uint64_t open = 0;
  const auto open_next = [&] {
    if (callers.size() == plan.connections) return;
    callers.push_back(std::make_unique<Caller>(plan.port, poller));
    callers.back()->ask(0);
  };
  for (std::uint64_t i = 0; i < kOpeningAtOnce; ++i) open_next();
  while (open < plan.connections) {
    poller.wait([&](void* what, std::uint32_t events) {
      if (!static_cast<Caller*>(what)->on_ready(events)) return;
      ++open;
      open_next();
    });
  }
  wait_for_start();
  const double begin = seconds();
  std::uint64_t asked = 0;
  std::uint64_t complete = 0;
  std::size_t turn = 0;
  const auto next = [&] {
    if (asked == plan.count) return;
    callers[turn]->ask(++asked);
    turn = (turn + 1) % callers.size();
  };
  const std::uint64_t in_flight = std::min(plan.in_flight, plan.connections);
  // All in turn: with fewer in flight than connections, an answered one waits until it is its turn
  // again. Answers of one round may overtake one another, so rounds do not overlap.
  std::uint64_t round_end = 0;
  while (complete < plan.count) {
    if (complete == round_end) {
      round_end = std::min(plan.count, complete + in_flight);
      while (asked < round_end) next();
    }
    poller.wait([&](void* what, std::uint32_t events) {
      if (static_cast<Caller*>(what)->on_ready(events)) ++complete;
    });
  }
  (void)std::printf("{\"requests\": %llu, \"seconds\": %.6f}\n",
                    static_cast<unsigned long long>(complete), seconds() - begin);
  wait_for_end();
}

void request_slowly(const Plan& plan) {
  Poller poller;
  Caller caller(plan.port, poller);
  const auto ask = [&](std::uint64_t number) {
    caller.ask(number);
    bool is_answered = false;
    while (!is_answered)
      poller.wait([&](void*, std::uint32_t events) { is_answered = caller.on_ready(events); });
  };
  for (std::uint64_t i = 0; i < 100; ++i) ask(i);
  wait_for_start();
  std::vector<double> taken;
  for (std::uint64_t i = 0; i < plan.count; ++i) {
    const double begin = seconds();
    ask(i);
    taken.push_back(seconds() - begin);
  }
  std::ranges::sort(taken);
  const auto at = [&](std::size_t percent) {
    return taken[std::min(taken.size() - 1, taken.size() * percent / 100)] * 1e6;
  };
  (void)std::printf("{\"requests\": %llu, \"p50_us\": %.2f, \"p99_us\": %.2f}\n",
                    static_cast<unsigned long long>(plan.count), at(50), at(99));
  wait_for_end();
}

}  // namespace load
