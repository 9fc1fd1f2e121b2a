// SPDX-License-Identifier: MIT
#include "runtime/stdio_session.h"

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <string>

#include "runtime/standard_streams.h"

namespace tunnel::runtime::stdio_session_test {
namespace {

using testing::Ends;
using testing::pipe_ends;
using testing::Streams;

Outcome failed_with(Kind kind) { return {kind, Side::server, "server said no"}; }

// A client on two pipes, whose other ends are closed: it has nothing to say and hears nothing.
struct World {
  std::unique_ptr<StdioClient> client;
  std::unique_ptr<StdioSession> session;
  std::promise<std::string> done;

  explicit World(bool is_allowed = true) {
    {
      const Ends in = pipe_ends();
      const Ends out = pipe_ends();
      const Streams streams(in.reading.get(), out.writing.get());
      client = StdioClient::take().value();
    }
    session = std::make_unique<StdioSession>(*client);
    // The socket is closed at once, as by a connection that has ended.
    session->start([&](const Fd&, const SocketAddress&) { return is_allowed; },
                   [this](std::string error) { done.set_value(std::move(error)); });
  }
  void wait() { (void)done.get_future().get(); }
};

}  // namespace

TEST_SUITE("stdio session") {
  TEST_CASE("it is over when the connection has gone and standard output has everything") {
    World world;
    world.wait();
    CHECK_FALSE(world.session->is_over());
    world.session->on_done("");
    CHECK_FALSE(world.session->is_over());
    world.session->on_connection_gone({});
    CHECK(world.session->is_over());
    CHECK_FALSE(world.session->has_failed());
    CHECK(world.session->failure().empty());
  }

  TEST_CASE("a connection that fails gives the reason") {
    World world;
    world.wait();
    world.session->on_connection_gone(failed_with(Kind::reset_by_server));
    CHECK(world.session->has_failed());
    CHECK(world.session->failure() == "server said no");
    CHECK_FALSE(world.session->is_over());
  }

  TEST_CASE("a client that has left needs no reason") {
    World world;
    world.wait();
    world.session->on_connection_gone(failed_with(Kind::reset_by_client));
    CHECK(world.session->has_failed());
    CHECK(world.session->failure().empty());
  }

  TEST_CASE("the first reason is kept") {
    World world;
    world.wait();
    world.session->on_done("cannot write standard output: no space left");
    world.session->on_connection_gone(failed_with(Kind::reset_by_server));
    CHECK(world.session->failure() == "cannot write standard output: no space left");
    CHECK(world.session->is_over());
  }

  TEST_CASE("a client that is not allowed has failed, and is not waited for") {
    World world(false);
    world.wait();
    CHECK(world.session->has_failed());
    world.session->on_done("");
    CHECK(world.session->is_over());
  }
}

}  // namespace tunnel::runtime::stdio_session_test
