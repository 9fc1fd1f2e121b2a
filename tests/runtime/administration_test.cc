// SPDX-License-Identifier: MIT
#include "runtime/administration.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "balance/claim.h"
#include "dns/names_world.h"
#include "support/sockets.h"

namespace tunnel::runtime::administration_test {
namespace {

using Actions = admin::AdminActions;
using admin::Verdict;
using uv::testing::turn_until;

constexpr admin::Operator kOperator{.uid = 1000, .pid = 42};

config::Service service_named(const std::string& name, const std::vector<std::string>& targets) {
  config::Service service;
  service.name = name;
  for (const std::string& host : targets) {
    config::Target target;
    target.form = config::Target::Form::ip;
    target.host = host;
    target.port = 636;
    target.text = host + ":636";
    if (service.connect.empty()) service.connect.emplace_back();
    service.connect.front().push_back(target);
  }
  return service;
}

// The process around an Administration, with two workers that the test plays.
struct World {
  explicit World(const std::vector<config::Service>& services) {
    use(services);
    start();
  }
  // As a reload does.
  std::vector<std::string> use(const std::vector<config::Service>& services) {
    auto next = std::make_shared<Snapshot>();
    next->hash = hash_of({.global = {}, .services = services, .path = ""});
    for (const config::Service& service : services) {
      std::shared_ptr<ServiceLife> life;
      for (const ServiceHandle& old : snapshot->services) {
        if (old.life->name == service.name) life = old.life;
      }
      if (!life) life = std::make_shared<ServiceLife>(++last_id, service.name);
      next->services.push_back(
          {std::make_shared<const ServiceConfig>(service, nullptr, nullptr), life});
    }
    snapshot = next;
    if (!resolution) return {};
    resolution->use(snapshot);
    return administration->on_reloaded();
  }
  void start() {
    acceptor = std::make_unique<Acceptor>(Acceptor::Settings{
        .loop = loop, .log = *log, .connections = connections, .is_gone_wanted = is_gone_wanted});
    administration = std::make_unique<Administration>(
        Administration::Process{
            .loop = loop,
            .log = *log,
            .book = book,
            .workers = 2,
            .config = "/etc/tunnel.toml",
            .snapshot = [this]() -> const Snapshot& { return *snapshot; },
            .resolution = [this]() -> Resolution& { return *resolution; },
            .acceptor = [this]() -> Acceptor& { return *acceptor; },
            .take_no_more = [this](ServiceId id) { closed.push_back(id); },
            .send = [this](const ConnectionsOrder& order) { orders.push_back(order); },
            .reload = [](const Actions::OnVerdict& on_verdict) { on_verdict(Verdict::done({})); },
            .captures = [this]() -> Captures& { return captures; },
            .is_stopping = [] { return false; }},
        -1);
    resolution = std::make_unique<Resolution>(
        snapshot, Resolution::Settings{
                      .loop = loop,
                      .log = *log,
                      .sink = {.on_answer = [](const std::string&, const AddressBook::Answer&) {},
                               .on_targets = [](const ServiceHandle&,
                                                const std::shared_ptr<const balance::Layout>&,
                                                const std::string&) {},
                               .on_forgotten = [](const std::string&) {}},
                      .make_resolver =
                          [this](uv::Loop&, const config::Global&) {
                            return std::make_unique<dns::testing::FakeResolver>(questions);
                          },
                      .adjust =
                          [this](ServiceId id, const balance::Arrangement& arrangement) {
                            return administration->adjusted(id, arrangement);
                          }});
    resolution->start();
  }

  Actions::OnVerdict answer() {
    return [this](Verdict given) { verdict = std::move(given); };
  }
  void order(const std::string& target, decltype(Actions::TargetOrder::what) what,
             std::optional<Millis> lasting = std::nullopt) {
    administration->order(kOperator,
                          {.service = "ldap", .target = target, .what = what, .lasting = lasting},
                          answer());
  }
  // What the workers would say, and what status makes of it.
  admin::Status status() {
    std::optional<admin::Status> result;
    administration->status(Actions::Connections::counted,
                           [&](admin::Status given) { result = std::move(given); });
    for (std::size_t worker = 0; worker < 2; ++worker) {
      administration->on_answer({.request = orders.back().request, .worker = worker});
    }
    REQUIRE(result);
    return *result;
  }
  admin::TargetStatus target(std::size_t index) { return status().services[0].targets[index]; }
  ServiceLife& life(std::size_t index = 0) { return *snapshot->services[index].life; }

  uv::Loop loop;
  std::unique_ptr<log::ProcessLog> log = *log::ProcessLog::open(
      {.sink = log::Options::Sink::file, .path = "/dev/null", .level = log::Level::info});
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> is_gone_wanted{false};
  AddressHistory history;
  AddressBook book{loop, history, [](const std::string&) {}};
  std::vector<dns::testing::Asked> questions;
  ServiceId last_id = 0;
  std::shared_ptr<const Snapshot> snapshot = std::make_shared<Snapshot>();
  std::vector<ServiceId> closed;
  std::vector<ConnectionsOrder> orders;
  std::optional<Verdict> verdict;
  std::unique_ptr<Acceptor> acceptor;
  Captures captures{{.log = *log,
                     .workers = 0,
                     .send = [](const UseCaptures&) {},
                     .report = [](const CaptureNews&) {}}};
  std::unique_ptr<Administration> administration;
  std::unique_ptr<Resolution> resolution;
};

const std::vector<std::string> kTwo = {"10.0.0.1", "10.0.0.2"};

}  // namespace

TEST_SUITE("administration") {
  TEST_CASE("an override lies over the configuration until it is taken back") {
    World world({service_named("ldap", kTwo)});
    world.order("10.0.0.1:636", Actions::Drain{});
    REQUIRE(world.verdict);
    CHECK(world.verdict->is_done());
    CHECK(world.target(0).state == "drained");
    REQUIRE(world.target(0).override);
    CHECK(world.target(0).override->uid == 1000);
    CHECK_FALSE(world.target(0).override->left);
    world.order("10.0.0.1", Actions::Enable{});  // by its host alone
    CHECK(world.target(0).state == "up");
    world.order("10.0.0.2:636", Actions::Weight{7});
    CHECK(world.target(1).weight == 7);
    world.order("10.0.0.2:636", Actions::Eject{});
    CHECK(world.target(1).state == "ejected");
  }

  TEST_CASE("an override ends by itself when it was given for a time") {
    World world({service_named("ldap", kTwo)});
    world.order("10.0.0.1:636", Actions::Drain{}, Millis(20));
    CHECK(world.target(0).state == "drained");
    CHECK(world.target(0).override->left);
    turn_until(world.loop, [&] { return world.target(0).state == "up"; });
  }

  TEST_CASE("an override survives a reload of its target, and leaves with it") {
    World world({service_named("ldap", kTwo), service_named("other", {"10.0.0.9"})});
    world.order("10.0.0.1:636", Actions::Drain{});
    CHECK(world.use({service_named("ldap", {"10.0.0.3", "10.0.0.1"})}).empty());
    CHECK(world.target(1).state == "drained");
    const auto dropped = world.use({service_named("ldap", {"10.0.0.3"})});
    REQUIRE(dropped.size() == 1);
    CHECK(dropped[0] == "ldap: the override of 10.0.0.1:636 was dropped");
    CHECK(world.use({service_named("ldap", kTwo)}).empty());
    CHECK(world.target(0).state == "up");
  }

  TEST_CASE("names that are not there are refused, with a suggestion") {
    World world({service_named("ldap", kTwo)});
    world.administration->drain(kOperator, "ldpa", world.answer());
    CHECK(world.verdict->kind == "no_such_service");
    CHECK(world.verdict->lines[0].find("did you mean \"ldap\"?") != std::string::npos);
    world.order("10.0.0.1:6360", Actions::Drain{});
    CHECK(world.verdict->kind == "no_such_target");
    CHECK(world.closed.empty());
  }

  TEST_CASE("a drain closes the service and answers when its last connection has gone") {
    World world({service_named("ldap", kTwo), service_named("other", {"10.0.0.9"})});
    world.life().connections = 1;
    world.administration->drain(kOperator, "ldap", world.answer());
    CHECK(world.closed == std::vector<ServiceId>{world.life().id});
    CHECK(world.administration->drained().contains(world.life().id));
    CHECK_FALSE(world.administration->drained().contains(world.life(1).id));
    CHECK_FALSE(world.verdict);
    // The configuration does not have it any more, its connection goes on.
    const std::shared_ptr<ServiceLife> life = world.snapshot->services[0].life;
    (void)world.use({service_named("other", {"10.0.0.9"})});
    CHECK(world.administration->drained().empty());
    for (int i = 0; i < 3; ++i) (void)uv_run(world.loop.raw(), UV_RUN_NOWAIT);
    CHECK_FALSE(world.verdict);
    life->connections = 0;
    turn_until(world.loop, [&] { return world.verdict.has_value(); });
    CHECK(world.verdict->is_done());
  }

  TEST_CASE("a drain that is waited for while the process ends is answered") {
    World world({service_named("ldap", kTwo), service_named("other", {"10.0.0.9"})});
    std::optional<Verdict> other;
    world.life().connections = 2;
    world.life(1).connections = 1;
    world.administration->drain(kOperator, "ldap", world.answer());
    world.administration->drain(kOperator, "other",
                                [&](Verdict given) { other = std::move(given); });
    world.life(1).connections = 0;
    world.administration->on_leaving();
    REQUIRE(world.verdict);
    CHECK(world.verdict->kind == "failed");
    CHECK(world.verdict->lines[0].find("reset 2 connections") != std::string::npos);
    REQUIRE(other);
    CHECK(other->is_done());
  }

  TEST_CASE("a worker that does not answer is named, and the others' answers are given") {
    World world({service_named("ldap", kTwo)});
    std::optional<admin::Status> status;
    world.administration->status(Actions::Connections::counted,
                                 [&](admin::Status given) { status = std::move(given); });
    world.administration->on_answer({.request = world.orders.back().request, .worker = 0});
    world.administration->on_answer({.request = 999, .worker = 1});  // of nobody's question
    CHECK_FALSE(status);
    turn_until(world.loop, [&] { return status.has_value(); });
    CHECK(status->silent_workers == std::vector<unsigned>{1});
  }

  TEST_CASE("close and kick say how many connections the workers have ended") {
    World world({service_named("ldap", kTwo)});
    world.administration->close(kOperator, "ldap", 12, world.answer());
    CHECK(world.orders.back().connection == 12U);
    for (std::size_t worker = 0; worker < 2; ++worker) {
      world.administration->on_answer({.request = world.orders.back().request, .worker = worker});
    }
    CHECK(world.verdict->kind == "no_such_connection");
    world.order("10.0.0.1:636", Actions::Kick{Millis(1000)});
    CHECK(world.orders.back().idle == Millis(1000));
    for (std::size_t worker = 0; worker < 2; ++worker) {
      world.administration->on_answer(
          {.request = world.orders.back().request, .worker = worker, .ended = 1});
    }
    CHECK(world.verdict->lines == std::vector<std::string>{"2 connections ended"});
  }

  TEST_CASE("the last level ordered for the same lines replaces the one before, and ends in time") {
    World world({service_named("ldap", kTwo)});
    const auto set = [&](log::Level level, std::optional<Millis> lasting) {
      world.administration->set_log_level(
          kOperator,
          {.level = level, .service = "ldap", .client = std::nullopt, .lasting = lasting},
          world.answer());
    };
    set(log::Level::debug, std::nullopt);
    set(log::Level::error, Millis(20));
    REQUIRE(world.status().level_overrides.size() == 1);
    CHECK(world.status().level_overrides[0].level == "error");
    turn_until(world.loop, [&] { return world.status().level_overrides.empty(); });
    set(log::Level::debug, std::nullopt);
    CHECK(world.log->enabled(log::Level::debug));
  }

  TEST_CASE("why a target is out is kept with it") {
    World world({service_named("ldap", kTwo)});
    const auto layout = world.resolution->layout_of(world.life().id);
    balance::Random random(7);
    balance::Claim claim = balance::Claim::take(*layout->targets()[0], std::nullopt,
                                                balance::Claim::Mode::usable, world.loop.now());
    (void)claim.failed(world.loop.now(), balance::Cause::target, random,
                       {Kind::connect_refused, "10.0.0.1:636 refuses"});
    for (int i = 0; i < 60; ++i) world.log->warning({}, "something else");
    CHECK(world.target(0).kind == "connect_refused");
    CHECK(world.target(0).why == "10.0.0.1:636 refuses");
    CHECK(world.target(1).kind.empty());
  }

  TEST_CASE("secrets are masked in what is shown of the configuration, but count in its hash") {
    config::Service service = service_named("ldap", kTwo);
    service.proxies.emplace_back();
    service.proxies.back().host = "proxy.test";
    service.proxies.back().user = "user";
    service.proxies.back().password = "one";
    World world({service});
    const auto shown = [&] {
      Actions::ConfigInForce config;
      world.administration->config(
          [&](Actions::ConfigInForce given) { config = std::move(given); });
      return config;
    };
    const auto before = shown();
    service.proxies.back().password = "two";
    (void)world.use({service});
    CHECK(shown().text == before.text);
    CHECK(before.text.find("one") == std::string::npos);
    CHECK(shown().hash != before.hash);
  }
}

}  // namespace tunnel::runtime::administration_test
