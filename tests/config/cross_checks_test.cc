// SPDX-License-Identifier: MIT
// Keys that contradict one another.
#include "fixture.h"

namespace tunnel::config::cross_checks_test {
namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string refused(const std::string& lines) {
  return first_line(problems(kService + lines + "\n"));
}

const std::string kPin = "pin = \"sha256:" + std::string(64, 'a') + "\"";

}  // namespace

TEST_CASE("protection that would be ignored is refused") {
  CHECK(refused("tls = { verify = \"none\", " + kPin + " }") ==
        "t.toml:4:32: error: \"pin\" is not checked with verify = \"none\"");
  CHECK(refused("tls = { verify = \"pin\" }") ==
        "t.toml:4:18: error: verify = \"pin\" needs \"pin\" or \"peer_certs\"");
  CHECK(refused("tls = { verify = \"pin\", peer_certs = \"p.pem\" }") == "");
  CHECK(refused("tls = { peer_certs = \"p.pem\" }") == "");
  CHECK(refused("tls = { verify = \"none\", peer_certs = \"p.pem\" }") ==
        "t.toml:4:39: error: \"peer_certs\" is not checked with verify = \"none\"");
  CHECK(refused("tls = { verify = \"pin\", " + kPin + " }") == "");
  CHECK(refused("tls = { verify = \"none\", crl = \"x\" }") ==
        "t.toml:4:32: error: \"crl\" is not checked with verify = \"none\"");
  CHECK(refused("tls = { verify = \"none\", ocsp = \"require\" }") ==
        "t.toml:4:33: error: ocsp = \"require\" is not checked with verify = \"none\"");
}

TEST_CASE("a name that no certificate can carry is refused, with the one that is meant") {
  const auto hint = [](const std::string& lines) {
    return hint_of(problems("[ldap]\naccept = \"127.0.0.1:389\"\n" + lines + "\n"));
  };
  CHECK(refused("tls.name = \"[::1]\"") ==
        "t.toml:4:12: error: no certificate carries the name \"[::1]\"");
  const std::string connect = "connect = \"dc1.example.com:636\"\n";
  CHECK(hint(connect + "tls.name = \"[::1]\"") == "write the address without brackets: \"::1\"");
  CHECK(hint(connect + "tls.name = [\"a\", \"dc1.example.com:636\"]") ==
        "write it without the port: \"dc1.example.com\"");
  CHECK(hint(connect + "tls.name = \"ldaps://dc1.example.com\"") ==
        "write the host alone; a URI begins with \"uri:\"");
  CHECK(hint("connect = { address = \"dc1.example.com:636\", name = \"[::1]:636\" }") ==
        "write it without the port: \"::1\"");
  for (const char* name : {"::1", "fe80::1%nowhere", "10.0.0.1", "dc1.example.com",
                           "email:a@b.example", "uri:spiffe://x/y"}) {
    CAPTURE(name);
    CHECK(refused("tls.name = \"" + std::string(name) + "\"") == "");
  }
}

TEST_CASE("nobody waits for the first word of a side that speaks second") {
  CHECK(refused("defer_accept = true\nfast_open = true") == "");
  CHECK(refused("defer_accept = true\nfast_open = true\nstarttls = \"ldap\"") == "");
  CHECK(refused("defer_accept = true\nstarttls = \"smtp\"") ==
        "t.toml:4:16: error: \"defer_accept\" waits for the client's first bytes, and clients of "
        "this \"starttls\" wait for the server's greeting");
  CHECK(refused("fast_open = true\nstarttls = \"imap\"") ==
        "t.toml:4:13: error: \"fast_open\" connects with the first bytes that are sent, and a "
        "server of this \"starttls\" speaks first");
  CHECK(refused("fast_open = true\ntls = false") ==
        "t.toml:4:13: error: \"fast_open\" connects with the first bytes that are sent, and "
        "without TLS the server may be the first to speak");
  CHECK(refused("fast_open = true\ntls = false\nsend_proxy = \"v2\"") == "");
  CHECK(refused("fast_open = true\nstarttls = \"imap\"\n"
                "proxy = \"socks5://127.0.0.1:1080\"") == "");
}

TEST_CASE("what needs the client first cannot be done before there is one") {
  CHECK(refused("preconnect = 2\npreconnect_age = \"10s\"") == "");
  CHECK(refused("preconnect = 2\nsend_proxy = \"v2\"") ==
        "t.toml:5:14: error: \"preconnect\" and \"send_proxy\" exclude each other: the header with "
        "the client's address goes first, and there is no client yet");
  CHECK(
      refused("preconnect = 2\nstarttls = \"mysql\"") ==
      "t.toml:5:12: error: \"preconnect\" and starttls = \"mysql\" exclude each other: its server "
      "is upgraded with what the client has answered");
  CHECK(
      refused("preconnect = 2\nbalance = \"hash\"") ==
      "t.toml:5:11: error: \"preconnect\" and balance = \"hash\" exclude each other: the client's "
      "address chooses the target, and there is no client yet");
  const std::string all = problems(kService + "preconnect = 2\nsend_proxy = \"v2\"\n" +
                                   "balance = \"hash\"\nstarttls = \"mysql\"\n");
  for (const char* place :
       {"t.toml:5:14: error: ", "t.toml:6:11: error: ", "t.toml:7:12: error: "}) {
    CAPTURE(all);
    CHECK(all.find(place) != std::string::npos);
  }
  CHECK(refused("preconnect_age = \"10s\"") ==
        "t.toml:4:18: warning: \"preconnect_age\" is about connections of \"preconnect\", which is "
        "0");
}

// [defaults.tls] may hold both for the other services, and a name is still sent as SNI.
TEST_CASE("a CA or a name that is not checked is worth a warning, no error") {
  CHECK(problems(kService + "[ldap.tls]\nverify = \"chain\"\nname = \"x\"\n") ==
        "t.toml:6:8: warning: \"name\" is only sent (as SNI): it is checked with verify = \"full\" "
        "alone\n"
        "name = \"x\"\n"
        "       ^\n");
  CHECK(refused("tls = { verify = \"pin\", ca = \"x\", " + kPin + " }") ==
        "t.toml:4:30: warning: \"ca\" is not used with verify = \"pin\"");
}

TEST_CASE("a key or a password without a certificate is refused") {
  CHECK(refused("tls.key = \"k.pem\"") ==
        "t.toml:4:11: error: \"key\" is the key of a certificate, and \"cert\" is not set");
  CHECK(refused("tls.key_password_file = \"p\"") ==
        "t.toml:4:25: error: \"key_password_file\" opens a key, and \"cert\" is not set");
  CHECK(
      refused("tls = { cert = \"c.pem\", key = \"pkcs11:token=x\", key_password_file = \"p\" }") ==
      "");
}

TEST_CASE("a pre-shared key alone makes what is about certificates useless") {
  CHECK(refused("tls.psk_identity = \"robot\"") ==
        "t.toml:4:20: error: \"psk_identity\" names a key, and \"psk_file\" is not set");
  CHECK(refused("tls = { psk_file = \"p\", psk_identity = \"robot\" }") == "");
  CHECK(refused("tls = { psk_file = \"p\", crl = \"x\" }") ==
        "t.toml:4:31: error: \"crl\" is about certificates, and with \"psk_file\" alone none is "
        "accepted from the server");
  CHECK(refused("tls = { psk_file = \"p\", ca = \"c\", crl = \"x\" }") == "");
}

TEST_CASE("a broken pin is reported once, not as a missing one too") {
  CHECK(problems(kService + "tls = { verify = \"pin\", pin = \"x\" }\n").find("needs") ==
        std::string::npos);
}

TEST_CASE("versions leave at least one") {
  CHECK(refused("tls = { min_version = \"1.3\", max_version = \"1.2\" }") ==
        "t.toml:4:44: error: min_version is newer than max_version, so no version is left");
  CHECK(refused("tls = { max_version = \"1.2\", min_version = \"1.3\" }") ==
        "t.toml:4:23: error: min_version is newer than max_version, so no version is left");
  CHECK(refused("tls.max_version = \"1.1\"") ==
        "t.toml:4:19: error: min_version is newer than max_version, so no version is left");
  CHECK(refused("tls = { min_version = \"1.3\", max_version = \"1.3\" }") == "");
}

TEST_CASE("a priority string excludes the five keys it holds") {
  for (const std::string key :
       {"min_version = \"1.2\"", "max_version = \"1.3\"", "min_strength = \"112\"",
        "ciphers = [\"TLS_AES_128_GCM_SHA256\"]", "groups = [\"X25519\"]"}) {
    const std::string name = key.substr(0, key.find(' '));
    CAPTURE(key);
    CHECK(refused("[ldap.tls]\npriority = \"NORMAL\"\n" + key)
              .ends_with(": error: \"" + name + "\" and \"priority\" exclude one another"));
  }
  CHECK(refused("tls = { priority = \"NORMAL\" }") == "");
}

TEST_CASE("a target's name needs TLS that checks names") {
  const auto with = [](const std::string& lines) {
    return first_line(problems("[s]\naccept = 1\nconnect = { address = \"h:1\", name = \"x\" }\n" +
                               lines + "\n"));
  };
  CHECK(with("") == "");
  CHECK(with("tls = false") ==
        "t.toml:3:11: error: the target has a \"name\" for its certificate, but the service speaks "
        "no TLS");
  CHECK(with("tls = false\nhealth.tls = {}") == "");
  CHECK(with("tls.verify = \"chain\"") == "");
}

TEST_CASE("only checks of databases have a user, and a database needs one") {
  CHECK(refused("health.check = \"pgsql\"\nhealth.user = \"u\"\nhealth.database = \"d\"") == "");
  CHECK(refused("health.check = \"mysql\"\nhealth.user = \"u\"") == "");
  CHECK(refused("health.check = \"ldap\"\nhealth.user = \"u\"") ==
        "t.toml:5:15: error: health.user is for checks that start a session with a database");
  CHECK(refused("health.check = \"pgsql\"\nhealth.database = \"d\"") ==
        "t.toml:5:19: error: health.database needs health.user: without a user no session is "
        "started");
}

TEST_CASE("checks speak TLS one way only") {
  CHECK(refused("health.check = \"tls\"") == "");
  CHECK(
      refused("tls = false\nhealth.check = \"tls\"") ==
      "t.toml:5:16: error: checks cannot speak TLS: the service has tls = false and no health.tls");
  CHECK(refused("tls = false\nhealth = { check = \"tls\", tls = {} }") == "");
  CHECK(refused("health.tls = {}") ==
        "t.toml:4:14: error: health.tls is for services with tls = false; here checks use the "
        "service's own tls");
  CHECK(refused("health.eject_max = \"1s\"") ==
        "t.toml:4:20: error: eject_max (1s) is shorter than eject_time (5s)");
  CHECK(refused("health.eject_time = \"2m\"") == "");
}

TEST_CASE("closing connections of dead targets without checks is worth a warning") {
  CHECK(
      refused("health.on_ejected = \"close\"") ==
      "t.toml:4:21: warning: \"on_ejected\" is about targets that checks find dead, and there are "
      "no checks; set health.check");
  CHECK(refused("health = { on_ejected = \"close-idle\", check = \"tls\" }") == "");
  CHECK(refused("health.on_ejected = \"keep\"") == "");
}

}  // namespace tunnel::config::cross_checks_test
