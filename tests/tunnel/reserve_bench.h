// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "service_bench.h"
#include "tunnel/reserve.h"

namespace tunnel::testing {

// A plain service that keeps connections ready to a server that the test plays.
struct ReserveBench : ServiceBench {
  SilentServer server;
  std::vector<Fd> accepted;

  explicit ReserveBench(std::size_t spares = 2, Millis age = std::chrono::minutes(1)) {
    config::Service written;
    written.name = "bench";
    written.connect = {{target_at(server.address())}};
    written.preconnect = static_cast<std::uint32_t>(spares);
    written.preconnect_age = age;
    handle = {std::make_shared<const ServiceConfig>(written, nullptr, nullptr),
              std::make_shared<ServiceLife>(1, "bench")};
    build(written);
    service = std::make_unique<Service>(
        Service::Settings{.service = handle,
                          .surroundings = surroundings,
                          .remembered = remembered,
                          .on_gone = [this](const Service&, const Connection&) { ++gone; },
                          .on_target_changed = [](const TargetChange&) {},
                          .spares = spares,
                          .worker_bit = 4});
    service->set_targets(layout, "");
  }
  void build(const config::Service& written) {
    layout = handle.life->backend.build(balance::arrange(written.connect, {}), written.balance,
                                        balance::rules_of(written.health), loop.now());
  }
  [[nodiscard]] std::uint32_t ready() const { return handle.life->preconnected.load(); }
  // Until so many are ready, and so many have been accepted in all.
  void wait(std::uint32_t wanted, std::size_t connections) {
    turn_until(loop, [&] {
      for (Fd fd = server.accept(); fd.valid(); fd = server.accept()) {
        accepted.push_back(std::move(fd));
      }
      return ready() == wanted && accepted.size() == connections;
    });
  }
  // What has come on the connection with this number; "" when nothing has, or its end.
  [[nodiscard]] std::string heard(std::size_t which) const {
    std::string text(100, 0);
    const ssize_t n = ::recv(accepted[which].get(), text.data(), text.size(), MSG_DONTWAIT);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    return text;
  }
  void say(std::size_t which, const std::string& text) const {
    REQUIRE(::send(accepted[which].get(), text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
};

}  // namespace tunnel::testing
