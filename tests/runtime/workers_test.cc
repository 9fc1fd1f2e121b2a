// SPDX-License-Identifier: MIT
#include "runtime/workers.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "support/fake_log.h"

namespace tunnel::runtime::workers_test {
namespace {

// Three workers that have not been started, so that what they are given stays with them.
struct World {
  test::FakeLog log;
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> is_gone_wanted{false};
  tls::Remembered remembered;
  AddressHistory address_history;
  ServiceHandle service{std::make_shared<const ServiceConfig>(config::Service(), nullptr, nullptr),
                        std::make_shared<ServiceLife>(1, "ldap")};
  Workers workers{{.workers = 3,
                   .connections = connections,
                   .is_gone_wanted = is_gone_wanted,
                   .report = [](ToSupervisor) {},
                   .log = log,
                   .remembered = remembered,
                   .address_history = address_history}};

  // How many connections each worker has after some more.
  std::vector<std::size_t> after(std::size_t clients) {
    for (std::size_t i = 0; i < clients; ++i) workers.hand_over({service, Fd(), {}});
    std::vector<std::size_t> each;
    for (std::size_t i = 0; i < workers.size(); ++i) each.push_back(workers[i].connections.load());
    return each;
  }
};

using Each = std::vector<std::size_t>;

}  // namespace

TEST_CASE("workers get clients in turn while they have equally many") {
  World world;
  CHECK(world.after(1) == Each{1, 0, 0});
  CHECK(world.after(1) == Each{1, 1, 0});
  CHECK(world.after(4) == Each{2, 2, 2});
}

TEST_CASE("the worker with the fewest connections gets the next client") {
  World world;
  CHECK(world.after(6) == Each{2, 2, 2});
  world.workers[1].connections = 0;
  CHECK(world.after(2) == Each{2, 2, 2});
}

TEST_CASE("a worker that has a connection ready for a client gets it before all others") {
  World world;
  CHECK(world.after(3) == Each{1, 1, 1});
  world.service.life->ready_workers = worker_bit(2);
  CHECK(world.after(2) == Each{1, 1, 3});
}

}  // namespace tunnel::runtime::workers_test
