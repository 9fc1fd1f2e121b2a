// SPDX-License-Identifier: MIT
#include "config/print.h"

#include "config/schema.h"
#include "fixture.h"

namespace tunnel::config::print_test {
namespace {

// Every key that is available, with a value that is not its default.
constexpr const char* kEverything =
    "foreground = true\n"
    "log_level = \"debug\"\n"
    "log_file = \"/var/log/tunnel.log\"\n"
    "log_format = \"json\"\n"
    "pid_file = \"/run/tunnel.pid\"\n"
    "workers = 3\n"
    "dns_servers = [\"10.0.0.53:53\", \"[2001:db8::53]:5353\"]\n"
    "dns_min_ttl = \"2s\"\n"
    "dns_max_stale = \"2h\"\n"
    "user = \"tunnel\"\n"
    "group = \"1000\"\n"
    "shutdown_timeout = \"1m30s\"\n"
    "control = \"/run/control\"\n"
    "status = [\"127.0.0.1:9099\", \"/run/status\"]\n"
    "status_allow_remote = true\n"
    "status_hosts = [\"monitor.example.com\"]\n"
    "certificate_poll = \"10s\"\n"
    "sandbox = \"require\"\n"
    "[ldap]\n"
    "accept = [\"*:389\", \"127.0.0.1:390\", \"391\", \"/run/ldap.sock\", \"name.example:392\"]\n"
    "allow_remote = true\n"
    "allow = [\"10.0.0.0/8\", \"::1/128\"]\n"
    "unix_mode = \"0660\"\n"
    "unix_owner = \"1:2\"\n"
    "connect = [[{ address = \"dc1.example.com:636\", weight = 3, max_connections = 200, name = "
    "\"dc1.example.com\", expand = true }, \"10.0.0.1:636\"], [\"srv:_ldap._tcp.example.com\"]]\n"
    "balance = \"random\"\n"
    "balance_back = \"close-idle\"\n"
    "bind = \"10.0.0.2\"\n"
    "max_connections = 100\n"
    "max_tries = 2\n"
    "preconnect = 4\n"
    "preconnect_age = \"10s\"\n"
    "defer_accept = true\n"
    "fast_open = true\n"
    "on_truncation = \"eof\"\n"
    "on_removed = \"close-idle\"\n"
    "\n"
    "[ldap.tls]\n"
    "ca = [\"/etc/ca.pem\", \"/etc/cas\"]\n"
    "peer_certs = [\"/etc/peer.pem\"]\n"
    "crl = [\"/etc/crl.pem\"]\n"
    "ocsp = \"require\"\n"
    "name = [\"a \\\"quoted\\\" \\\\name\", \"b\"]\n"
    "sni = \"\"\n"
    "pin = [\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"]\n"
    "cert = \"/etc/robot.pem\"\n"
    "key = \"pkcs11:token=robots;object=robot\"\n"
    "key_password_file = \"/etc/robot.pin\"\n"
    "psk_identity = \"robot\"\n"
    "psk_file = \"/etc/robot.psk\"\n"
    "min_version = \"1.3\"\n"
    "ciphers = [\"TLS_AES_128_GCM_SHA256\"]\n"
    "groups = [\"X25519\"]\n"
    "alpn = [\"ldap\"]\n"
    "resumption = false\n"
    "keylog = \"/tmp/keys\"\n"
    "\n"
    "[ldap.timeouts]\n"
    "resolve = \"1s\"\n"
    "connect = \"off\"\n"
    "handshake = \"250ms\"\n"
    "dial = \"1m\"\n"
    "idle = \"1h30m\"\n"
    "half_close = \"1s\"\n"
    "\n"
    "[ldap.keepalive]\n"
    "idle = \"10s\"\n"
    "interval = \"1s\"\n"
    "count = 2\n"
    "\n"
    "[ldap.health]\n"
    "eject_time = \"1s\"\n"
    "eject_max = \"2s\"\n"
    "check = \"ldap\"\n"
    "interval = \"1s\"\n"
    "timeout = \"1s\"\n"
    "fall = 1\n"
    "rise = 1\n"
    "on_ejected = \"close\"\n"
    "\n"
    "[ldap.capture]\n"
    "file = \"/var/lib/tunnel/ldap.pcapng\"\n"
    "layer = \"wire\"\n"
    "clients = [\"10.0.0.0/8\"]\n"
    "snaplen = \"96\"\n"
    "max_size = \"1MiB\"\n"
    "files = 2\n"
    "duration = \"1m\"\n"
    "port = 389\n"
    "\n"
    "[\"plain one\"]\n"
    "accept = \"127.0.0.1:1\"\n"
    "connect = [\"a:1\", \"/run/b.sock\"]\n"
    "tls = false\n"
    "keepalive = false\n"
    "\n"
    "[\"plain one\".health]\n"
    "check = \"pgsql\"\n"
    "user = \"nobody\"\n"
    "database = \"postgres\"\n"
    "\n"
    "[\"plain one\".health.tls]\n"
    "verify = \"chain\"\n"
    "max_version = \"1.2\"\n"
    "min_strength = \"128\"\n"
    "\n"
    "[third]\n"
    "accept = \"127.0.0.1:2\"\n"
    "connect = \"a:1\"\n"
    "starttls = \"smtp\"\n"
    "helo = \"desk.example.com\"\n"
    "proxy = \"http://us%20er:p%40ss@[::1]:3128\"\n"
    "proxy_headers = [\"User-Agent: tunnel\"]\n"
    "send_proxy = \"v2\"\n"
    "\n"
    "[third.tls]\n"
    "priority = \"NORMAL\"\n"
    "allow_key_usage_violation = true\n"
    "\n"
    "[third.smtp_login]\n"
    "user = \"desk\"\n"
    "password = \"secret\"\n"
    "method = \"login\"\n"
    "\n"
    "[fourth]\n"
    "connect = \"a:1\"\n"
    "exec = \"/usr/bin/program\"\n"
    "exec_args = [\"-a\", \"b c\"]\n"
    "exec_name = \"prog\"\n"
    "retry = \"1s\"\n"
    "\n"
    "[fourth.socket_options]\n"
    "\n"
    "[fourth.socket_options.listen]\n"
    "SO_REUSEADDR = false\n"
    "IPV6_V6ONLY = true\n"
    "\n"
    "[fourth.socket_options.client]\n"
    "SO_RCVTIMEO = \"5:250000\"\n"
    "TCP_NODELAY = false\n"
    "\n"
    "[fourth.socket_options.target]\n"
    "SO_SNDBUF = 262144\n"
    "SO_BINDTODEVICE = \"lo\"\n"
    "IP_TOS = 16\n";

Document read(const std::string& text) { return parse(text, "/t.toml", System::leave_alone); }

}  // namespace

TEST_CASE("canonical text is printed as it was read") {
  const Document document = read(kEverything);
  REQUIRE(document.render() == "");
  const std::string expected(kEverything);
  CHECK(print(document.config) == expected.substr(0, expected.find("[ldap]")) + "\n" +
                                      expected.substr(expected.find("[ldap]")));
}

TEST_CASE("a list of strings that is too long for a line has several") {
  Config config;
  Service& service = config.services.emplace_back();
  service.name = "a";
  service.tls->alpn = {"x\", y", std::string(50, 'b'), std::string(40, 'c'), std::string(120, 'd')};
  const std::string text = print(config);
  CHECK(text.find("alpn = [\n"
                  "  \"x\\\", y\", \"" +
                  std::string(50, 'b') +
                  "\",\n"
                  "  \"" +
                  std::string(40, 'c') +
                  "\",\n"
                  "  \"" +
                  std::string(120, 'd') +
                  "\",\n"
                  "]\n") != std::string::npos);
  CHECK(read(text).config.services.at(0).tls->alpn == service.tls->alpn);
}

TEST_CASE("what is printed reads back to the same model") {
  const Document document = read(kEverything);
  const Document again = read(print(document.config));
  CHECK(again.render() == "");
  CHECK(again.config == document.config);
}

TEST_CASE("relative paths are printed for readers elsewhere") {
  const Document document = read("[s]\naccept = \"./a\"\nconnect = \"../b\"\ntls = false\n");
  CHECK(print(document.config) == "[s]\naccept = \"/a\"\nconnect = \"/../b\"\ntls = false\n");
  CHECK(read(print(document.config)).config == document.config);
}

TEST_CASE("no available key is missing from the printed text") {
  const std::string printed = print(read(kEverything).config);
  for (const Named& named : all_options()) {
    // These have no place in the model.
    if (named.name == "client" || named.name == "include" || named.name == "expand_environment") {
      continue;
    }
    const std::string key(named.option->key);
    CAPTURE(named.name);
    const bool is_there = printed.find(key + " = ") != std::string::npos ||
                          printed.find("." + key + "]") != std::string::npos;
    CHECK(is_there);
  }
}

TEST_CASE("defaults are not printed") {
  const Document document = read(
      "log_level = \"info\"\n[s]\naccept = \"127.0.0.1:1\"\nconnect = [\"a:1\"]\n"
      "tls = { verify = \"full\", ocsp = \"soft\" }\nkeepalive = { count = 6 }\n");
  CHECK(print(document.config) == "[s]\naccept = \"127.0.0.1:1\"\nconnect = \"a:1\"\n");
}

}  // namespace tunnel::config::print_test
