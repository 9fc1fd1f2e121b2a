// SPDX-License-Identifier: MIT
#include "admin/control_server.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "admin/control_client.h"
#include "support/sockets.h"
#include "support/temp_folder.h"

namespace tunnel::admin {
namespace {

using uv::testing::listen_on;
using uv::testing::spin_until;
using uv::testing::turn_until;

constexpr Millis kShortly{50};

// A server that keeps what it is asked until the test answers.
struct World : uv::testing::IgnoreSigpipe {
  explicit World(uid_t own_uid = ::geteuid())
      : server(loop, listening.get(), own_uid,
               {.on_request =
                    [this](ControlServer::Asker asker, std::string_view line) {
                      if (answers_at_once) return answer_at_once(asker);
                      askers.push_back(std::move(asker));
                      lines.emplace_back(line);
                    },
                .on_refused = [this](const Operator& by) { refused.push_back(by); }}) {}

  [[nodiscard]] SocketAddress address() const {
    return SocketAddress::unix_path(scratch / "control").value();
  }
  Fd connect() const {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(fd.get(), address().get(), address().length()) == 0);
    return fd;
  }
  static void send(const Fd& fd, const std::string& text) {
    REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
  void answer_at_once(const ControlServer::Asker& asker) {
    deepest = std::max(deepest, ++depth);
    asker.answer("yes\n");
    --depth;
  }
  void wait_for(std::size_t requests) {
    turn_until(loop, [&] { return lines.size() >= requests; });
  }
  // All until the end of the next line, or of the connection.
  std::string receive(const Fd& fd) {
    std::string text;
    spin_until(loop, [&] {
      char byte = 0;
      while (::recv(fd.get(), &byte, 1, MSG_DONTWAIT) == 1) {
        if (byte == '\n') return true;
        text += byte;
      }
      // The end is readable, too.
      return ::recv(fd.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
    });
    return text;
  }
  bool is_closed(const Fd& fd) {
    spin_until(loop, [&] {
      char byte = 0;
      const ssize_t count = ::recv(fd.get(), &byte, 1, MSG_DONTWAIT);
      return count == 0 || (count < 0 && errno != EAGAIN);
    });
    return true;
  }

  const test::TempFolder scratch;
  Fd listening = [this] {
    Fd fd = listen_on(address());
    REQUIRE(::fcntl(fd.get(), F_SETFL, O_NONBLOCK) == 0);
    return fd;
  }();
  uv::Loop loop;
  bool answers_at_once = false;
  int depth = 0;
  int deepest = 0;
  std::vector<ControlServer::Asker> askers;
  std::vector<std::string> lines;
  std::vector<Operator> refused;
  ControlServer server;
};

}  // namespace

TEST_SUITE("control server") {
  TEST_CASE("a request arrives with who asks, one byte at a time, and is answered") {
    World world;
    const Fd client = world.connect();
    for (const char byte : std::string("{\"v\":1}\n")) {
      World::send(client, std::string(1, byte));
      (void)uv_run(world.loop.raw(), UV_RUN_NOWAIT);
    }
    world.wait_for(1);
    CHECK(world.lines[0] == "{\"v\":1}");
    CHECK(world.askers[0].by.uid == ::geteuid());
    CHECK(world.askers[0].by.pid == ::getpid());
    world.askers[0].answer("yes\n");
    CHECK(world.receive(client) == "yes");
  }

  TEST_CASE("requests of one client come one after the other") {
    World world;
    const Fd client = world.connect();
    World::send(client, "one\ntwo\n");
    world.wait_for(1);
    for (int i = 0; i < 10; ++i) (void)uv_run(world.loop.raw(), UV_RUN_NOWAIT);
    CHECK(world.lines.size() == 1);
    world.askers[0].answer("1\n");
    world.wait_for(2);
    CHECK(world.lines[1] == "two");
    world.askers[1].answer("2\n");
    CHECK(world.receive(client) == "1");
    CHECK(world.receive(client) == "2");
  }

  TEST_CASE("requests that are answered at once are not one inside the other on the stack") {
    World world;
    world.answers_at_once = true;
    const Fd client = world.connect();
    World::send(client, "one\ntwo\nthree\n");
    for (int i = 0; i < 3; ++i) CHECK(world.receive(client) == "yes");
    CHECK(world.deepest == 1);
  }

  TEST_CASE("a client that has ended its side still gets its answer, and then the end") {
    World world;
    const Fd client = world.connect();
    World::send(client, "one\n");
    REQUIRE(::shutdown(client.get(), SHUT_WR) == 0);
    world.wait_for(1);
    for (int i = 0; i < 10; ++i) (void)uv_run(world.loop.raw(), UV_RUN_NOWAIT);
    world.askers[0].answer("1\n");
    CHECK(world.receive(client) == "1");
    CHECK(world.is_closed(client));
  }

  TEST_CASE("an answer for a client that has gone is dropped") {
    World world;
    std::optional<Fd> client = world.connect();
    World::send(*client, "one\n");
    world.wait_for(1);
    client.reset();
    for (int i = 0; i < 10; ++i) (void)uv_run(world.loop.raw(), UV_RUN_NOWAIT);
    world.askers[0].answer("1\n");
    world.askers[0].answer("2\n");
    const Fd next = world.connect();
    World::send(next, "next\n");
    world.wait_for(2);
    world.askers[1].answer("3\n");
    CHECK(world.receive(next) == "3");
  }

  TEST_CASE("a line without end is refused and its client closed") {
    World world;
    const Fd client = world.connect();
    REQUIRE(::fcntl(client.get(), F_SETFL, O_NONBLOCK) == 0);
    const std::string flood(1024 * 1024, 'x');
    std::size_t sent = 0;
    std::string answer;
    spin_until(world.loop, [&] {
      if (sent < flood.size()) {
        const ssize_t count = ::send(client.get(), flood.data() + sent, flood.size() - sent,
                                     MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0) sent += static_cast<std::size_t>(count);
      }
      char byte = 0;
      const ssize_t count = ::recv(client.get(), &byte, 1, MSG_DONTWAIT);
      if (count == 1) answer += byte;
      return count == 0 || (count < 0 && errno != EAGAIN);
    });
    CHECK(world.lines.empty());
    CHECK(sent < flood.size());
  }

  TEST_CASE("more clients than allowed wait until one leaves") {
    World world;
    std::vector<Fd> clients;
    for (std::size_t i = 0; i <= ControlServer::kMostClients; ++i) {
      clients.push_back(world.connect());
      World::send(clients.back(), "hello\n");
    }
    world.wait_for(ControlServer::kMostClients);
    for (int i = 0; i < 10; ++i) (void)uv_run(world.loop.raw(), UV_RUN_NOWAIT);
    CHECK(world.lines.size() == ControlServer::kMostClients);
    world.askers[0].answer("1\n");
    CHECK(world.receive(clients[0]) == "1");
    clients[0] = Fd();
    world.wait_for(ControlServer::kMostClients + 1);
  }

  TEST_CASE("other users are refused, and said who they are") {
    World world(12345);
    REQUIRE(::chmod((world.scratch / "control").c_str(), 0666) == 0);
    REQUIRE(::chmod((world.scratch / "").c_str(), 0755) == 0);
    const uid_t before = ::geteuid();
    // Root is always allowed, so the test is another for a moment, if it is root.
    if (before == 0) REQUIRE(::seteuid(65534) == 0);
    const uid_t asking = ::geteuid();
    const Fd client = world.connect();
    REQUIRE(::seteuid(before) == 0);
    CHECK(world.is_closed(client));
    REQUIRE(world.refused.size() == 1);
    CHECK(world.refused[0].uid == asking);
    const Fd root = world.connect();
    if (before == 0) {
      World::send(root, "root\n");
      world.wait_for(1);
    }
  }

  TEST_CASE("a connection that is taken over is the asker's, and the server forgets it") {
    World world;
    const Fd client = world.connect();
    World::send(client, "stream\n");
    world.wait_for(1);
    const Fd stream = world.askers[0].take_over();
    REQUIRE(stream.valid());
    CHECK_FALSE(world.askers[0].take_over().valid());
    world.askers[0].answer("dropped\n");
    for (int i = 0; i < 10; ++i) (void)uv_run(world.loop.raw(), UV_RUN_NOWAIT);
    World::send(stream, "bytes\n");
    CHECK(world.receive(client) == "bytes");
  }

  TEST_CASE("the client asks and hears, and says when nobody is there") {
    World world;
    std::thread asking([&] {
      auto client = ControlClient::connect(world.address().ip());
      REQUIRE(client.has_value());
      const auto answer = client->ask(Json{{"command", "status"}}, Millis(60'000));
      REQUIRE(answer.has_value());
      CHECK((*answer)["lines"][0] == "fine");
    });
    world.wait_for(1);
    CHECK(Json::parse(world.lines[0]) == Json{{"v", 1}, {"command", "status"}});
    world.askers[0].answer(answer_line(Verdict::done({"fine"})));
    asking.join();

    const auto nobody = ControlClient::connect(world.scratch / "none");
    REQUIRE_FALSE(nobody.has_value());
    CHECK(nobody.error().text.starts_with("no instance is running"));
  }

  TEST_CASE("who asks an instance that does not answer is told at which socket") {
    const test::TempFolder scratch;
    const auto address = SocketAddress::unix_path(scratch / "control").value();
    const Fd listening = listen_on(address);
    auto client = ControlClient::connect(address.ip()).value();
    const std::string instance = "the instance at control socket " + (scratch / "control");
    CHECK(client.ask(Json{{"command", "status"}}, Millis(1)).error().text ==
          instance + " did not answer within 1ms");
    Fd its_end(::accept(listening.get(), nullptr, nullptr));
    REQUIRE(its_end.valid());
    REQUIRE(::send(its_end.get(), "ready\n", 6, 0) == 6);
    CHECK(client.ask(Json{{"command", "status"}}, Millis(60'000)).error().text ==
          "the answer of the instance at control socket " + (scratch / "control") +
              " cannot be understood; is it of another version?");
    its_end = Fd();
    CHECK(client.ask(Json{{"command", "status"}}, Millis(60'000)).error().text ==
          instance + " closed the connection without an answer");
  }

  TEST_CASE("an instance that takes nobody out of its backlog is waited for, and not forever") {
    const test::TempFolder scratch;
    const auto address = SocketAddress::unix_path(scratch / "control").value();
    const Fd listening = listen_on(address);
    REQUIRE(::listen(listening.get(), 0) == 0);  // a backlog that a few descriptors fill
    std::vector<ControlClient> waiting;
    for (;;) {
      auto client = ControlClient::connect(address.ip(), kShortly);
      if (!client) {
        CHECK(client.error().text.substr(0, 28) == "the instance has stood still");
        CHECK(client.error().text.find(scratch / "control") != std::string::npos);
        break;
      }
      waiting.push_back(std::move(*client));
      REQUIRE(waiting.size() < 10'000);
    }
  }
}

}  // namespace tunnel::admin
