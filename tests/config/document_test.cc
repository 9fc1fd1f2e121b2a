// SPDX-License-Identifier: MIT
// Whole documents: services, defaults, unknown keys, problems in order, and later problems.
#include "config/load.h"
#include "fixture.h"

namespace tunnel::config::document_test {

TEST_CASE("the smallest file is a service with every default") {
  const Document document = parse(
      "foreground = true\n"
      "\n"
      "[ldap]\n"
      "accept  = \"127.0.0.1:389\"\n"
      "connect = \"ldap.example.com:636\"\n",
      "/etc/tunnel.toml");
  CHECK(document.render() == "");
  CHECK(document.config.path == "/etc/tunnel.toml");
  CHECK(document.config.global.foreground);
  REQUIRE(document.config.services.size() == 1);
  const Service& service = document.config.services[0];
  CHECK(service.name == "ldap");
  CHECK(service.tls == Tls{});
  CHECK(service.timeouts == Timeouts{});
  CHECK(service.keepalive == Keepalive{});
  CHECK(service.health == Health{});
}

TEST_CASE("services keep the order of the file") {
  const Document document = parse(
      "[z]\naccept = 1\nconnect = \"h:1\"\n[a]\naccept = 2\nconnect = \"h:1\"\n"
      "[\"m n\"]\naccept = 3\nconnect = \"h:1\"\n",
      "t.toml");
  REQUIRE(document.config.services.size() == 3);
  CHECK(document.config.services[0].name == "z");
  CHECK(document.config.services[1].name == "a");
  CHECK(document.config.services[2].name == "m n");
}

TEST_CASE("every problem of a file is reported in one run, sorted by place") {
  CHECK(problems("log_levle = \"info\"\n"
                 "workers = 0\n"
                 "\n"
                 "[ldap]\n"
                 "acept = \"127.0.0.1:389\"\n"
                 "\tconnect = \"ldap.example.com:99999\"\n"
                 "max_connections = \"many\"\n"
                 "[other]\n"
                 "accept = \"127.0.0.1:390\"\n") ==
        "t.toml:1:1: error: unknown key \"log_levle\"\n"
        "log_levle = \"info\"\n"
        "^\n"
        "hint: did you mean \"log_level\"?\n"
        "t.toml:2:11: error: \"workers\" must be between 1 and 1024\n"
        "workers = 0\n"
        "          ^\n"
        "t.toml:4:2: error: service \"ldap\": \"accept\" is missing\n"
        "[ldap]\n"
        " ^\n"
        "hint: where do clients connect? accept = \"127.0.0.1:389\"\n"
        "t.toml:5:1: error: unknown key \"acept\"\n"
        "acept = \"127.0.0.1:389\"\n"
        "^\n"
        "hint: did you mean \"accept\"?\n"
        "t.toml:6:12: error: port 99999 is out of range; ports go up to 65535\n"
        "\tconnect = \"ldap.example.com:99999\"\n"
        "\t          ^\n"
        "t.toml:7:19: error: \"max_connections\" must be an integer from 1, not a string\n"
        "max_connections = \"many\"\n"
        "                  ^\n"
        "t.toml:8:2: error: service \"other\": \"connect\" is missing\n"
        "[other]\n"
        " ^\n"
        "hint: where is the server? connect = \"ldap.example.com:636\"\n");
}

TEST_CASE("a key in the wrong table is sent to the right one") {
  CHECK(problems(kService + "foreground = true\n"
                            "verify = \"none\"\n"
                            "half_close = \"5s\"\n") ==
        "t.toml:4:1: error: unknown key \"foreground\"\n"
        "foreground = true\n"
        "^\n"
        "hint: \"foreground\" is a global key: it belongs before the first table\n"
        "t.toml:5:1: error: unknown key \"verify\"\n"
        "verify = \"none\"\n"
        "^\n"
        "hint: \"verify\" belongs in [ldap.tls]\n"
        "t.toml:6:1: error: unknown key \"half_close\"\n"
        "half_close = \"5s\"\n"
        "^\n"
        "hint: \"half_close\" belongs in [ldap.timeouts]\n");
  CHECK(problems("accept = 1\n" + kService) ==
        "t.toml:1:1: error: unknown key \"accept\"\n"
        "accept = 1\n"
        "^\n"
        "hint: \"accept\" belongs in a service, such as [ldap]\n");
  // What is misspelled besides being in the wrong place.
  CHECK(problems("acept = 1\n" + kService)
            .ends_with("hint: did you mean \"accept\"? It belongs in a service, such as [ldap]\n"));
  CHECK(problems("xyzzy = 1\n" + kService).find("hint") == std::string::npos);
}

TEST_CASE("what is no key is unknown") {
  CHECK(problems("admin = \"x\"\n" + kService).find("error: unknown key \"admin\"\n") !=
        std::string::npos);
}

TEST_CASE("the server side is refused in so many words") {
  CHECK(problems(kService + "client = true\n") == "");
  CHECK(problems(kService + "client = yes\n") == "");
  CHECK(problems(kService + "client = false\n") ==
        "t.toml:4:10: error: this is a client tunnel: it accepts plaintext and speaks TLS to its "
        "targets; it cannot be the server side\n"
        "client = false\n"
        "         ^\n"
        "hint: remove the line, or keep stunnel or another TLS server for this service\n");
}

TEST_CASE("a file without a service says what one looks like") {
  const std::string expected =
      "t.toml:1:1: error: there is no service in this file\n"
      "hint: the smallest one is: [ldap], accept = \"127.0.0.1:389\", connect = "
      "\"ldap.example.com:636\", each on a line of its own\n";
  CHECK(problems("") == expected);
  CHECK(problems("\n\n") == expected);
  CHECK(problems("[defaults]\n").starts_with("t.toml:1:1: error: there is no service"));
}

// toml++ 3.3 asserts or declares unreachable what this input reaches.
TEST_CASE("syntax that the parser does not expect is an error like any other") {
  for (const char* text :
       {"[[[", "[[f\xcc\xba", "a\xc3\xa9 = 1", "a = 1\xcc\xba", "[a.\xc3\xa9]\n"}) {
    CAPTURE(text);
    CHECK(problems(text).starts_with("t.toml:1:"));
  }
}

TEST_CASE("what cannot be a service is refused") {
  CHECK(problems("[[ldap]]\naccept = 1\n") ==
        "t.toml:1:3: error: a service is one table, not a list of them\n"
        "[[ldap]]\n"
        "  ^\n"
        "hint: write [ldap] with single brackets\n");
  CHECK(problems("[log_level]\naccept = 1\nconnect = \"h:1\"\n") ==
        "t.toml:1:2: error: \"log_level\" is a global key, so no service can have this name\n"
        "[log_level]\n"
        " ^\n"
        "hint: global keys stand before the first table: log_level = ...\n");
  CHECK(problems("[\"\"]\naccept = 1\nconnect = \"h:1\"\n")
            .starts_with("t.toml:1:2: error: \"\" is not a name for a service"));
  CHECK(problems("[\"a\\tb\"]\naccept = 1\nconnect = \"h:1\"\n")
            .starts_with("t.toml:1:2: error: \"a\\x09b\" is not a name for a service"));
  CHECK(problems("defaults = 3\n" + kService) ==
        "t.toml:1:12: error: \"defaults\" must be a table, not an integer\n"
        "defaults = 3\n"
        "           ^\n");
}

TEST_CASE("defaults hold for services that do not say otherwise") {
  const Document document = parse(
      "[defaults]\n"
      "balance = \"first\"\n"
      "max_connections = 7\n"
      "accept = \"127.0.0.1:0\"\n"
      "[a]\nconnect = \"h:1\"\n"
      "[b]\nconnect = \"h:1\"\naccept = \"[::1]:0\"\nbalance = \"hash\"\n",
      "t.toml");
  CHECK(document.render() == "");
  const std::vector<Service>& services = document.config.services;
  REQUIRE(services.size() == 2);
  CHECK(services[0].balance == Balance::first);
  CHECK(services[0].accept[0].text == "127.0.0.1:0");
  CHECK(services[1].balance == Balance::hash);
  CHECK(services[1].accept[0].text == "[::1]:0");
  CHECK(services[1].max_connections == 7U);
}

TEST_CASE("tables of defaults and service merge key by key") {
  const Document document = parse(
      "[defaults]\n"
      "timeouts = { idle = \"1h\", dial = \"9s\" }\n"
      "[defaults.tls]\n"
      "sni = \"x\"\n"
      "min_version = \"1.3\"\n"
      "[defaults.health.tls]\n"
      "sni = \"h\"\n"
      "verify = \"chain\"\n"
      "[a]\naccept = 1\nconnect = \"h:1\"\n"
      "timeouts.dial = \"3s\"\n"
      "tls = { sni = \"y\", alpn = [\"ldap\"] }\n"
      "health.tls.sni = \"z\"\n",
      "t.toml");
  const Service& service = document.config.services.at(0);
  CHECK(service.timeouts.idle == Millis(3'600'000));
  CHECK(service.timeouts.dial == Millis(3000));
  CHECK(service.timeouts.resolve == Millis(5000));
  REQUIRE(service.tls.has_value());
  CHECK(service.tls->sni == "y");
  CHECK(service.tls->min_version == TlsVersion::tls1_3);
  CHECK(service.tls->alpn == std::vector<std::string>{"ldap"});
  REQUIRE(service.health.tls.has_value());
  CHECK(service.health.tls->sni == "z");
  CHECK(service.health.tls->verify == Verify::chain);
}

TEST_CASE("false for a table in one place and a table in the other: the service wins") {
  const auto tls = [](const std::string& defaults, const std::string& service) {
    return service_of("[defaults]\n" + defaults + "\n" + kService + service + "\n");
  };
  CHECK_FALSE(tls("tls = { sni = \"x\" }", "tls = false").tls.has_value());
  CHECK_FALSE(tls("tls = false", "").tls.has_value());
  CHECK(tls("tls = false", "tls = { sni = \"y\" }").tls->sni == "y");
  CHECK(tls("tls = false", "tls = true").tls == Tls{});
  CHECK(tls("tls = { sni = \"x\" }", "tls = true").tls->sni == "x");
  CHECK(tls("tls = { sni = \"x\" }", "").tls->sni == "x");
  CHECK_FALSE(tls("keepalive = false", "").keepalive.enabled);
  CHECK(tls("keepalive = false", "keepalive.count = 3").keepalive.count == 3);
  CHECK(tls("keepalive = false", "keepalive.count = 3").keepalive.enabled);
  CHECK_FALSE(tls("keepalive.count = 3", "keepalive = \"no\"").keepalive.enabled);
  CHECK(problems(kService + "tls = 5\n") ==
        "t.toml:4:7: error: \"tls\" must be a table or false, not an integer\n"
        "tls = 5\n"
        "      ^\n");
}

TEST_CASE("a mistake in defaults is reported once, however many services there are") {
  CHECK(problems("[defaults]\n"
                 "balance = \"x\"\n"
                 "nonsense = 1\n"
                 "[a]\naccept = 1\nconnect = \"h:1\"\n[b]\naccept = 2\nconnect = \"h:1\"\n") ==
        "t.toml:2:11: error: \"balance\" must be \"round-robin\", \"least-connections\", "
        "\"random\", \"hash\" or \"first\", not \"x\"\n"
        "balance = \"x\"\n"
        "          ^\n"
        "t.toml:3:1: error: unknown key \"nonsense\"\n"
        "nonsense = 1\n"
        "^\n");
}

TEST_CASE("a mistake in defaults is reported even if every service says otherwise") {
  CHECK(problems("[defaults]\nbalance = 1\n" + kService + "balance = \"hash\"\n")
            .starts_with("t.toml:2:11: error: \"balance\" must be "));
}

TEST_CASE("no more than a hundred problems are shown, and the rest is counted") {
  std::string text = kService;
  for (int i = 0; i < 150; ++i) text += "qqqqqqqqqq" + std::to_string(i) + " = 1\n";
  const std::string shown = problems(text);
  CHECK(shown.find("t.toml:103:1: error: ") != std::string::npos);
  CHECK(shown.find("t.toml:104:1: error: ") == std::string::npos);
  CHECK(shown.ends_with("^\n... and 50 more problems\n"));
}

TEST_CASE("later stages report at the key, its entry, its table, or the service") {
  const std::string text =
      "log_level = \"info\"\n"
      "[defaults.tls]\n"
      "sni = \"x\"\n" +
      kService +
      "[ldap.tls]\n"
      "name = [\"a\",\n"
      "  \"b\"]\n";
  const auto reported = [&](const std::string& service, const std::string& key, int index) {
    Document document = parse(text, "t.toml", System::leave_alone);
    REQUIRE(document.render() == "");
    document.problem(service, key, index, "wrong", "do it right");
    CHECK(document.has_errors());
    return document.render();
  };
  CHECK(reported("ldap", "tls.name", 1) ==
        "t.toml:9:3: error: wrong\n  \"b\"]\n  ^\nhint: do it right\n");
  CHECK(reported("ldap", "tls.name", -1).starts_with("t.toml:8:8: error: wrong\n"));
  CHECK(reported("ldap", "tls.name", 7).starts_with("t.toml:8:8: error: wrong\n"));
  CHECK(reported("ldap", "tls.sni", -1).starts_with("t.toml:3:7: error: wrong\n"));
  CHECK(reported("ldap", "tls.ca", 0).starts_with("t.toml:7:1: error: wrong\n"));
  CHECK(reported("ldap", "health.tls.ca", -1).starts_with("t.toml:4:2: error: wrong\n"));
  CHECK(reported("ldap", "", -1).starts_with("t.toml:4:2: error: wrong\n"));
  CHECK(reported("", "log_level", -1).starts_with("t.toml:1:13: error: wrong\n"));
  CHECK(reported("no such service", "x", -1).starts_with("t.toml: error: wrong\n"));
}

TEST_CASE("a second error at the same place adds nothing, a warning does") {
  Document document = parse(kService + "tls.pin = \"x\"\n", "t.toml", System::leave_alone);
  const std::string before = document.render();
  document.problem("ldap", "tls.pin", -1, "the same in other words");
  CHECK(document.render() == before);
  document.warning("ldap", "tls.pin", -1, "and by the way");
  CHECK(document.render() == before +
                                 "t.toml:4:11: warning: and by the way\n"
                                 "tls.pin = \"x\"\n"
                                 "          ^\n");
}

}  // namespace tunnel::config::document_test
