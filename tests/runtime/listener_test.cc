// SPDX-License-Identifier: MIT
#include "runtime/listener.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "tests/uv/sockets.h"

namespace tunnel::runtime {
namespace {

class Folder {
 public:
  Folder() { REQUIRE(::mkdtemp(name_) != nullptr); }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(name_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string path(const char* file) const {
    std::string path = name_;
    path += '/';
    path += file;
    return path;
  }

 private:
  char name_[32] = "/tmp/tunnel-listener-XXXXXX";
};

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
  const auto listener = Listener::open({}, at(SocketAddress::loopback_v4(0)));
  REQUIRE(listener);
  CHECK(listener->address().port() != 0);
}

TEST_CASE("every address that is in use is named, and nothing stays bound") {
  const auto taken = Listener::open({}, at(SocketAddress::loopback_v4(0)));
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
    bound_first = bound.listeners[0].listener.address();
  }
  CHECK(Listener::open({}, at(bound_first)));
}

TEST_CASE("a socket file has the mode that was asked for and goes with its listener") {
  const Folder folder;
  const std::string path = folder.path("x.sock");
  config::Service service;
  service.unix_mode = 0660;
  {
    const auto listener = Listener::open(service, at(SocketAddress::unix_path(path).value()));
    REQUIRE(listener);
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0660);
  }
  CHECK_FALSE(exists(path));
}

TEST_CASE("a stale socket file is replaced, a live one and another file are not") {
  const Folder folder;
  const SocketAddress address = SocketAddress::unix_path(folder.path("x.sock")).value();
  {
    // Bound by somebody who died: the file stays, nobody accepts.
    const Fd dead = uv::testing::listen_on(address);
  }
  REQUIRE(exists(folder.path("x.sock")));
  const auto listener = Listener::open({}, at(address));
  REQUIRE(listener);
  const auto second = Listener::open({}, at(address));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::in_use);
  CHECK(exists(folder.path("x.sock")));

  const SocketAddress folder_itself = SocketAddress::unix_path(folder.path("")).value();
  const auto refused = Listener::open({}, at(folder_itself));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text.find("no socket") != std::string::npos);
}

}  // namespace tunnel::runtime
