// SPDX-License-Identifier: MIT
#include "server.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <memory>
#include <string>

#include "poller.h"
#include "protocol.h"

namespace load {
namespace {

// One connection of the TLS server's. It is closed, and with it the client's, when what comes is
// not what was agreed on.
class Served {
 public:
  Served(int fd, Poller& poller, const Pattern& pattern)
      : fd_(fd), poller_(poller), pattern_(pattern) {
    poller_.add(fd_, EPOLLIN, this);
  }
  ~Served() { (void)::close(fd_); }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  // False when it is over.
  bool on_ready(std::uint32_t events, std::string& scratch) {
    if ((events & EPOLLOUT) != 0) return send();
    const ssize_t count = ::recv(fd_, scratch.data(), scratch.size(), 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return false;
    std::string_view got(scratch.data(), static_cast<std::size_t>(count));
    while (!got.empty()) {
      if (header_.wish == Header::Wish::up && is_begun_) {
        if (!take(got)) return false;
        break;
      }
      const std::size_t size = std::min(got.size(), wanted() - message_.size());
      message_.append(got.substr(0, size));
      got.remove_prefix(size);
      if (message_.size() == wanted() && !begin()) return false;
    }
    return to_send_.empty() && to_stream_ == 0 ? true : send();
  }

 private:
  // The message's whole length as far as it is known.
  [[nodiscard]] std::size_t wanted() const {
    return is_begun_ && header_.wish == Header::Wish::echo ? static_cast<std::size_t>(header_.size)
                                                           : sizeof(Header);
  }

  bool begin() {
    if (is_begun_) {  // an echo is complete
      to_send_ += message_;
      message_.clear();
      is_begun_ = false;
      return true;
    }
    std::memcpy(&header_, message_.data(), sizeof header_);
    if (header_.magic != Header::kMagic) return false;
    is_begun_ = true;
    switch (header_.wish) {
      case Header::Wish::echo:
        return header_.size > sizeof(Header) && header_.size <= kChunk;
      case Header::Wish::down:
        to_stream_ = header_.size;
        break;
      case Header::Wish::up:
        break;
      default:
        return false;
    }
    offset_ = 0;
    message_.clear();
    if (header_.wish == Header::Wish::down) is_begun_ = false;
    return true;
  }

  bool take(std::string_view got) {
    const bool is_right = offset_ + got.size() <= header_.size && pattern_.matches(offset_, got);
    offset_ += got.size();
    if (is_right && offset_ < header_.size) return true;
    Header answer{.wish = is_right ? Header::Wish::taken : Header::Wish::spoilt, .size = offset_};
    to_send_.append(reinterpret_cast<const char*>(&answer), sizeof answer);
    is_begun_ = false;
    return true;
  }

  bool send() {
    while (!to_send_.empty() || to_stream_ > 0) {
      const std::string_view next =
          to_send_.empty() ? pattern_.at(offset_, to_stream_) : std::string_view(to_send_);
      const ssize_t count = ::send(fd_, next.data(), next.size(), MSG_NOSIGNAL);
      if (count < 0 && errno != EAGAIN) return false;
      if (count < 0) {
        if (!is_blocked_) poller_.change(fd_, EPOLLIN | EPOLLOUT, this);
        is_blocked_ = true;
        return true;
      }
      if (to_send_.empty()) {
        offset_ += static_cast<std::uint64_t>(count);
        to_stream_ -= static_cast<std::uint64_t>(count);
      } else {
        to_send_.erase(0, static_cast<std::size_t>(count));
      }
    }
    if (is_blocked_) poller_.change(fd_, EPOLLIN, this);
    is_blocked_ = false;
    return true;
  }

  int fd_;
  Poller& poller_;
  const Pattern& pattern_;
  Header header_;
  bool is_begun_ = false;  // `header_` is valid and its message is under way
  bool is_blocked_ = false;
  std::string message_;
  std::string to_send_;
  std::uint64_t to_stream_ = 0;
  std::uint64_t offset_ = 0;  // in the pattern
};

int listen_at(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof address.sun_path) refuse("the socket's path is too long");
  std::strcpy(address.sun_path, path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) die("bind");
  if (::listen(fd, 4096) < 0) die("listen");
  return fd;
}

}  // namespace

void serve(const char* path) {
  const Pattern pattern;
  Poller poller;
  std::string scratch(kChunk, '\0');
  const int listener = listen_at(path);
  poller.add(listener, EPOLLIN, nullptr);
  (void)std::puts("ready");
  (void)std::fflush(stdout);
  while (true) {
    poller.wait(
        [&](void* what, std::uint32_t events) {
          if (what != nullptr) {
            auto* served = static_cast<Served*>(what);
            if (!served->on_ready(events, scratch)) delete served;
            return;
          }
          for (int i = 0; i < 64; ++i) {
            const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) return;
            (void)new Served(fd, poller, pattern);  // deletes itself with its connection
          }
        },
        -1);
  }
}

}  // namespace load
