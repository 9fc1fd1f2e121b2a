// SPDX-License-Identifier: MIT
#include "runtime/worker.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "balance/arrangement.h"
#include "support/sockets.h"

namespace tunnel::runtime::worker_test {
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
  ServiceHandle service;
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> is_gone_wanted{true};
  std::atomic<Kind> how{Kind::ok};  // the last one has ended
  std::counting_semaphore<1000> gone{0};
  std::shared_ptr<const balance::Layout> layout;
  std::vector<std::unique_ptr<Worker>> workers;

  explicit Plant(const config::Health& health = {}) {
    const SocketAddress address = local_address(target.get());
    config::Service settings;
    settings.name = std::string("plain");
    settings.tls.reset();
    config::Target to;
    to.form = config::Target::Form::ip;
    to.host = address.ip();
    to.port = address.port();
    to.text = address.to_string();
    settings.connect = {{to}};
    settings.health = health;
    service.life = std::make_shared<ServiceLife>(1, "plain");
    for (std::size_t i = 0; i < 2; ++i) {
      workers.push_back(std::make_unique<Worker>(
          Worker::Settings{.index = i,
                           .connections = connections,
                           .is_gone_wanted = is_gone_wanted,
                           .report = [this](const ToSupervisor& message) { on_message(message); },
                           .log = log,
                           .remembered = remembered,
                           .address_history = address_history}));
    }
    use(settings);
    for (const auto& worker : workers) REQUIRE(worker->start());
  }
  // As a reload does.
  void use(const config::Service& settings) {
    service.config = std::make_shared<const ServiceConfig>(settings, nullptr, nullptr);
    layout = service.life->backend.build(balance::arrange(settings.connect, {}), settings.balance,
                                         balance::rules_of(settings.health), TimePoint{});
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->services = {service};
    for (const auto& worker : workers) {
      worker->send(UseSnapshot{snapshot});
      worker->send(TargetsChanged{service, layout, ""});
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
    service.life->connections.fetch_add(1);
    connections.fetch_add(1);
    workers[worker]->connections.fetch_add(1);
    workers[worker]->send(Accepted{service, std::move(client.near), SocketAddress::loopback_v4(1),
                                   connections.load()});
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
  CHECK(plant.service.life->connections.load() == 0);
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
          TargetChanged{1, {target, Transition::Change::ejected, Transition::Source::check}});
    }
  }
  for (const Fd& server : servers) {
    char byte = 0;
    CHECK(::recv(server.get(), &byte, 1, 0) < 0);
  }
  for (std::size_t i = 0; i < servers.size(); ++i) plant.gone.acquire();
  CHECK(plant.connections.load() == 0);
}

TEST_CASE("a connection keeps the settings and targets it began with when its service changes") {
  Plant plant;
  Pair old = Pair::tcp();
  plant.hand(0, old);
  const Fd old_server = plant.serve();
  old.say("x");
  char byte = 0;
  REQUIRE(::recv(old_server.get(), &byte, 1, 0) == 1);

  const Fd other = listen_on(SocketAddress::loopback_v4(0));
  const std::weak_ptr<const ServiceConfig> before = plant.service.config;
  config::Service changed = plant.service.settings();
  changed.connect[0][0].port = local_address(other.get()).port();
  changed.connect[0][0].text = local_address(other.get()).to_string();
  plant.use(changed);
  Pair young = Pair::tcp();
  plant.hand(0, young);
  const Fd young_server(::accept4(other.get(), nullptr, nullptr, SOCK_CLOEXEC));
  REQUIRE(young_server.valid());
  young.say("young");
  young.finish();
  CHECK(read_all(young_server) == "young");
  CHECK_FALSE(before.expired());

  old.say("old");
  old.finish();
  CHECK(read_all(old_server) == "old");
  CHECK(::shutdown(old_server.get(), SHUT_WR) == 0);
  CHECK(read_all(old.far).empty());
  plant.gone.acquire();
  // A worker says so before its turn is over; its next message finds the old settings gone.
  for (const std::size_t worker : {0U, 1U}) {
    Pair last = Pair::tcp();
    plant.hand(worker, last);
    last.finish();
    const Fd last_server(::accept4(other.get(), nullptr, nullptr, SOCK_CLOEXEC));
    CHECK(read_all(last_server).empty());
  }
  CHECK(before.expired());
}

TEST_CASE("a service that has left keeps its connections, and is forgotten with the last of them") {
  Plant plant;
  Pair client = Pair::tcp();
  plant.hand(1, client);
  const Fd server = plant.serve();
  const std::weak_ptr<ServiceLife> life = plant.service.life;
  plant.service = {};
  plant.layout.reset();
  for (const auto& worker : plant.workers) {
    worker->send(UseSnapshot{std::make_shared<const Snapshot>()});
  }
  client.say("still here");
  client.finish();
  CHECK(read_all(server) == "still here");
  CHECK_FALSE(life.expired());
  CHECK(::shutdown(server.get(), SHUT_WR) == 0);
  CHECK(read_all(client.far).empty());
  plant.gone.acquire();
  for (const auto& worker : plant.workers) worker->send(StopNow{});
  for (const auto& worker : plant.workers) worker->join();
  CHECK(life.expired());
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

}  // namespace tunnel::runtime::worker_test
