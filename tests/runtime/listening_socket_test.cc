// SPDX-License-Identifier: MIT
#include "runtime/listening_socket.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "support/foreign_folder.h"
#include "support/sockets.h"
#include "support/temp_folder.h"

namespace tunnel::runtime::listening_socket_test {
namespace {

config::Accept at(const SocketAddress& address) {
  config::Accept accept;
  accept.form = address.is_unix() ? config::Accept::Form::unix_socket : config::Accept::Form::tcp;
  accept.address = address;
  return accept;
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace

TEST_CASE("port 0 takes a free port and says which") {
  const auto listener = ListeningSocket::open({}, at(SocketAddress::loopback_v4(0)));
  REQUIRE(listener);
  CHECK(listener->address().port() != 0);
}

TEST_CASE("accepting is deferred as the service says, also when the service changes") {
  const auto seconds = [](const ListeningSocket& listener) {
    int value = -1;
    socklen_t length = sizeof value;
    REQUIRE(::getsockopt(listener.fd(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &value, &length) == 0);
    return value;
  };
  config::Service service;
  service.defer_accept = true;
  auto listener = ListeningSocket::open(service, at(SocketAddress::loopback_v4(0)));
  REQUIRE(listener);
  CHECK(seconds(*listener) >= 1);
  listener->serve({});
  CHECK(seconds(*listener) == 0);
  listener->serve(service);
  CHECK(seconds(*listener) >= 1);
}

TEST_CASE("every address that is in use is named, and nothing stays bound") {
  const auto taken = ListeningSocket::open({}, at(SocketAddress::loopback_v4(0)));
  REQUIRE(taken);
  config::Service service;
  service.name = "ldap";
  service.accept = {at(SocketAddress::loopback_v4(0)), at(taken->address()), at(taken->address())};
  SocketAddress bound_first;
  {
    const Bound bound = bind_all({&service});
    REQUIRE(bound.problems.size() == 2);
    CHECK(bound.problems[0] == "[ldap] cannot listen on " + taken->address().to_string() +
                                   ": the address is already in use; `ss -ltnp` shows by whom");
    REQUIRE(bound.listeners.size() == 1);
    bound_first = bound.listeners[0].socket.address();
  }
  CHECK(ListeningSocket::open({}, at(bound_first)));
}

TEST_CASE("a socket file has the mode that was asked for and goes with its listener") {
  const test::TempFolder folder;
  const std::string path = folder.path("x.sock");
  config::Service service;
  service.unix_mode = 0660;
  {
    const auto listener =
        ListeningSocket::open(service, at(SocketAddress::unix_path(path).value()));
    REQUIRE(listener);
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0660);
  }
  CHECK_FALSE(exists(path));
}

TEST_CASE("a stale socket file is replaced, a live one and another file are not") {
  const test::TempFolder folder;
  const SocketAddress address = SocketAddress::unix_path(folder.path("x.sock")).value();
  {
    // Bound by somebody who died: the file stays, nobody accepts.
    const Fd dead = uv::testing::listen_on(address);
  }
  REQUIRE(exists(folder.path("x.sock")));
  const auto listener = ListeningSocket::open({}, at(address));
  REQUIRE(listener);
  const auto second = ListeningSocket::open({}, at(address));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::in_use);
  CHECK(exists(folder.path("x.sock")));

  const SocketAddress folder_itself = SocketAddress::unix_path(folder.path("")).value();
  const auto refused = ListeningSocket::open({}, at(folder_itself));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text.find("not a socket") != std::string::npos);
}

TEST_CASE("a socket file has its mode whatever the process's mask is, and leaves that alone") {
  const test::TempFolder scratch;
  for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{0777}}) {
    const mode_t before = ::umask(mask);
    config::Service service;
    service.unix_mode = 0666;
    const auto listener =
        ListeningSocket::open(service, at(SocketAddress::unix_path(scratch / "x").value()));
    CHECK(::umask(before) == mask);
    REQUIRE(listener);
    CHECK(test::mode_of(scratch / "x") == 0666);
  }
}

TEST_CASE("a socket file in its owner's folder is made with the owner's rights") {
  if (!test::is_root()) return;
  const test::ForeignFolder alice;
  config::Service service;
  service.unix_owner = {test::kAlice, test::kAlice};
  service.unix_mode = 0660;
  const auto listener =
      ListeningSocket::open(service, at(SocketAddress::unix_path(alice / "x").value()));
  REQUIRE(listener);
  CHECK(test::owner_of(alice / "x") == test::kAlice);
  CHECK(test::mode_of(alice / "x") == 0660);
}

TEST_CASE("a socket file in root's folder is given to its owner") {
  if (!test::is_root()) return;
  const test::ForeignFolder alice;
  config::Service service;
  service.unix_owner = {test::kAlice, test::kAlice};
  const auto listener =
      ListeningSocket::open(service, at(SocketAddress::unix_path(alice.beside("x")).value()));
  REQUIRE(listener);
  CHECK(test::owner_of(alice.beside("x")) == test::kAlice);
}

namespace {

// What an earlier process has left.
process::PassedSockets::Socket kept(const ListeningSocket& listener) {
  return {.name = "",
          .fd = Fd(::fcntl(listener.fd(), F_DUPFD_CLOEXEC, 0)),
          .address = listener.address()};
}

}  // namespace

TEST_CASE("a socket that was left to us is taken with the mode and the owner of today") {
  const test::TempFolder folder;
  const auto place = at(SocketAddress::unix_path(folder.path("x.sock")).value());
  config::Service service;
  service.unix_mode = 0600;
  const auto first = ListeningSocket::open(service, place);
  REQUIRE(first);
  service.unix_mode = 0660;
  if (test::is_root()) service.unix_owner = {test::kAlice, test::kAlice};
  REQUIRE(ListeningSocket::adopt(kept(*first), service, place));
  CHECK(test::mode_of(folder.path("x.sock")) == 0660);
  if (!test::is_root()) return;
  CHECK(test::owner_of(folder.path("x.sock")) == test::kAlice);
  // And back, although its owner is neither the process nor the one that is asked for.
  service.unix_owner = {0, 0};
  REQUIRE(ListeningSocket::adopt(kept(*first), service, place));
  CHECK(test::owner_of(folder.path("x.sock")) == 0);
}

TEST_CASE("a socket that was left to us is not taken when its file is gone, or no socket") {
  const test::TempFolder folder;
  const std::string path = folder.path("x.sock");
  const auto place = at(SocketAddress::unix_path(path).value());
  const auto first = ListeningSocket::open({}, place);
  REQUIRE(first);
  std::filesystem::remove(path);
  CHECK(ListeningSocket::adopt(kept(*first), {}, place).error().code == ErrorCode::not_found);
  std::filesystem::create_directory(path);
  CHECK(ListeningSocket::adopt(kept(*first), {}, place).error().code == ErrorCode::not_found);
}

TEST_CASE("a socket file gets the mode of the settings that it serves now") {
  const test::TempFolder folder;
  const std::string path = folder.path("x.sock");
  config::Service service;
  auto listener = ListeningSocket::open(service, at(SocketAddress::unix_path(path).value()));
  REQUIRE(listener);
  service.unix_mode = 0666;
  CHECK(listener->serve(service));
  CHECK(test::mode_of(path) == 0666);
  std::filesystem::remove(path);
  CHECK_FALSE(listener->serve(service));
}

TEST_CASE("root makes no socket file behind another user's link, and removes none there") {
  if (!test::is_root()) return;
  const test::ForeignFolder alice;
  alice.link("folder", alice.beside("."));
  const auto address = SocketAddress::unix_path(alice / "folder/x").value();
  {
    // Stale, and somebody else's.
    const Fd dead = uv::testing::listen_on(SocketAddress::unix_path(alice.beside("x")).value());
  }
  const auto refused = ListeningSocket::open({}, at(address));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text ==
        "cannot make the socket file: \"folder\" on its path is a link of user 12345's, which root "
        "does not follow");
  CHECK(exists(alice.beside("x")));
}

TEST_CASE("a socket file that another has replaced stays where it is") {
  const test::TempFolder folder;
  const std::string path = folder.path("x.sock");
  std::optional<Fd> other;
  {
    const auto listener = ListeningSocket::open({}, at(SocketAddress::unix_path(path).value()));
    REQUIRE(listener);
    std::filesystem::rename(path, folder.path("moved"));
    other = uv::testing::listen_on(SocketAddress::unix_path(path).value());
  }
  CHECK(exists(path));
}

}  // namespace tunnel::runtime::listening_socket_test
