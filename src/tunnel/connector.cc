// SPDX-License-Identifier: MIT
#include "tunnel/connector.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "uv/library.h"
#include "uv/socket.h"
#include "uv/socket_options.h"

namespace tunnel {

// One connect under way. Ends by on_connected, by its deadline, or with the race.
struct Connector::Attempt final : uv::Stream::Events {
  Attempt(Connector& connector, const SocketAddress& where) : race(connector), address(where) {}

  void on_connected(int uv_status) override { race.attempt_ended(*this, uv_status); }
  // Nothing is read or written before somebody has won.
  void on_read(MutableBytes) override {}
  void on_eof() override {}
  void on_read_error(int) override {}
  void on_write_error(int) override {}
  void on_drained() override {}

  Connector& race;
  SocketAddress address;
  TimePoint began{};
  std::optional<TimePoint> deadline;
  std::unique_ptr<uv::Stream> stream;
};

namespace {

// Its SYN waits for the first write.
bool has_yet_to_connect(int fd) {
  tcp_info info{};
  socklen_t length = sizeof info;
  return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
         info.tcpi_state == TCP_SYN_SENT;
}

}  // namespace

Connector::Connector(uv::Loop& loop, const Race& race, Owner& owner)
    : loop_(loop),
      waiting_(race.addresses.begin(), race.addresses.end()),
      per_address_(race.per_address),
      bind_(race.bind),
      owner_(owner),
      options_(race.options),
      fast_open_(race.fast_open && race.addresses.size() == 1),
      timer_(loop, [this] { on_timer(); }) {}

Connector::~Connector() = default;

// The first attempt starts from the timer, so that no report comes before start() has returned.
void Connector::start() {
  loop_.assert_here();
  next_start_ = loop_.now();
  timer_.start(Millis(0));
}

void Connector::begin_next() {
  const SocketAddress address = waiting_.front();
  waiting_.pop_front();
  next_start_ = loop_.now() + kAttemptDelay;
  auto attempt = std::make_unique<Attempt>(*this, address);
  const bool can_bind = bind_ != nullptr && bind_->family() == address.family();
  if (bind_ != nullptr && address.is_ip() && !can_bind) {
    return owner_.on_address_failed(
        address, {Kind::unreachable,
                  "the address is of another family than bind = \"" + bind_->ip() + "\"", true});
  }
  auto stream = connect(*attempt, can_bind);
  if (!stream) {
    return owner_.on_address_failed(address, {Kind::unreachable, stream.error().text, true});
  }
  attempt->stream = std::move(*stream);
  attempt->began = loop_.now();
  if (per_address_) attempt->deadline = loop_.now() + *per_address_;
  attempts_.push_back(std::move(attempt));
}

// Buffers and the segment size count in the handshake, and a device or a foreign source address
// must be there before it is bound to.
Result<std::unique_ptr<uv::Stream>> Connector::connect(Attempt& attempt, bool can_bind) {
  Result<Fd> socket = uv::socket::open_towards(attempt.address);
  if (!socket) return tl::make_unexpected(std::move(socket.error()));
  set_options(socket->get(), attempt.address);
  if (can_bind) {
    if (auto bound = uv::socket::bind_source(socket->get(), attempt.address, *bind_); !bound) {
      return tl::make_unexpected(std::move(bound.error()));
    }
  }
  return uv::Stream::connect(loop_, std::move(*socket), attempt.address, attempt);
}

void Connector::set_options(int fd, const SocketAddress& address) {
  for (const std::string& refused : uv::set_socket_options(fd, address.family(), options_)) {
    owner_.on_option_refused("socket_options.target: " + refused);
  }
  const int on = 1;
  if (fast_open_ && address.is_ip() &&
      ::setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on) != 0) {
    owner_.on_option_refused(std::string("fast_open: the kernel refuses it: ") +
                             std::strerror(errno) + "; look at sysctl net.ipv4.tcp_fastopen");
  }
}

void Connector::on_timer() {
  const TimePoint now = loop_.now();
  // attempt_failed() erases the one at `i`.
  for (std::size_t i = 0; i < attempts_.size();) {
    Attempt& attempt = *attempts_[i];
    if (!attempt.deadline || *attempt.deadline > now) {
      ++i;
      continue;
    }
    attempt_failed(attempt, connect_timed_out(*per_address_));
  }
  // More than one in a turn only where a connect fails at once: nothing is gained by waiting then.
  while (!waiting_.empty() && (attempts_.empty() || next_start_ <= now)) begin_next();
  report_if_over();
}

// Moves the timer to the next start or deadline.
void Connector::schedule() {
  std::optional<TimePoint> next;
  if (!waiting_.empty()) next = next_start_;
  for (const auto& attempt : attempts_) {
    if (attempt->deadline && (!next || *attempt->deadline < *next)) next = attempt->deadline;
  }
  if (!next) return timer_.stop();
  timer_.start(std::max(Millis(0), *next - loop_.now()));
}

void Connector::attempt_ended(Attempt& attempt, int uv_status) {
  if (uv_status == 0) {
    Connected connected{std::move(attempt.stream), attempt.address, {}};
    connected.is_unproven = fast_open_ && has_yet_to_connect(connected.stream->fd());
    for (const auto& loser : attempts_) {
      const bool had_time = loop_.now() - loser->began >= kAttemptDelay;
      if (loser.get() != &attempt && had_time) connected.silent.push_back(loser->address);
    }
    // The owner destroys the race, and with it the attempts that have not answered.
    return owner_.on_connected(std::move(connected));
  }
  attempt_failed(attempt, connect_failure(attempt.address, uv_status));
  // RFC 8305 section 5: a failure starts the next attempt at once.
  if (!waiting_.empty()) begin_next();
  report_if_over();
}

void Connector::attempt_failed(Attempt& attempt, const Failure& why) {
  const auto found = std::find_if(attempts_.begin(), attempts_.end(),
                                  [&](const auto& each) { return each.get() == &attempt; });
  // It may be what is on the stack, and its address is still needed.
  const std::unique_ptr<Attempt> gone = std::move(*found);
  attempts_.erase(found);
  owner_.on_address_failed(gone->address, why);
}

void Connector::report_if_over() {
  while (attempts_.empty() && !waiting_.empty()) begin_next();
  if (!attempts_.empty()) return schedule();
  return owner_.on_all_failed();
}

Failure connect_timed_out(Millis limit) {
  return {Kind::connect_timeout,
          "no answer within " + format_duration(limit) + " (timeouts.connect)", false};
}

Failure connect_failure(const SocketAddress& address, int uv_status) {
  if (uv_status == UV_EINVAL && uv::socket::lacks_interface(address)) {
    return {Kind::unreachable,
            "a link-local address needs its interface, as in \"[" + address.ip() +
                "%eth0]:" + std::to_string(address.port()) + "\"",
            false};
  }
  switch (uv_status) {
    case UV_ECONNREFUSED:
      return {Kind::connect_refused,
              address.is_unix() ? "nobody listens on that socket" : "connection refused", false};
    case UV_ENOENT:
      return {Kind::connect_refused, "there is no such socket file", false};
    case UV_ECONNRESET:
    case UV_ECONNABORTED:
      return {Kind::connect_refused, "connection reset while connecting", false};
    case UV_EAGAIN:  // unix: the listener's backlog is full
      return {Kind::connect_refused, "its backlog is full", false};
    case UV_ETIMEDOUT:
      return {Kind::connect_timeout, "no answer", false};
    case UV_EHOSTUNREACH:
      return {Kind::unreachable, "no route to host", false};
    case UV_ENETUNREACH:
      // As a rule the answer of our own routing table, before a packet has left: a machine without
      // a route for IPv6 says so of every IPv6 address. EHOSTUNREACH comes from the way to the
      // target.
      return {Kind::unreachable, "network is unreachable from this machine", true};
    case UV_EADDRNOTAVAIL:
    case UV_EAFNOSUPPORT:
    case UV_EMFILE:
    case UV_ENFILE:
    case UV_ENOBUFS:
    case UV_ENOMEM:
      return {Kind::unreachable, uv::error_text(uv_status), true};
    default:
      return {Kind::unreachable, uv::error_text(uv_status), false};
  }
}

}  // namespace tunnel
