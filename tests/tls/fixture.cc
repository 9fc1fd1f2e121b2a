// SPDX-License-Identifier: MIT
#include "fixture.h"

#include <doctest/doctest.h>

namespace tunnel::tls::test {

Fixture::Fixture()
    : ca({.common_name = "Example CA", .is_ca = true}),
      leaf({.common_name = "dc1.example.com",
            .dns = {"dc1.example.com"},
            .ip = {"127.0.0.1", "::1"},
            .email = {"admin@example.com"}},
           &ca),
      peer{
          .target = "dc1.example.com:636", .names = {"dc1.example.com"}, .sni = "dc1.example.com"} {
  tls.ca = {folder.write("ca.pem", ca.pem())};
  options.chain = {&leaf};
}

void Fixture::load() {
  auto loaded = Context::load(tls, shared_);
  for (const auto& problem : loaded.problems) FAIL_CHECK(problem.key << ": " << problem.text);
  REQUIRE(loaded.context != nullptr);
  context_ = std::move(loaded.context);
}

void Fixture::connect(const Splitter& split) {
  client_.reset();
  load();
  start();
  test::exchange(*client_, *server_, split);
}

void Fixture::connect_again() {
  start();
  test::exchange(*client_, *server_);
}

void Fixture::start() {
  server_ = std::make_unique<TestServer>(options);
  client_ = std::make_unique<Client>(*context_, peer, remembers ? &remembered : nullptr);
}

}  // namespace tunnel::tls::test
