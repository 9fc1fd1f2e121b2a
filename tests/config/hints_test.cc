// SPDX-License-Identifier: MIT
// What is said about a file that can be read and means something else: keys of other tables and
// programs, other programs' words, URLs, names that are near, files that cannot be read.
#include <sys/stat.h>
#include <unistd.h>

#include "config/schema.h"
#include "fixture.h"

namespace tunnel::config::hints_test {
namespace {

// What is reported about one line of [web.tls], whose line 5 it is.
std::string tls_problem(const std::string& line) {
  return problems(kWeb + "[web.tls]\n" + line + "\n");
}

}  // namespace

// ---- keys

TEST_CASE("hints name the table of the service at hand") {
  CHECK(problems(kWeb + "verify = \"none\"\n") ==
        "t.toml:4:1: error: unknown key \"verify\"\n"
        "verify = \"none\"\n"
        "^\n"
        "hint: \"verify\" belongs in [web.tls]\n");
  CHECK(hint_of(problems(kWeb + "idle = \"1h\"\n")) ==
        "\"idle\" belongs in [web.timeouts], or in [web.keepalive]");
  CHECK(hint_of(problems("[\"my web\"]\naccept = 1\nconnect = \"h:1\"\nca = \"x\"\n")) ==
        "\"ca\" belongs in [\"my web\".tls]");
  CHECK(hint_of(problems("[defaults]\nca = \"x\"\n" + kWeb)) == "\"ca\" belongs in [defaults.tls]");
  CHECK(hint_of(problems("ca = \"x\"\n" + kWeb)) ==
        "\"ca\" belongs in a service, such as [web.tls]");
  CHECK(hint_of(problems("connect = \"h:1\"\n[web]\naccept = 1\nconnect = \"h:1\"\n")) ==
        "\"connect\" belongs in a service, such as [web], or [web.timeouts]");
  CHECK(hint_of(tls_problem("balance = \"hash\"")) == "\"balance\" belongs in [web]");
}

TEST_CASE("one timeout is not the timeout of a health check") {
  CHECK(problems(kWeb + "timeout = 5\n") ==
        "t.toml:4:1: error: unknown key \"timeout\"\n"
        "timeout = 5\n"
        "^\n"
        "hint: did you mean \"timeouts\"? It has a key for each phase: timeouts = { connect = "
        "\"5s\", idle = \"1h\" }\n");
}

TEST_CASE("keys of other programs are translated") {
  CHECK(hint_of(tls_problem("ca_file = \"x\"")) == "\"ca_file\" is \"ca\" here");
  CHECK(hint_of(tls_problem("verify_peer = true")) == "\"verify_peer\" is \"verify\" here");
  CHECK(hint_of(problems(kWeb + "ca-file = \"x\"\n")) ==
        "\"ca-file\" is \"ca\" here, and belongs in [web.tls]");
  CHECK(hint_of(problems(kWeb + "listen = 1\n")) == "\"listen\" is \"accept\" here");
  CHECK(hint_of(problems(kWeb + "upstream = \"x\"\n")) == "\"upstream\" is \"connect\" here");
  CHECK(hint_of(problems("daemon = true\n" + kWeb)) == "\"daemon\" is \"foreground\" here");
}

TEST_CASE("names of other programs are those that loading was lent") {
  const Foreign foreign{
      .find_stunnel_option = [](std::string_view name) -> std::optional<ForeignOption> {
        if (name == "xyzzy") return ForeignOption{.name = "Xyzzy", .key = "tls.ca"};
        if (name == "fips") return ForeignOption{.name = "fips", .key = "", .verdict = "is gone"};
        return std::nullopt;
      },
      .standard_suite =
          [](std::string_view name) { return std::string_view(name == "AES" ? "TLS_AES" : ""); }};
  const auto hint = [&](const std::string& line) {
    return hint_of(parse(kWeb + line, "t.toml", System::leave_alone, foreign).render());
  };
  CHECK(hint("xyzzy = \"x\"\n") == "stunnel's \"Xyzzy\" is \"ca\" here, and belongs in [web.tls]");
  CHECK(hint("fips = true\n") == "stunnel's \"fips\" is gone");
  CHECK(hint("tls.ciphers = \"AES\"\n") == "its standard name is \"TLS_AES\"");
  CHECK(hint_of(problems(kWeb + "xyzzy = \"x\"\n")) == "");
}

// ---- words and values

TEST_CASE("other programs' words lead to ours") {
  CHECK(tls_problem("min_version = \"TLSv1.2\"") ==
        "t.toml:5:15: error: \"min_version\" must be \"1.0\", \"1.1\", \"1.2\" or \"1.3\", not "
        "\"TLSv1.2\"\n"
        "min_version = \"TLSv1.2\"\n"
        "              ^\n"
        "hint: did you mean \"1.2\"?\n");
  CHECK(tls_problem("max_version = 1.3") ==
        "t.toml:5:15: error: \"max_version\" must be \"1.0\", \"1.1\", \"1.2\" or \"1.3\", not a "
        "number with a point\n"
        "max_version = 1.3\n"
        "              ^\n"
        "hint: did you mean \"1.3\"?\n");
  CHECK(tls_problem("verify = false") ==
        "t.toml:5:10: error: \"verify\" must be \"full\", \"chain\", \"pin\" or \"none\", not a "
        "boolean\n"
        "verify = false\n"
        "         ^\n"
        "hint: did you mean \"none\"?\n");
  CHECK(hint_of(tls_problem("verify = \"peer\"")) == "did you mean \"full\"?");
  CHECK(hint_of(tls_problem("verify = 2")) == "did you mean \"chain\"?");
  CHECK(hint_of(tls_problem("verify = \"FULL\"")) == "did you mean \"full\"?");
  CHECK(hint_of(tls_problem("min_version = \"tlsv1.3\"")) == "did you mean \"1.3\"?");
  CHECK(hint_of(problems("log_level = \"warn\"\n" + kWeb)) == "did you mean \"warning\"?");
  CHECK(hint_of(problems(kWeb + "balance = \"leastconn\"\n")) ==
        "did you mean \"least-connections\"?");
  CHECK(hint_of(problems(kWeb + "starttls = \"postgresql\"\n")) == "did you mean \"pgsql\"?");
  CHECK(hint_of(problems(kWeb + "send_proxy = true\n")) == "did you mean \"v1\"?");
  CHECK(hint_of(problems(kWeb + "balance = 5\n")) == "");
}

TEST_CASE("no word of another program is taken or listed") {
  for (const Named& named : all_options()) {
    for (const Word& word : named.option->words) {
      if (word.availability != Availability::elsewhere) continue;
      CAPTURE(word.word);
      CHECK(describe(*named.option).find("\"" + std::string(word.word) + "\"") ==
            std::string::npos);
    }
  }
}

// ---- addresses

TEST_CASE("a URL is turned into the address that is in it") {
  CHECK(problems("[web]\naccept = \"http://127.0.0.1:8081/\"\nconnect = \"https://host:443/\"\n") ==
        "t.toml:2:10: error: \"http://127.0.0.1:8081/\" is a URL; an address is \"ADDRESS:PORT\" "
        "only\n"
        "accept = \"http://127.0.0.1:8081/\"\n"
        "         ^\n"
        "hint: write \"127.0.0.1:8081\"\n"
        "t.toml:3:11: error: \"https://host:443/\" is a URL; a target is \"HOST:PORT\" only\n"
        "connect = \"https://host:443/\"\n"
        "          ^\n"
        "hint: write \"host:443\"\n");
  const auto hint = [](const std::string& target) {
    return hint_of(problems("[web]\naccept = 1\nconnect = \"" + target + "\"\n"));
  };
  CHECK(hint("https://www.example.com/a?b:1#c") == "write \"www.example.com:443\"");
  CHECK(hint("LDAPS://[2001:db8::1]") == "write \"[2001:db8::1]:636\"");
  CHECK(hint("https://[2001:db8::1]:8443/x") == "write \"[2001:db8::1]:8443\"");
  CHECK(hint("smtps://me:secret@mail:2465") == "write \"mail:2465\"");
  CHECK(hint("gopher://host/x") == "write \"host:PORT\"");
  CHECK(hint("unix:///run/x.sock") == "write \"/run/x.sock\"");
  CHECK(hint("unix:/run/x.sock") == "write \"/run/x.sock\"");
  CHECK(hint("unix@/run/x.sock") == "write \"/run/x.sock\"");
  CHECK(hint_of(problems("[web]\naccept = \"unix:/run/x.sock\"\nconnect = \"h:1\"\n")) ==
        "write \"/run/x.sock\"");
  CHECK(hint("https://") == "");
}

TEST_CASE("a path behind the port does not make a unix socket of a target") {
  CHECK(problems("[web]\naccept = 1\nconnect = \"host:443/\"\n") ==
        "t.toml:3:11: error: a target is \"HOST:PORT\", without a path behind the port\n"
        "connect = \"host:443/\"\n"
        "          ^\n"
        "hint: write \"host:443\"\n");
  // A folder may be called like that.
  CHECK(service_of("[web]\naccept = 1\ntls = false\nconnect = \"./host:443/x.sock\"\n")
            .connect[0][0]
            .form == Target::Form::unix_socket);
}

// ---- services

TEST_CASE("the table of a service that does not exist is led to the one that does") {
  CHECK(problems(kWeb + "[wbe.tls]\nverify = \"chain\"\n") ==
        "t.toml:4:2: error: service \"wbe\": \"accept\" and \"connect\" are missing\n"
        "[wbe.tls]\n"
        " ^\n"
        "hint: did you mean [web.tls]?\n");
}

TEST_CASE("services in an outer table are read, and the table is refused") {
  CHECK(problems("[services.web]\naccept = 1\nconnect = \"h:1\"\n"
                 "[services.mail]\naccept = 2\nconect = \"h:2\"\n") ==
        "t.toml:1:2: error: a service is a table of its own, not one in \"services\"\n"
        "[services.web]\n"
        " ^\n"
        "hint: write [web] instead of [services.web]\n"
        "t.toml:4:11: error: service \"mail\": \"connect\" is missing\n"
        "[services.mail]\n"
        "          ^\n"
        "hint: where is the server? connect = \"ldap.example.com:636\"\n"
        "t.toml:6:1: error: unknown key \"conect\"\n"
        "conect = \"h:2\"\n"
        "^\n"
        "hint: did you mean \"connect\"?\n");
}

TEST_CASE("a service that connects to itself is an error") {
  CHECK(problems("[web]\naccept = \"127.0.0.1:8081\"\nconnect = \"127.0.0.1:8081\"\n") ==
        "t.toml:3:11: error: \"127.0.0.1:8081\" is where this service accepts, so it would connect "
        "to itself, again and again\n"
        "connect = \"127.0.0.1:8081\"\n"
        "          ^\n"
        "hint: the target is the server's own address: \"HOST:PORT\"\n");
  const auto is_loop = [](const std::string& accept, const std::string& connect) {
    return problems("[web]\ntls = false\nallow_remote = true\naccept = " + accept +
                    "\nconnect = " + connect + "\n")
               .find("error: ") != std::string::npos;
  };
  CHECK(is_loop("8081", "\"localhost:8081\""));
  CHECK(is_loop("\"*:8081\"", "\"localhost:8081\""));
  CHECK(is_loop("\"*:8081\"", "\"127.0.0.2:8081\""));
  CHECK(is_loop("\"127.0.0.1:8081\"", "\"0.0.0.0:8081\""));
  CHECK(is_loop("\"[::1]:8081\"", "\"[::1]:8081\""));
  CHECK(is_loop("\"/run/x\"", "\"/run/x\""));
  CHECK(is_loop("\"@x\"", "\"@x\""));
  CHECK(is_loop("8081", "[[\"a:1\"], [\"b:1\", { address = \"127.0.0.1:8081\", weight = 2 }]]"));
  CHECK_FALSE(is_loop("8081", "\"localhost:8082\""));
  CHECK_FALSE(is_loop("8081", "[\"a:1\", { address = \"127.0.0.1:8081\", weight = 0 }]"));
  CHECK_FALSE(is_loop("\"127.0.0.1:0\"", "\"127.0.0.1:1\""));
  CHECK_FALSE(is_loop("\"127.0.0.1:8081\"", "\"127.0.0.2:8081\""));
  CHECK_FALSE(is_loop("\"127.0.0.1:8081\"", "\"10.0.0.1:8081\""));
  CHECK_FALSE(is_loop("\"*:8081\"", "\"10.0.0.1:8081\""));
  // The proxy's localhost is another machine.
  CHECK_FALSE(is_loop("8081", "\"localhost:8081\"\nproxy = \"http://p:1\""));
}

TEST_CASE("a loop is reported at its target, behind a wrong one in a group, too") {
  CHECK(problems("[web]\naccept = 8081\nconnect = [[\"10.0.0.300:1\", \"127.0.0.1:8081\"]]\n")
            .find("t.toml:3:29: error: \"127.0.0.1:8081\" is where this service accepts") !=
        std::string::npos);
}

TEST_CASE("an address that one family of localhost shares is a warning") {
  CHECK(problems("[web]\naccept = \"127.0.0.1:8081\"\nconnect = \"localhost:8081\"\n") ==
        "t.toml:3:11: warning: \"localhost:8081\" is where this service accepts, so it may connect "
        "to itself, again and again\n"
        "connect = \"localhost:8081\"\n"
        "          ^\n"
        "hint: the target is the server's own address: \"HOST:PORT\"\n");
}

TEST_CASE("services that connect to one another in a circle are an error") {
  CHECK(problems("[a]\naccept = 1\nconnect = \"localhost:2\"\n"
                 "[b]\naccept = 2\nconnect = [\"h:1\", \"127.0.0.1:3\"]\n"
                 "[c]\naccept = \"*:3\"\nallow_remote = true\nconnect = \"127.0.0.1:1\"\n") ==
        "t.toml:10:11: error: connections would go round and round: [a] connects to "
        "\"localhost:2\", where [b] accepts, and [b] connects to \"127.0.0.1:3\", where [c] "
        "accepts, and [c] connects to \"127.0.0.1:1\", where [a] accepts\n"
        "connect = \"127.0.0.1:1\"\n"
        "          ^\n"
        "hint: the target is the server's own address: \"HOST:PORT\"\n");
  // A chain is none.
  CHECK(problems("[a]\naccept = 1\nconnect = \"localhost:2\"\n"
                 "[b]\naccept = 2\nconnect = \"h:1\"\n") == "");
}

TEST_CASE("ten thousand services in a row end the search for circles") {
  std::string text;
  for (int i = 1; i <= 10'000; ++i) {
    text += "[s" + std::to_string(i) + "]\naccept = \"127.0.0.1:" + std::to_string(i) +
            "\"\nconnect = \"127.0.0.1:" + std::to_string(i % 10'000 + 1) + "\"\n";
  }
  CHECK(
      problems(text).starts_with("t.toml:30000:11: error: connections would go round and round: "));
}

// ---- files

TEST_CASE("a path that a shell would expand is named as such") {
  const test::TempFolder folder;
  const std::string path =
      folder.write("t.toml", kWeb + "[web.tls]\nca = \"~/ca.pem\"\ncrl = \"$HOME/x.crl\"\n");
  CHECK(load(path).render() ==
        path + ":5:6: error: cannot read " + folder.path("~/ca.pem") +
            ": No such file or directory\n"
            "ca = \"~/ca.pem\"\n"
            "     ^\n"
            "hint: \"~\" is not expanded: write the whole path\n" +
            path + ":6:7: error: cannot read " + folder.path("$HOME/x.crl") +
            ": No such file or directory\n"
            "crl = \"$HOME/x.crl\"\n"
            "      ^\n"
            "hint: variables such as $HOME are not expanded: write the whole "
            "path, or ${HOME} and expand_environment = true\n");
}

TEST_CASE("paths are shown without detours") {
  const test::TempFolder folder;
  (void)folder.write("m/empty", "");
  (void)folder.write("t.toml", kWeb + "tls.ca = \"ca.pem\"\n");
  CHECK(load(folder.path("m/../t.toml"))
            .render()
            .find(" cannot read " + folder.path("ca.pem") + ": No such file") != std::string::npos);
}

TEST_CASE("a folder that does not exist is named") {
  CHECK(hint_of(problems(kWeb + "tls.ca = \"/nonexistent/tls/ca.pem\"\n", System::use)) ==
        "there is no folder /nonexistent");
}

TEST_CASE("a file that may not be read says who asked and who may") {
  const test::TempFolder folder;
  const std::string key = folder.write("private/web.pem", "");
  const std::string config = kWeb + "tls.ca = \"" + key + "\"\n";
  REQUIRE(::chmod(folder.path("").c_str(), 0755) == 0);
  REQUIRE(::chmod(key.c_str(), 0600) == 0);
  const bool is_root = ::geteuid() == 0;
  if (!is_root) return;  // one's own file cannot be another's
  (void)::unsetenv("INVOCATION_ID");
  REQUIRE(::seteuid(65534) == 0);
  const std::string file = problems(config, System::use);
  REQUIRE(::seteuid(0) == 0);
  CHECK(file == "t.toml:4:10: error: cannot read " + key +
                    ": Permission denied\n"
                    "tls.ca = \"" +
                    key +
                    "\"\n"
                    "         ^\n"
                    "hint: this process runs as nobody, and the file is mode 0600, root:root; let "
                    "that user or one of its groups read it\n");
  const std::string secret = folder.write("t.toml", kWeb);
  REQUIRE(::chmod(secret.c_str(), 0600) == 0);
  REQUIRE(::seteuid(65534) == 0);
  const std::string itself = load(secret).render();
  REQUIRE(::seteuid(0) == 0);
  CHECK(itself ==
        secret +
            ": error: cannot be opened: Permission denied\n"
            "hint: this process runs as nobody, and the file is mode 0600, root:root; let "
            "that user or one of its groups read it\n");
  REQUIRE(::chmod(folder.path("private").c_str(), 0700) == 0);
  (void)::setenv("INVOCATION_ID", "1", 1);
  REQUIRE(::seteuid(65534) == 0);
  const std::string inside = problems(config, System::use);
  REQUIRE(::seteuid(0) == 0);
  (void)::unsetenv("INVOCATION_ID");
  CHECK(hint_of(inside) ==
        "this process runs as nobody, which may not enter the folder " + folder.path("private") +
            " (mode 0700, root:root); move the file, or let it in, or hand it over with "
            "LoadCredential= in the unit and name it without its folder");
}

TEST_CASE("a program that is not executable says what to do") {
  const test::TempFolder folder;
  const std::string script = folder.write("script", "#!/bin/sh\n");
  CHECK(hint_of(problems("[s]\nexec = \"" + script + "\"\nconnect = \"h:1\"\n", System::use)) ==
        "a program has to be executable: chmod +x " + script);
}

TEST_CASE("an include that finds nothing says so") {
  const test::TempFolder folder;
  const std::string path = folder.write("t.toml", "include = \"conf.d/*.toml\"\n");
  CHECK(load(path).render() == path +
                                   ":1:1: error: there is no service in this file\n"
                                   "include = \"conf.d/*.toml\"\n"
                                   "^\n"
                                   "hint: the files that \"include\" names hold none, either\n" +
                                   path + ":1:11: warning: no file matches " +
                                   folder.path("conf.d/*.toml") +
                                   "\n"
                                   "include = \"conf.d/*.toml\"\n"
                                   "          ^\n"
                                   "hint: there is no folder " +
                                   folder.path("conf.d") + "\n");
}

}  // namespace tunnel::config::hints_test
