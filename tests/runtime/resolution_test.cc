// SPDX-License-Identifier: MIT
#include "runtime/resolution.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "dns/names_world.h"
#include "support/sockets.h"

namespace tunnel::runtime::resolution_test {
namespace {

using dns::RecordType;
using dns::testing::addresses;
using dns::testing::Asked;
using dns::testing::failure;
using dns::testing::FakeLog;
using dns::testing::FakeResolver;
using Form = config::Target::Form;

config::Target target(Form form, const std::string& host) {
  config::Target result;
  result.form = form;
  result.host = host;
  result.port = form == Form::srv ? 0 : 636;
  result.text = form == Form::srv ? "srv:" + host : host + ":636";
  return result;
}

// A configuration whose name servers the test plays.
struct Bench {
  uv::Loop loop;
  FakeLog log;
  std::vector<Asked> open;  // questions not answered yet
  std::map<std::string, AddressBook::Answer> answers;
  std::map<std::string, std::string> targets;  // by service: "a:636 b:636 | c:636"
  std::map<std::string, std::string> errors;
  std::vector<std::string> forgotten;
  int told = 0;
  std::shared_ptr<Snapshot> snapshot = std::make_shared<Snapshot>();
  std::unique_ptr<Resolution> resolution;

  void add(const std::string& name, const config::TargetGroups& connect) {
    config::Service service;
    service.name = name;
    service.connect = connect;
    snapshot->services.push_back({std::make_shared<const ServiceConfig>(service, nullptr, nullptr),
                                  std::make_shared<ServiceLife>(++snapshot->last_id, name)});
  }
  void start() {
    resolution = std::make_unique<Resolution>(
        snapshot,
        Resolution::Settings{
            .loop = loop,
            .log = log,
            .sink = {
                .on_answer = [this](const std::string& name,
                                    const AddressBook::Answer& answer) { answers[name] = answer; },
                .on_targets =
                    [this](const ServiceHandle& service,
                           const std::shared_ptr<const balance::Layout>& layout,
                           const std::string& error) {
                      ++told;
                      targets[service.settings().name] = text_of(*layout);
                      errors[service.settings().name] = error;
                    },
                .on_forgotten = [this](const std::string& name) { forgotten.push_back(name); }},
            .make_resolver =
                [this](uv::Loop&, const config::Global&) {
                  return std::make_unique<FakeResolver>(open);
                },
            .linger = Millis(20)});
    resolution->start();
  }
  static std::string text_of(const balance::Layout& layout) {
    std::string text;
    for (const balance::Group& group : layout.groups()) {
      if (!text.empty()) text += "| ";
      for (const balance::Member& member : group.members) text += member.target->text() + " ";
    }
    if (!text.empty()) text.pop_back();
    return text;
  }
  void answer(RecordType type, const std::string& name, dns::Answer with) {
    uv::testing::turn_until(loop, [&] {
      for (auto one = open.begin(); one != open.end(); ++one) {
        if (one->type != type || one->name != name) continue;
        const Asked asked = std::move(*one);
        open.erase(one);
        asked.on_answer(std::move(with));
        return true;
      }
      return false;
    });
    for (int i = 0; i < 5; ++i) (void)uv_run(loop.raw(), UV_RUN_NOWAIT);
  }
};

dns::Answer services(std::vector<dns::Service> records) {
  return {.status = records.empty() ? dns::Status::nodata : dns::Status::ok,
          .addresses = {},
          .services = std::move(records),
          .ttl = std::chrono::seconds(60)};
}

}  // namespace

TEST_CASE("every service has its targets as soon as it starts, whatever DNS says later") {
  Bench bench;
  bench.add("one", {{target(Form::ip, "10.0.0.1"), target(Form::name, "a.test")},
                    {target(Form::name, "b.test")}});
  bench.add("two", {{target(Form::srv, "_ldap._tcp.test")}});
  bench.start();
  CHECK(bench.targets["one"] == "10.0.0.1:636 a.test:636 | b.test:636");
  CHECK(bench.targets["two"].empty());
  CHECK(bench.errors["two"].empty());
  CHECK(bench.told == 2);
}

TEST_CASE("an address goes to the workers under the name that targets have") {
  Bench bench;
  bench.add("one", {{target(Form::name, "a.test")}});
  bench.start();
  bench.answer(RecordType::aaaa, "a.test", failure(dns::Status::nodata));
  bench.answer(RecordType::a, "a.test", addresses({"10.0.0.7"}));
  REQUIRE(bench.answers["a.test"].addresses.size() == 1);
  CHECK(bench.answers["a.test"].addresses[0].ip() == "10.0.0.7");
  CHECK(bench.told == 1);
}

TEST_CASE("SRV records make targets, whose names are then asked for as absolute ones") {
  Bench bench;
  bench.add("two", {{target(Form::srv, "_ldap._tcp.test")}});
  bench.start();
  bench.answer(RecordType::srv, "_ldap._tcp.test",
               services({{.target = "dc1.test", .port = 636, .priority = 10, .weight = 1},
                         {.target = "dc2.test", .port = 636, .priority = 20, .weight = 1}}));
  CHECK(bench.targets["two"] == "dc1.test:636 | dc2.test:636");
  bench.answer(RecordType::a, "dc1.test.", addresses({"10.0.0.1"}));
  bench.answer(RecordType::aaaa, "dc1.test.", failure(dns::Status::nodata));
  CHECK(bench.answers.contains("dc1.test"));
}

TEST_CASE("a name without SRV records is said, with the reason") {
  Bench bench;
  bench.add("two", {{target(Form::srv, "_ldap._tcp.test")}});
  bench.start();
  bench.answer(RecordType::srv, "_ldap._tcp.test", failure(dns::Status::nxdomain));
  CHECK(bench.targets["two"].empty());
  CHECK_FALSE(bench.errors["two"].empty());
}

TEST_CASE("each address of an expanded name becomes a target") {
  Bench bench;
  config::Target expanded = target(Form::name, "a.test");
  expanded.expand = true;
  bench.add("one", {{expanded}});
  bench.start();
  CHECK(bench.targets["one"] == "a.test:636");
  bench.answer(RecordType::aaaa, "a.test", failure(dns::Status::nodata));
  bench.answer(RecordType::a, "a.test", addresses({"10.0.0.1", "10.0.0.2"}));
  CHECK(bench.targets["one"].find("10.0.0.1") != std::string::npos);
  CHECK(bench.targets["one"].find("10.0.0.2") != std::string::npos);
}

TEST_CASE("a name that does not resolve is answered at once when it is asked for again") {
  Bench bench;
  bench.add("one", {{target(Form::name, "a.test")}});
  bench.start();
  bench.answer(RecordType::aaaa, "a.test", failure(dns::Status::nxdomain));
  bench.answer(RecordType::a, "a.test", failure(dns::Status::nxdomain));
  bench.answers.clear();
  bench.resolution->refresh("a.test");
  CHECK_FALSE(bench.answers["a.test"].error.empty());
  bench.resolution->refresh("never.heard.of.test");
  CHECK_FALSE(bench.answers.contains("never.heard.of.test"));
}

TEST_CASE("after a reload what DNS has said stays, and only what has changed is told again") {
  Bench bench;
  bench.add("one", {{target(Form::name, "a.test")}});
  bench.add("two", {{target(Form::srv, "_ldap._tcp.test")}});
  bench.start();
  bench.answer(RecordType::srv, "_ldap._tcp.test",
               services({{.target = "dc1.test", .port = 636, .priority = 10, .weight = 1}}));
  const auto before = bench.snapshot;
  bench.snapshot = std::make_shared<Snapshot>(*before);
  config::Service changed = before->services[1].settings();
  changed.timeouts.idle = Millis(5000);
  bench.snapshot->services[1].config =
      std::make_shared<const ServiceConfig>(changed, nullptr, nullptr);
  bench.add("three", {{target(Form::ip, "10.0.0.3")}});
  bench.targets.clear();
  bench.resolution->use(bench.snapshot);
  CHECK_FALSE(bench.targets.contains("one"));
  CHECK(bench.targets["two"] == "dc1.test:636");  // at once, without a question
  CHECK(bench.targets["three"] == "10.0.0.3:636");
}

TEST_CASE("a name that no service has any more is not asked for, and one that is new is") {
  Bench bench;
  bench.add("one", {{target(Form::name, "a.test")}});
  bench.start();
  bench.snapshot = std::make_shared<Snapshot>();
  bench.add("one", {{target(Form::name, "b.test")}});
  bench.resolution->use(bench.snapshot);
  bench.answer(RecordType::aaaa, "b.test", failure(dns::Status::nodata));
  bench.answer(RecordType::a, "b.test", addresses({"10.0.0.8"}));
  CHECK(bench.answers["b.test"].addresses.size() == 1);
  uv::testing::turn_until(bench.loop, [&] { return !bench.forgotten.empty(); });
  CHECK(bench.forgotten == std::vector<std::string>{"a.test"});
  bench.answers.clear();
  bench.resolution->refresh("a.test");
  CHECK(bench.answers.empty());
}

TEST_CASE("a name that comes back in time is not forgotten") {
  Bench bench;
  bench.add("one", {{target(Form::name, "a.test")}});
  bench.start();
  const auto first = bench.snapshot;
  bench.snapshot = std::make_shared<Snapshot>();
  bench.add("one", {{target(Form::name, "b.test")}});
  bench.resolution->use(bench.snapshot);
  bench.resolution->use(first);
  uv::testing::turn_until(bench.loop, [&] { return !bench.forgotten.empty(); });
  CHECK(bench.forgotten == std::vector<std::string>{"b.test"});
}

TEST_CASE("it is known when DNS last gave the addresses of a name") {
  Bench bench;
  bench.add("one", {{target(Form::name, "a.test")}});
  bench.start();
  CHECK_FALSE(bench.resolution->answered_at("a.test"));
  bench.answer(RecordType::aaaa, "a.test", failure(dns::Status::nodata));
  bench.answer(RecordType::a, "a.test", addresses({"10.0.0.7"}));
  REQUIRE(bench.resolution->answered_at("a.test"));
  CHECK(*bench.resolution->answered_at("a.test") <= bench.loop.now());
}

}  // namespace tunnel::runtime::resolution_test
