// SPDX-License-Identifier: MIT
#include "runtime/worker.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "balance/arrangement.h"
#include "tests/uv/sockets.h"

namespace tunnel::runtime {
namespace {

using uv::testing::listen_on;
using uv::testing::local_address;
using uv::testing::Pair;

class SilentLog final : public log::Log {
 public:
  [[nodiscard]] bool enabled(log::Level) const override { return true; }
  void write(log::Level, log::Event event, log::Subject, std::string_view,
             std::initializer_list<log::Field>) override {
    if (event == log::Event::closed) closed.fetch_add(1);
  }
  void reopen() override {}
  void flush() override {}
  std::atomic<int> closed{0};
};

// Two workers with one plain service whose only target the test plays, in its own thread.
struct Plant : uv::testing::IgnoreSigpipe {
  Fd target = listen_on(SocketAddress::loopback_v4(0));
  SilentLog log;
  tls::Remembered remembered;
  AddressHistory address_history;
  std::vector<std::unique_ptr<ServiceState>> services;
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> is_gone_wanted{true};
  std::atomic<Kind> how{Kind::ok};  // the last one has ended
  std::counting_semaphore<1000> gone{0};
  std::shared_ptr<const balance::Layout> layout;
  std::vector<std::unique_ptr<Worker>> workers;

  explicit Plant(const config::Health& health = {}) {
    const SocketAddress address = local_address(target.get());
    config::Service service;
    service.name = std::string("plain");
    service.tls.reset();
    config::Target to;
    to.form = config::Target::Form::ip;
    to.host = address.ip();
    to.port = address.port();
    to.text = address.to_string();
    service.connect = {{to}};
    service.health = health;
    services.push_back(std::make_unique<ServiceState>(service, nullptr, nullptr, [] {}));
    layout = services[0]->backend.build(balance::arrange(service.connect, {}), service.balance,
                                        balance::rules_of(service.health));
    for (std::size_t i = 0; i < 2; ++i) {
      workers.push_back(std::make_unique<Worker>(
          i, Worker::Shared{services, connections, is_gone_wanted,
                            [this](const ToSupervisor& message) { on_message(message); }, log,
                            remembered, address_history}));
      workers[i]->send(TargetsChanged{0, layout, ""});
      workers[i]->start();
    }
  }
  ~Plant() {
    for (const auto& worker : workers) worker->send(StopNow{});
    for (const auto& worker : workers) worker->join();
    workers.clear();
  }
  void on_message(const ToSupervisor& message) {
    if (const auto* over = std::get_if<ConnectionGone>(&message)) how.store(over->outcome.kind);
    gone.release();
  }
  void hand(std::size_t worker, Pair& client) {
    services[0]->connections.fetch_add(1);
    connections.fetch_add(1);
    workers[worker]->connections.fetch_add(1);
    workers[worker]->send(
        Accepted{0, std::move(client.near), SocketAddress::loopback_v4(1), connections.load()});
  }
  [[nodiscard]] Fd serve() const {
    Fd server(::accept4(target.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(server.valid());
    return server;
  }
};

std::string read_all(const Fd& fd) {
  std::string all;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;) {
    all.append(buffer, static_cast<std::size_t>(n));
  }
  return all;
}

}  // namespace

TEST_CASE("a client that is handed to a worker is relayed on the worker's thread and counted out") {
  Plant plant;
  for (std::size_t round = 0; round < 20; ++round) {
    Pair client = Pair::tcp();
    plant.hand(round % 2, client);
    const Fd server = plant.serve();
    client.say("question");
    client.finish();
    CHECK(read_all(server) == "question");
    CHECK(::send(server.get(), "answer", 6, MSG_NOSIGNAL) == 6);
    CHECK(::shutdown(server.get(), SHUT_WR) == 0);
    CHECK(read_all(client.far) == "answer");
    plant.gone.acquire();
  }
  CHECK(plant.connections.load() == 0);
  CHECK(plant.services[0]->connections.load() == 0);
  CHECK(plant.log.closed.load() == 20);
}

TEST_CASE("the supervisor learns with each connection that goes how that one has ended") {
  Plant plant;
  Pair first = Pair::tcp();
  plant.hand(0, first);
  Fd server = plant.serve();
  // Once a byte is through, the connection is one: a reset before could be the answer to connect().
  first.say("x");
  char byte = 0;
  REQUIRE(::recv(server.get(), &byte, 1, 0) == 1);
  const linger reset_on_close{1, 0};
  (void)::setsockopt(server.get(), SOL_SOCKET, SO_LINGER, &reset_on_close, sizeof reset_on_close);
  server.reset();
  plant.gone.acquire();
  CHECK(plant.how.load() == Kind::reset_by_server);

  Pair second = Pair::tcp();
  plant.hand(0, second);
  server = plant.serve();
  second.finish();
  CHECK(read_all(server).empty());
  server.reset();
  plant.gone.acquire();
  CHECK(plant.how.load() == Kind::ok);
}

TEST_CASE("a target that checks find dead loses its connections on every worker") {
  config::Health health;
  health.check = config::Check::tcp;
  health.on_ejected = config::OnEjected::close;
  Plant plant(health);
  std::vector<Pair> clients;
  std::vector<Fd> servers;
  for (std::size_t i = 0; i < 6; ++i) {
    clients.push_back(Pair::tcp());
    plant.hand(i % 2, clients.back());
    servers.push_back(plant.serve());
    clients.back().say("x");
    char byte = 0;
    CHECK(::recv(servers.back().get(), &byte, 1, 0) == 1);
  }
  using Transition = balance::Transition;
  const std::uint64_t other = plant.layout->targets()[0]->id() + 1;
  for (const std::uint64_t target : {other, other - 1}) {
    for (const auto& worker : plant.workers) {
      worker->send(
          TargetChanged{0, {target, Transition::Change::ejected, Transition::Source::check}});
    }
  }
  for (const Fd& server : servers) {
    char byte = 0;
    CHECK(::recv(server.get(), &byte, 1, 0) < 0);
  }
  for (std::size_t i = 0; i < servers.size(); ++i) plant.gone.acquire();
  CHECK(plant.connections.load() == 0);
}

TEST_CASE("a stop resets what is left and ends the workers") {
  std::vector<Pair> clients;
  {
    Plant plant;
    for (std::size_t i = 0; i < 6; ++i) {
      clients.push_back(Pair::tcp());
      plant.hand(i % 2, clients.back());
      const Fd server = plant.serve();
      clients.back().say("x");
      char byte = 0;
      CHECK(::recv(server.get(), &byte, 1, 0) == 1);
    }
  }
  for (const Pair& client : clients) {
    char byte = 0;
    CHECK(::recv(client.far.get(), &byte, 1, 0) <= 0);
  }
}

}  // namespace tunnel::runtime
