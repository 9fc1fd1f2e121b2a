// SPDX-License-Identifier: MIT
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/address.h"
#include "base/fd.h"
#include "tests/dns/dns_message.h"

namespace tunnel::dns::testing {

struct Query {
  std::string name;
  std::uint16_t type = 0;
  bool is_tcp = false;
  int number = 0;  // the first one is 1
  Reply reply;     // begins as an empty answer to this
};

// A name server on loopback, UDP and TCP on one port, in a thread of its own. `answer` runs there;
// nullopt: no answer.
class DnsServer {
 public:
  using OnQuery = std::function<std::optional<std::string>(Query)>;

  // port 0: any
  explicit DnsServer(OnQuery answer, const char* ip = "127.0.0.1", std::uint16_t port = 0)
      : answer_(std::move(answer)) {
    do {
      udp_ = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      tcp_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      address_ = *SocketAddress::parse_ip(ip, port);
      require(::bind(udp_.get(), address_.get(), address_.length()) == 0);
      sockaddr_in bound{};
      socklen_t length = sizeof bound;
      require(::getsockname(udp_.get(), reinterpret_cast<sockaddr*>(&bound), &length) == 0);
      address_.set_port(ntohs(bound.sin_port));
    } while (::bind(tcp_.get(), address_.get(), address_.length()) != 0);
    require(::listen(tcp_.get(), 8) == 0);
    int fds[2];
    require(::pipe(fds) == 0);
    stop_reader_ = Fd(fds[0]);
    stop_writer_ = Fd(fds[1]);
    thread_ = std::thread([this] { run(); });
  }
  ~DnsServer() {
    stop_writer_.reset();
    thread_.join();
  }
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  [[nodiscard]] const SocketAddress& address() const { return address_; }
  [[nodiscard]] int queries() const { return queries_.load(); }

 private:
  static void require(bool is_fine) {
    if (!is_fine) std::abort();
  }

  void run() {
    while (true) {
      pollfd fds[3] = {
          {stop_reader_.get(), POLLIN, 0}, {udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}};
      (void)::poll(fds, 3, -1);
      if (fds[0].revents != 0) return;
      if (fds[1].revents != 0) serve_udp();
      if (fds[2].revents != 0) serve_tcp();
    }
  }
  void serve_udp() {
    char buffer[2048];
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    const ssize_t n = ::recvfrom(udp_.get(), buffer, sizeof buffer, 0,
                                 reinterpret_cast<sockaddr*>(&from), &length);
    if (n <= 0) return;
    const auto answer = respond({buffer, static_cast<std::size_t>(n)}, false);
    if (answer) {
      (void)::sendto(udp_.get(), answer->data(), answer->size(), 0,
                     reinterpret_cast<sockaddr*>(&from), length);
    }
  }
  // One question per connection; a client that is silent for long is dropped.
  void serve_tcp() {
    const Fd peer(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    (void)::setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    unsigned char size[2];
    if (::recv(peer.get(), size, 2, MSG_WAITALL) != 2) return;
    std::string query(static_cast<std::size_t>(size[0] << 8 | size[1]), '\0');
    if (::recv(peer.get(), query.data(), query.size(), MSG_WAITALL) !=
        static_cast<ssize_t>(query.size())) {
      return;
    }
    const auto answer = respond(query, true);
    if (!answer) return;
    const std::string framed = u16(static_cast<unsigned>(answer->size())) + *answer;
    (void)::send(peer.get(), framed.data(), framed.size(), MSG_NOSIGNAL);
    char byte = 0;
    (void)::recv(peer.get(), &byte, 1, 0);  // until the client closes
  }
  std::optional<std::string> respond(std::string_view message, bool is_tcp) {
    Query query;
    query.is_tcp = is_tcp;
    query.number = ++queries_;
    query.reply.id = std::string(message.substr(0, 2));
    std::size_t at = 12;
    while (at < message.size() && message[at] != 0) {
      const auto length = static_cast<unsigned char>(message[at]);
      if (!query.name.empty()) query.name += '.';
      query.name += message.substr(at + 1, length);
      at += 1U + length;
    }
    query.reply.question = std::string(message.substr(12, at + 5 - 12));
    query.type = static_cast<std::uint16_t>(static_cast<unsigned char>(message[at + 1]) << 8 |
                                            static_cast<unsigned char>(message[at + 2]));
    return answer_(std::move(query));
  }

  OnQuery answer_;
  Fd udp_;
  Fd tcp_;
  Fd stop_reader_;
  Fd stop_writer_;
  SocketAddress address_;
  std::atomic<int> queries_ = 0;
  std::thread thread_;
};

}  // namespace tunnel::dns::testing
