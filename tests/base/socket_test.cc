// SPDX-License-Identifier: MIT
#include "base/socket.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"

namespace tunnel {

TEST_CASE(
    "both ends of a connection agree on its addresses, and a reset is one for the other end") {
  const Fd listener(::socket(AF_INET, SOCK_STREAM, 0));
  const SocketAddress wanted = SocketAddress::loopback_v4(0);
  REQUIRE(::bind(listener.get(), wanted.get(), wanted.length()) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  const SocketAddress served = local_address(listener.get());
  CHECK(served.port() != 0);
  CHECK(peer_address(listener.get()).family() == AF_UNSPEC);

  const Fd client(::socket(AF_INET, SOCK_STREAM, 0));
  REQUIRE(::connect(client.get(), served.get(), served.length()) == 0);
  Fd server(::accept(listener.get(), nullptr, nullptr));
  CHECK(peer_address(client.get()) == served);
  CHECK(peer_address(server.get()) == local_address(client.get()));

  reset_on_close(server.get());
  server.reset();
  char byte = 0;
  CHECK(::recv(client.get(), &byte, 1, 0) == -1);
  CHECK(errno == ECONNRESET);
}

TEST_CASE("the process at the other end of a unix socket is known, of TCP it is not") {
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  const Fd one(pair[0]);
  const Fd other(pair[1]);
  const auto process = peer_process(one.get());
  REQUIRE(process);
  CHECK(process->pid == ::getpid());
  CHECK(process->uid == ::geteuid());
  CHECK_FALSE(peer_process(Fd(::socket(AF_INET, SOCK_STREAM, 0)).get()));
  CHECK_FALSE(peer_process(-1));
}

TEST_CASE("what is not a socket has no address") { CHECK(local_address(-1).family() == AF_UNSPEC); }

}  // namespace tunnel
