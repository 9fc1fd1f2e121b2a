// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "support/sockets.h"
#include "uv/socket.h"
#include "uv/stream.h"

namespace tunnel::uv::testing {

namespace {

SocketAddress abstract_name(std::string_view what) {
  return SocketAddress::unix_path("@tunnel-test-" + std::to_string(::getpid()) + "-" +
                                  std::string(what))
      .value();
}

// As the tunnel does it: a socket, its source address, the connection.
Result<std::unique_ptr<Stream>> connect(Loop& loop, const SocketAddress& to,
                                        const SocketAddress* from, Stream::Events& events) {
  Result<Fd> socket = socket::open_towards(to);
  if (!socket) return tl::make_unexpected(std::move(socket.error()));
  if (from != nullptr) {
    if (auto bound = socket::bind_source(socket->get(), to, *from); !bound) {
      return tl::make_unexpected(std::move(bound.error()));
    }
  }
  return Stream::connect(loop, std::move(*socket), to, events);
}

}  // namespace

TEST_CASE("connecting over IPv4, IPv6 and unix sockets") {
  const IgnoreSigpipe ignore;
  for (const SocketAddress& where :
       {SocketAddress::loopback_v4(0), SocketAddress::loopback_v6(0), abstract_name("connect")}) {
    CAPTURE(where.to_string());
    const Fd listener = listen_on(where);
    Loop loop;
    Recorder recorder;
    auto stream = connect(loop, local_address(listener.get()), nullptr, recorder).value();
    CHECK(recorder.events.empty());
    turn_until(loop, [&] { return !recorder.events.empty(); });
    CHECK(recorder.events == Log{"connected"});
    CHECK(stream->is_unix() == where.is_unix());

    const Fd peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    CHECK(stream->write(as_bytes("hello")) == Stream::Written::done);
    char buffer[16];
    CHECK(::recv(peer.get(), buffer, sizeof buffer, 0) == 5);
    CHECK(::send(peer.get(), "there", 5, MSG_NOSIGNAL) == 5);
    stream->start_reading();
    turn_until(loop, [&] { return recorder.bytes == "there"; });
  }
}

TEST_CASE("a refused connection is told after connect has returned") {
  Fd bound(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));  // bound, not listening
  const SocketAddress any_port = SocketAddress::loopback_v4(0);
  require(::bind(bound.get(), any_port.get(), any_port.length()) == 0);
  Loop loop;
  Recorder recorder;
  auto stream = connect(loop, local_address(bound.get()), nullptr, recorder).value();
  CHECK(recorder.events.empty());
  turn_until(loop, [&] { return !recorder.events.empty(); });
  CHECK(recorder.events == Log{"not connected ECONNREFUSED"});
}

TEST_CASE("what connect(2) itself refuses is told the same way") {
  Loop loop;
  Recorder recorder;
  // A link-local address without an interface.
  auto stream = connect(loop, *SocketAddress::parse_ip("fe80::1", 9), nullptr, recorder).value();
  CHECK(recorder.events.empty());
  turn_until(loop, [&] { return !recorder.events.empty(); });
  REQUIRE(recorder.events.size() == 1);
  CHECK(recorder.events == Log{"not connected EINVAL"});
}

TEST_CASE("a link-local address without an interface is one of the socket's own interface") {
  const SocketAddress to = *SocketAddress::parse_ip("fe80::1", 9);
  CHECK(socket::lacks_interface(to));
  CHECK_FALSE(socket::lacks_interface(*SocketAddress::parse_ip("fe80::1%lo", 9)));
  CHECK_FALSE(socket::lacks_interface(SocketAddress::loopback_v6(9)));
  const Fd socket = socket::open_towards(to).value();
  CHECK_FALSE(socket::with_interface(socket.get(), to));
  CHECK(socket::with_interface(socket.get(), SocketAddress::loopback_v4(9)) ==
        SocketAddress::loopback_v4(9));
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) != 0) return;  // not allowed
  CHECK(socket::with_interface(socket.get(), to) == *SocketAddress::parse_ip("fe80::1%lo", 9));
}

TEST_CASE("a unix socket that nobody listens on, and one whose backlog is full") {
  Loop loop;
  Recorder nobody;
  auto absent =
      connect(loop, *SocketAddress::unix_path("/nonexistent/x.sock"), nullptr, nobody).value();
  CHECK(nobody.events.empty());
  turn_until(loop, [&] { return !nobody.events.empty(); });
  CHECK(nobody.events == Log{"not connected ENOENT"});

  const Fd listener = listen_on(abstract_name("full"), 0);
  std::vector<std::unique_ptr<Stream>> streams;
  Recorder recorder;
  while (recorder.events.empty() || recorder.events.back() == "connected") {
    REQUIRE(streams.size() < 100);
    const std::size_t before = recorder.events.size();
    streams.push_back(connect(loop, local_address(listener.get()), nullptr, recorder).value());
    turn_until(loop, [&] { return recorder.events.size() > before; });
  }
  CHECK(streams.size() > 1);
  CHECK(recorder.events.back() == "not connected EAGAIN");
}

TEST_CASE("the source address is the one asked for") {
  const Fd listener = listen_on(SocketAddress::loopback_v4(0));
  const SocketAddress from = *SocketAddress::parse_ip("127.0.0.77", 0);
  Loop loop;
  Recorder recorder;
  auto stream = connect(loop, local_address(listener.get()), &from, recorder).value();
  turn_until(loop, [&] { return !recorder.events.empty(); });
  CHECK(recorder.events == Log{"connected"});
  CHECK(local_address(stream->fd()).ip() == "127.0.0.77");
  CHECK(local_address(stream->fd()).port() != 0);
}

TEST_CASE("a source address that cannot be had is an error that names it") {
  Loop loop;
  Recorder recorder;
  const SocketAddress to = SocketAddress::loopback_v4(9);
  const SocketAddress foreign = *SocketAddress::parse_ip("192.0.2.1", 0);
  const auto not_ours = connect(loop, to, &foreign, recorder);
  REQUIRE_FALSE(not_ours.has_value());
  CHECK(not_ours.error().code == ErrorCode::unavailable);
  CHECK(not_ours.error().text ==
        "cannot bind to source address 192.0.2.1: Cannot assign requested address");

  const SocketAddress v6 = SocketAddress::loopback_v6(0);
  const auto mixed = connect(loop, to, &v6, recorder);
  REQUIRE_FALSE(mixed.has_value());
  CHECK(mixed.error().code == ErrorCode::unavailable);
  CHECK(mixed.error().text ==
        "source address ::1 and target 127.0.0.1:9 are of different families");
}

TEST_CASE("a Stream may be destroyed while it connects, and when it hears how that went") {
  for (const SocketAddress& where : {SocketAddress::loopback_v4(0), abstract_name("destroy")}) {
    const Fd listener = listen_on(where);
    Loop loop;
    Recorder recorder;
    auto stream = connect(loop, local_address(listener.get()), nullptr, recorder).value();
    stream.reset();
    loop.run();
    CHECK(recorder.events.empty());

    stream = connect(loop, local_address(listener.get()), nullptr, recorder).value();
    recorder.on_any = [&] { stream.reset(); };
    loop.run();
    CHECK(recorder.events == Log{"connected"});
  }
}

}  // namespace tunnel::uv::testing
