// SPDX-License-Identifier: MIT
#include "sandbox/needs.h"

#include <doctest/doctest.h>

namespace tunnel::sandbox {
namespace {

config::Service plain(const std::string& name) {
  config::Service service;
  service.name = name;
  service.tls.reset();
  return service;
}

config::Target target(const std::string& host, std::uint16_t port) {
  config::Target made;
  made.host = host;
  made.port = port;
  return made;
}

Needs needs(const config::Service& service) {
  config::Config config;
  config.services = {service};
  return needs_of(config, {"/etc/ssl/trust.pem"});
}

using Files = std::map<std::string, Rights>;

}  // namespace

TEST_CASE("A service without TLS needs no files") { CHECK(needs(plain("a")).files.empty()); }

TEST_CASE("Every file of credentials is read") {
  config::Service service = plain("a");
  service.tls.emplace();
  service.tls->ca = {"/ca"};
  service.tls->peer_certs = {"/peer"};
  service.tls->crl = {"/crl"};
  service.tls->cert = "/cert";
  service.tls->key = "/key";
  service.tls->key_password_file = "/password";
  service.tls->psk_file = "/psk";
  const Rights read{.read = true};
  CHECK(needs(service).files == Files{{"/ca", read},
                                      {"/peer", read},
                                      {"/crl", read},
                                      {"/cert", read},
                                      {"/key", read},
                                      {"/password", read},
                                      {"/psk", read}});
}

TEST_CASE("The system's trust store is read only by who uses it") {
  config::Service service = plain("a");
  service.tls.emplace();
  CHECK(needs(service).files == Files{{"/etc/ssl/trust.pem", {.read = true}}});
  service.tls->verify = config::Verify::pin;
  CHECK(needs(service).files.empty());
  service.tls.reset();
  service.health.tls.emplace();
  CHECK(needs(service).files == Files{{"/etc/ssl/trust.pem", {.read = true}}});
}

TEST_CASE("What is written is made and reopened, but a pid file is only removed") {
  config::Config config;
  config.global.log_file = {"/log", "stderr"};
  config.global.pid_file = "/pid";
  config.services = {plain("a")};
  config.services[0].capture.emplace();
  config.services[0].capture->file = "/capture";
  config.services[0].tls.emplace();
  config.services[0].tls->verify = config::Verify::none;
  config.services[0].tls->keylog = "/keys";
  const Rights log{.write = true, .make_file = true};
  CHECK(needs_of(config, {}).files ==
        Files{{"/log", log},
              {"/keys", log},
              {"/pid", {.remove_file = true}},
              {"/capture", {.read = true, .write = true, .make_file = true, .remove_file = true}}});
}

TEST_CASE("Unix sockets are made and removed, TCP listeners need their ports") {
  config::Service service = plain("a");
  config::Accept tcp;
  tcp.address = SocketAddress::loopback_v4(389);
  config::Accept file;
  file.form = config::Accept::Form::unix_socket;
  file.text = "/run/a.sock";
  config::Accept abstract = file;
  abstract.text = "@a";
  config::Accept passed;
  passed.form = config::Accept::Form::passed;
  passed.text = "fd:a";
  service.accept = {tcp, file, abstract, passed};
  const Needs found = needs(service);
  CHECK(found.files == Files{{"/run/a.sock", {.make_socket = true, .remove_file = true}}});
  CHECK(found.bind_ports == std::set<std::uint16_t>{389});
}

TEST_CASE("A source address needs any free port") {
  config::Service service = plain("a");
  service.bind = SocketAddress::loopback_v4(0);
  CHECK(needs(service).bind_ports == std::set<std::uint16_t>{0});
}

TEST_CASE("Targets and name servers are connected to, or the proxy in their place") {
  config::Service service = plain("a");
  service.connect = {{target("one", 636)}, {target("two", 1636)}};
  CHECK(needs(service).connect_ports == std::set<std::uint16_t>{53, 636, 1636});
  config::Proxy proxy;
  proxy.port = 8080;
  service.proxies = {proxy};
  CHECK(needs(service).connect_ports == std::set<std::uint16_t>{53, 8080});
}

TEST_CASE("The ports of SRV records are not known") {
  config::Service service = plain("a");
  service.connect = {{target("_ldap._tcp.example.com", 0)}};
  service.connect[0][0].form = config::Target::Form::srv;
  CHECK(needs(service).srv_services == std::vector<std::string>{"a"});
}

TEST_CASE("Programs, tokens and abstract sockets are noted") {
  config::Service service = plain("a");
  service.exec = "/bin/true";
  service.tls.emplace();
  service.tls->ca = {"/ca"};
  service.tls->cert = "pkcs11:object=a";
  service.tls->key = "pkcs11:object=b";
  service.connect = {{target("@backend", 0)}};
  service.connect[0][0].form = config::Target::Form::unix_socket;
  const Needs found = needs(service);
  CHECK(found.exec_services == std::vector<std::string>{"a"});
  CHECK(found.token_services == std::vector<std::string>{"a"});
  CHECK(found.has_abstract_targets);
  CHECK(found.files == Files{{"/ca", {.read = true}}});
}

TEST_CASE("Rights cover those that are among them") {
  const Rights log{.write = true, .make_file = true};
  CHECK(log.cover({.write = true}));
  CHECK(log.cover({}));
  CHECK_FALSE(log.cover({.read = true}));
  CHECK_FALSE(Rights{.write = true}.cover(log));
}

}  // namespace tunnel::sandbox
