// SPDX-License-Identifier: MIT
#include "runtime/snapshot.h"

#include <doctest/doctest.h>

#include <fstream>

#include "balance/claim.h"
#include "support/pki.h"
#include "support/temp_folder.h"

namespace tunnel::runtime::snapshot_test {
namespace {

constexpr auto kRun = tls::Context::Purpose::run;

// Two services that trust files of their own.
struct World {
  World() {
    write("a.pem", test::Identity({.common_name = "a", .is_ca = true}).pem());
    write("b.pem", test::Identity({.common_name = "b", .is_ca = true}).pem());
    config.services = {service("a", "a.pem"), service("b", "b.pem")};
  }
  void write(const char* name, const std::string& text) const {
    std::ofstream(scratch / name, std::ios::trunc) << text;
  }
  config::Service service(const std::string& name, const char* ca) const {
    config::Service made;
    made.name = name;
    made.tls->ca = {scratch / ca};
    return made;
  }
  [[nodiscard]] std::unique_ptr<Snapshot> prepared(const Snapshot* previous = nullptr,
                                                   std::optional<ServiceId> only = {}) const {
    Prepared made = prepare(config, kRun, previous, only);
    REQUIRE(made.problems.empty());
    return std::move(made.snapshot);
  }

  const test::TempFolder scratch;
  config::Config config;
};

}  // namespace

TEST_SUITE("snapshot") {
  TEST_CASE("a service whose settings and files are the same goes on as it is") {
    World world;
    const auto first = world.prepared();
    const auto second = world.prepared(first.get());
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(second->services[i].config == first->services[i].config);
      CHECK(second->services[i].life == first->services[i].life);
    }
  }

  TEST_CASE("a service with another setting is loaded again, and keeps its life") {
    World world;
    const auto first = world.prepared();
    world.config.services[0].timeouts.idle = Millis(5000);
    const auto second = world.prepared(first.get());
    CHECK(second->services[0].config != first->services[0].config);
    CHECK(second->services[0].life == first->services[0].life);
    CHECK(second->services[1].config == first->services[1].config);
  }

  TEST_CASE("tickets stay while the TLS settings and their files do, and no longer") {
    World world;
    const auto first = world.prepared();
    world.config.services[0].timeouts.idle = Millis(5000);
    const auto second = world.prepared(first.get());
    REQUIRE(second->services[0].config->tls != nullptr);
    CHECK(second->services[0].config->tls == first->services[0].config->tls);
    world.config.services[0].tls->name = {"other.test"};
    const auto third = world.prepared(second.get());
    CHECK(third->services[0].config->tls != second->services[0].config->tls);
    world.config.services[0].timeouts.idle = Millis(6000);
    world.write("a.pem", test::Identity({.common_name = "another", .is_ca = true}).pem() + "\n");
    const auto fourth = world.prepared(third.get());
    CHECK(fourth->services[0].config->tls != third->services[0].config->tls);
  }

  TEST_CASE("what a context that stays had to warn of is still known") {
    World world;
    world.config.services[0].tls->verify = config::Verify::none;
    const auto first = world.prepared();
    REQUIRE(first->warnings.size() == 1);
    world.config.services[0].timeouts.idle = Millis(5000);
    const auto second = world.prepared(first.get());
    REQUIRE(second->warnings.size() == 1);
    CHECK(second->warnings[0].text == first->warnings[0].text);
    world.config.services[0].tls->verify = config::Verify::full;
    CHECK(world.prepared(second.get())->warnings.empty());
  }

  TEST_CASE("a service with a changed file is loaded again, alone") {
    World world;
    const auto first = world.prepared();
    world.write("a.pem", test::Identity({.common_name = "another", .is_ca = true}).pem() + "\n");
    const auto second = world.prepared(first.get());
    CHECK(second->services[0].config != first->services[0].config);
    CHECK(second->services[1].config == first->services[1].config);
  }

  TEST_CASE(
      "when one service is asked for, a file that is being written for another does not count") {
    World world;
    const auto first = world.prepared();
    world.write("a.pem", test::Identity({.common_name = "new", .is_ca = true}).pem() + "\n");
    world.write("b.pem", "-----BEGIN CERTIFICATE-----\nhalf");
    const auto second = world.prepared(first.get(), first->services[0].life->id);
    CHECK(second->services[0].config != first->services[0].config);
    CHECK(second->services[1].config == first->services[1].config);
    // It is still seen to have changed.
    CHECK(second->files.at(first->services[1].life->id) ==
          first->files.at(first->services[1].life->id));
  }

  TEST_CASE("a service of another name is another one, and no number is used again") {
    World world;
    const auto first = world.prepared();
    world.config.services[1].name = "renamed";
    const auto second = world.prepared(first.get());
    CHECK(second->services[1].life != first->services[1].life);
    CHECK(second->services[1].life->id > first->services[1].life->id);
    world.config.services[1].name = "b";
    const auto third = world.prepared(second.get());
    CHECK(third->services[1].life->id > second->services[1].life->id);
  }

  TEST_CASE("a file that cannot be loaded is a problem at its place, and nothing else is made") {
    World world;
    const auto first = world.prepared();
    world.write("a.pem", "nonsense");
    const Prepared broken = prepare(world.config, kRun, first.get());
    CHECK(broken.snapshot == nullptr);
    REQUIRE(broken.problems.size() == 1);
    CHECK(broken.problems[0].service == "a");
    CHECK(broken.problems[0].key == "tls.ca");
  }

  TEST_CASE("health, turns and counters of an unchanged target live on, those of another do not") {
    World world;
    config::Target kept;
    kept.form = config::Target::Form::ip;
    kept.host = "10.0.0.1";
    kept.text = "10.0.0.1:636";
    config::Target replaced = kept;
    replaced.host = "10.0.0.2";
    replaced.text = "10.0.0.2:636";
    config::Service& service = world.config.services[0];
    service.connect = {{kept, replaced}};
    const auto first = world.prepared();
    const auto build = [&](const Snapshot& snapshot) {
      const ServiceHandle& handle = snapshot.services[0];
      return handle.life->backend.build(balance::arrange(handle.settings().connect, {}),
                                        handle.settings().balance,
                                        balance::rules_of(handle.settings().health), TimePoint{});
    };
    const auto before = build(*first);
    first->services[0].life->ended = 7;
    const std::uint64_t kept_id = before->targets()[0]->id();
    const std::uint64_t replaced_id = before->targets()[1]->id();
    balance::Random random(1);
    const TimePoint now{Millis(1000)};
    for (balance::Target* target : before->targets()) {
      (void)balance::Claim::take(*target, std::nullopt, balance::Claim::Mode::panic, now)
          .failed(now, balance::Cause::target, random);
    }
    replaced.host = "10.0.0.3";
    replaced.text = "10.0.0.3:636";
    service.connect = {{kept, replaced}};
    const auto second = world.prepared(first.get());
    const auto after = build(*second);
    CHECK(second->services[0].life->ended == 7);
    CHECK(after->targets()[0]->id() == kept_id);
    CHECK_FALSE(after->targets()[0]->health().is_up());
    CHECK(after->targets()[1]->id() != replaced_id);
    CHECK(after->targets()[1]->health().is_up());
    CHECK(before->groups()[0].rotation == after->groups()[0].rotation);
  }
}

}  // namespace tunnel::runtime::snapshot_test
