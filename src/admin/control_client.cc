// SPDX-License-Identifier: MIT
#include "admin/control_client.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/address.h"
#include "base/text.h"

namespace tunnel::admin {
namespace {

tl::unexpected<Error> gone(const std::string& where) {
  return failed(ErrorCode::system,
                "the instance at " + where + " closed the connection without an answer");
}

tl::unexpected<Error> stands_still(const std::string& where) {
  return failed(ErrorCode::unavailable,
                "the instance has stood still for too long to take a request at " + where +
                    ": is it stopped, or overloaded?");
}

tl::unexpected<Error> no_instance(const std::string& where, int error_number) {
  switch (error_number) {
    case EAGAIN:
      return stands_still(where);
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
      return failed(ErrorCode::not_found, "no instance is running: nothing answers at " + where);
    case EACCES:
    case EPERM:
      return failed(ErrorCode::permission,
                    where +
                        " is not for this user; only root and the user of the instance may "
                        "use it");
    default:
      return failed(ErrorCode::system, "cannot reach " + where, error_number);
  }
}

Result<void> send_all(int fd, std::string_view bytes, const std::string& where) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return stands_still(where);
    if (sent < 0) return gone(where);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

}  // namespace

Result<ControlClient> ControlClient::connect(const std::string& socket, Millis patience) {
  std::string where = "control socket " + printable(socket, 4096);
  const auto address = SocketAddress::unix_path(socket);
  if (!address) return tl::unexpected(address.error());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return failed(ErrorCode::system, "cannot make a socket", errno);
  // A process that stands still takes nobody out of its backlog; when that is full, connect(2)
  // waits, as long as this says: Linux heeds it for that, too.
  const timeval limit{.tv_sec = patience.count() / 1000, .tv_usec = patience.count() % 1000 * 1000};
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  // With a limit the kernel does not take it up again by itself after a signal (signal(7)).
  while (::connect(fd.get(), address->get(), address->length()) != 0) {
    if (errno != EINTR) return no_instance(where, errno);
  }
  return ControlClient(std::move(fd), std::move(where));
}

Result<Json> ControlClient::ask(Json request, Millis patience) {
  request["v"] = kProtocolVersion;
  // Names come from the command line, which need not be UTF-8; without `replace` the library would
  // throw.
  const std::string line = request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (auto sent = send_all(socket_.get(), line, where_); !sent) return tl::unexpected(sent.error());
  const auto answer = read_line(patience);
  if (!answer) return tl::unexpected(answer.error());
  // Of another process, which may be another program: parsed without exceptions.
  Json json = Json::parse(*answer, nullptr, false);
  if (!json.is_object()) {
    return failed(ErrorCode::invalid, "the answer of the instance at " + where_ +
                                          " cannot be understood; is it of another version?");
  }
  return json;
}

Result<std::string> ControlClient::read_line(Millis patience) {
  const SystemClock clock;
  const TimePoint deadline = clock.now() + patience;
  for (;;) {
    if (const std::size_t end = received_.find('\n'); end != std::string::npos) {
      // What stands behind it stays: after `capture` the first packets may have come along with the
      // answer.
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    const Millis left = deadline - clock.now();
    if (left <= Millis(0)) {
      return failed(
          ErrorCode::unavailable,
          "the instance at " + where_ + " did not answer within " + format_duration(patience));
    }
    pollfd wanted{socket_.get(), POLLIN, 0};
    const int ready = ::poll(
        &wanted, 1,
        static_cast<int>(std::min<Millis::rep>(left.count(), std::numeric_limits<int>::max())));
    if (ready < 0 && errno != EINTR) return failed(ErrorCode::system, "poll", errno);
    if (ready <= 0) continue;
    std::array<char, 16 * 1024> bytes;
    const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return gone(where_);
    received_.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

Fd ControlClient::take_socket(std::string& rest) {
  rest = std::move(received_);
  return std::move(socket_);
}

}  // namespace tunnel::admin
