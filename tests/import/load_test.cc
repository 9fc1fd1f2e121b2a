// SPDX-License-Identifier: MIT
// What is said about a file of TOML that borrows the words of stunnel or OpenSSL, and about one
// whose name promises the other language.
#include "import/load.h"

#include "tests/config/fixture.h"

namespace tunnel::import {
namespace {

using config::hint_of;
using config::kService;
using config::kWeb;

// Everything that is reported about a text that is called `name`.
std::string problems_of(const std::string& name, const std::string& text) {
  return parse(text, name, config::System::leave_alone, Syntax::by_name).render();
}

std::string problems(const std::string& text) { return problems_of("t.toml", text); }

// What is reported about one line of [web.tls], whose line 5 it is.
std::string tls_problem(const std::string& line) {
  return problems(kWeb + "[web.tls]\n" + line + "\n");
}

}  // namespace

TEST_CASE("keys of stunnel are translated") {
  CHECK(tls_problem("verifyChain = \"yes\"") ==
        "t.toml:5:1: error: unknown key \"verifyChain\"\n"
        "verifyChain = \"yes\"\n"
        "^\n"
        "hint: stunnel's \"verifyChain\" is \"verify\" here\n");
  CHECK(hint_of(tls_problem("cafile = \"x\"")) == "stunnel's \"CAfile\" is \"ca\" here");
  CHECK(hint_of(problems("CAfile = \"x\"\n" + kWeb)) ==
        "stunnel's \"CAfile\" is \"ca\" here, and belongs in a service, such as [web.tls]");
  CHECK(hint_of(problems(kWeb + "libwrap = true\n")).starts_with("stunnel's \"libwrap\" "));
}

TEST_CASE("OpenSSL's names of cipher suites are translated") {
  CHECK(tls_problem("ciphers = [\"TLS_AES_128_GCM_SHA256\", \"ECDHE-RSA-AES128-GCM-SHA256\"]") ==
        "t.toml:5:38: error: \"ECDHE-RSA-AES128-GCM-SHA256\" is OpenSSL's name of a cipher suite\n"
        "ciphers = [\"TLS_AES_128_GCM_SHA256\", \"ECDHE-RSA-AES128-GCM-SHA256\"]\n"
        "                                     ^\n"
        "hint: its standard name is \"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"\n");
  CHECK(tls_problem("ciphers = \"HIGH:!aNULL\"") ==
        "t.toml:5:11: error: \"HIGH:!aNULL\" is a cipher list of OpenSSL's, and no name of a "
        "suite\n"
        "ciphers = \"HIGH:!aNULL\"\n"
        "          ^\n"
        "hint: ciphers = [\"TLS_...\", ...] names each; `tunnel convert` translates the list of a "
        "stunnel.conf\n");
}

TEST_CASE("a stunnel.conf of another name is recognised at once") {
  CHECK(problems("; my tunnel\n[web]\nclient = yes\naccept = 127.0.0.1:8081\nconnect = h:443\n") ==
        "t.toml:3:1: error: syntax error: this looks like a stunnel.conf, and a file of this name "
        "is TOML\n"
        "client = yes\n"
        "^\n"
        "hint: call it t.conf to run it as it is; then `tunnel convert t.conf` prints the TOML "
        "that it means\n");
  CHECK(problems_of("/etc/tunnel/x", "[web]\naccept = 1\nconnect = 2\nCAfile = /etc/ca\n") ==
        "/etc/tunnel/x:4:1: error: syntax error: this looks like a stunnel.conf, and a file of "
        "this name is TOML\n"
        "CAfile = /etc/ca\n"
        "^\n"
        "hint: call it /etc/tunnel/x.conf to run it as it is; then `tunnel convert "
        "/etc/tunnel/x.conf` prints the TOML that it means\n");
  CHECK(problems("; my tunnel\n" + kService) ==
        "t.toml:1:1: error: syntax error: comments begin with \"#\", not with \";\"\n"
        "; my tunnel\n"
        "^\n");
}

TEST_CASE("TOML in a file that is called like a stunnel.conf is recognised at once") {
  const std::string expected =
      "t.conf:3:1: error: this looks like TOML, and a file of this name is read as a "
      "stunnel.conf\n"
      "accept = \"127.0.0.1:389\"\n"
      "^\n"
      "hint: call it t.toml\n";
  CHECK(problems_of("t.conf", "foreground = true\n" + kService) == expected);
  CHECK(problems_of("t.conf", "[web]\nclient = yes\naccept = 1\nconnect = h:1\n") != "");
  CHECK(problems_of("t.conf", "[web]\nclient = yes\naccept = 1\nconnect = h:1\n").find("TOML") ==
        std::string::npos);
}

}  // namespace tunnel::import
