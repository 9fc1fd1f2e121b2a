// SPDX-License-Identifier: MIT
#include "runtime/acceptor.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <array>
#include <string>
#include <vector>

#include "support/sockets.h"
#include "support/temp_folder.h"

namespace tunnel::runtime::acceptor_test {
namespace {

using uv::testing::spin_until;
using uv::testing::turn_until;

class ClosedLog final : public log::Log {
 public:
  [[nodiscard]] bool enabled(log::Level) const override { return true; }
  void write(log::Level, log::Event event, log::Subject subject, std::string_view,
             std::initializer_list<log::Field>) override {
    if (event == log::Event::closed) closed.emplace_back(subject.service);
  }
  void reopen() override {}
  void flush() override {}
  std::vector<std::string> closed;  // the services of clients that were denied
};

struct Bench {
  uv::Loop loop;
  ClosedLog log;
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> is_gone_wanted{false};
  std::vector<Accepted> accepted;
  Acceptor acceptor{{.loop = loop,
                     .log = log,
                     .connections = connections,
                     .is_gone_wanted = is_gone_wanted,
                     .max_connections = 100,
                     .on_accepted = [this](Accepted one) { accepted.push_back(std::move(one)); }}};
  ServiceId last_id = 0;

  ServiceHandle make(const std::string& name, const std::vector<SocketAddress>& addresses) {
    config::Service service;
    service.name = name;
    for (const SocketAddress& address : addresses) {
      config::Accept accept;
      accept.form =
          address.is_unix() ? config::Accept::Form::unix_socket : config::Accept::Form::tcp;
      accept.address = address;
      service.accept.push_back(accept);
    }
    return {std::make_shared<const ServiceConfig>(service, nullptr, nullptr),
            std::make_shared<ServiceLife>(++last_id, name)};
  }
  // The same service with other settings.
  static ServiceHandle change(const ServiceHandle& service,
                              const std::function<void(config::Service&)>& edit) {
    config::Service settings = service.settings();
    edit(settings);
    return {std::make_shared<const ServiceConfig>(settings, nullptr, nullptr), service.life};
  }
  // As the start and each reload do. The addresses that were bound for it, with their real ports.
  std::vector<SocketAddress> serve(const std::vector<ServiceHandle>& services) {
    std::vector<const config::Service*> settings;
    for (const ServiceHandle& service : services) settings.push_back(&service.settings());
    Bound bound = bind_all(settings, acceptor.places());
    REQUIRE(bound.problems.empty());
    std::vector<SocketAddress> addresses;
    for (const Bound::Entry& entry : bound.listeners) addresses.push_back(entry.socket.address());
    acceptor.serve(services, std::move(bound.listeners));
    return addresses;
  }
  static Fd connect(const SocketAddress& to) {
    Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(fd.get(), to.get(), to.length()) == 0);
    return fd;
  }
  static bool is_refused(const SocketAddress& to) {
    const Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(fd.get(), to.get(), to.length()) != 0;
  }
  void wait_for(std::size_t count) {
    spin_until(loop, [&] { return accepted.size() >= count; });
    CHECK(accepted.size() == count);
  }
  // The second has to wait.
  std::array<Fd, 2> accept_first_of_two(const SocketAddress& address) {
    std::array<Fd, 2> clients;
    clients[0] = connect(address);
    wait_for(1);
    clients[1] = connect(address);
    for (int i = 0; i < 10; ++i) (void)uv_run(loop.raw(), UV_RUN_NOWAIT);
    CHECK(accepted.size() == 1);
    return clients;
  }
};

const SocketAddress kAnyPort = SocketAddress::loopback_v4(0);

ino_t inode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_ino;
}

}  // namespace

TEST_CASE("a client is handed on with the settings that its service has when it comes") {
  Bench bench;
  const ServiceHandle service = bench.make("one", {kAnyPort});
  const auto address = bench.serve({service});
  REQUIRE(address.size() == 1);
  const Fd first = Bench::connect(address[0]);
  bench.wait_for(1);

  const ServiceHandle changed =
      Bench::change(service, [](config::Service& settings) { settings.max_tries = 1; });
  CHECK(bench.serve({changed}).empty());
  const Fd second = Bench::connect(address[0]);
  bench.wait_for(2);
  CHECK(bench.accepted[0].service.config == service.config);
  CHECK(bench.accepted[1].service.config == changed.config);
  CHECK(bench.accepted[0].id != bench.accepted[1].id);
  CHECK(service.life->connections.load() == 2);
  CHECK(bench.connections.load() == 2);
}

TEST_CASE("addresses that stay keep their sockets, and those that left are closed") {
  Bench bench;
  const test::TempFolder scratch;
  const std::string path = scratch / "stays.sock";
  const std::string other = scratch / "leaves.sock";
  const ServiceHandle service = bench.make(
      "one", {kAnyPort, *SocketAddress::unix_path(path), *SocketAddress::unix_path(other)});
  const auto first = bench.serve({service});
  REQUIRE(first.size() == 3);
  const ino_t inode = inode_of(path);

  const ServiceHandle fewer =
      Bench::change(service, [](config::Service& settings) { settings.accept.pop_back(); });
  CHECK(bench.serve({fewer}).empty());
  CHECK(inode_of(path) == inode);
  struct stat status {};
  CHECK(::lstat(other.c_str(), &status) != 0);
  const Fd tcp = Bench::connect(first[0]);
  const Fd local = Bench::connect(first[1]);
  bench.wait_for(2);

  CHECK(bench.serve({}).empty());
  CHECK(Bench::is_refused(first[0]));
  CHECK(::lstat(path.c_str(), &status) != 0);
}

TEST_CASE("clients that are connected when their listener leaves are taken") {
  Bench bench;
  const ServiceHandle service = bench.make("one", {kAnyPort});
  const auto address = bench.serve({service});
  const Fd client = Bench::connect(address[0]);
  bench.serve({});
  CHECK(bench.accepted.size() == 1);
}

TEST_CASE("a service that is renamed takes its address along") {
  Bench bench;
  const auto address = bench.serve({bench.make("one", {kAnyPort})});
  const ServiceHandle renamed = bench.make("two", {kAnyPort});
  CHECK(bench.serve({renamed}).empty());
  const Fd client = Bench::connect(address[0]);
  bench.wait_for(1);
  CHECK(bench.accepted[0].service.life == renamed.life);
}

TEST_CASE("of several services with any port, each keeps its own") {
  Bench bench;
  const ServiceHandle one = bench.make("one", {kAnyPort});
  const ServiceHandle two = bench.make("two", {kAnyPort});
  const auto addresses = bench.serve({one, two});
  REQUIRE(addresses.size() == 2);
  CHECK(bench.serve({two}).empty());
  CHECK(Bench::is_refused(addresses[0]));
  const Fd client = Bench::connect(addresses[1]);
  bench.wait_for(1);
  CHECK(bench.serve({two, one}).size() == 1);
}

TEST_CASE("a service at its limit leaves its clients in the backlog until one goes") {
  Bench bench;
  ServiceHandle service = bench.make("one", {kAnyPort});
  service = Bench::change(service, [](config::Service& settings) { settings.max_connections = 1; });
  const auto address = bench.serve({service});
  const auto clients = bench.accept_first_of_two(address[0]);
  CHECK(bench.is_gone_wanted.load());

  service.life->connections.fetch_sub(1);
  bench.acceptor.reconsider();
  bench.wait_for(2);
  // A limit that is lifted counts for those who wait.
  const Fd third = Bench::connect(address[0]);
  bench.serve({Bench::change(service,
                             [](config::Service& settings) { settings.max_connections.reset(); })});
  bench.wait_for(3);
}

TEST_CASE("connections that wait for clients leave fewer descriptors for them") {
  Bench bench;
  ServiceHandle service = bench.make("one", {kAnyPort});
  // 100 connections are 200 descriptors, of which this leaves 3: for one connection.
  service = Bench::change(service, [](config::Service& settings) { settings.preconnect = 197; });
  const auto address = bench.serve({service});
  const auto clients = bench.accept_first_of_two(address[0]);
  bench.serve({Bench::change(service, [](config::Service& settings) { settings.preconnect = 0; })});
  bench.wait_for(2);
}

TEST_CASE("a client outside of `allow` is counted nowhere, logged, and reset") {
  Bench bench;
  ServiceHandle service = bench.make("one", {kAnyPort});
  service = Bench::change(
      service, [](config::Service& settings) { settings.allow = {*Cidr::parse("10.0.0.0/8")}; });
  const auto address = bench.serve({service});
  const Fd client = Bench::connect(address[0]);
  turn_until(bench.loop, [&] { return !bench.log.closed.empty(); });
  CHECK(bench.log.closed == std::vector<std::string>{"one"});
  CHECK(bench.accepted.empty());
  CHECK(bench.connections.load() == 0);
  char byte = 0;
  turn_until(bench.loop, [&] {
    const ssize_t n = ::recv(client.get(), &byte, 1, MSG_DONTWAIT);
    return n < 0 && errno == ECONNRESET;
  });
}

}  // namespace tunnel::runtime::acceptor_test
