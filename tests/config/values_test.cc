// SPDX-License-Identifier: MIT
// Every kind of value: booleans, durations, words, numbers, paths, users, and what is refused.
#include "config/codec.h"
#include "fixture.h"

namespace tunnel::config::values_test {
namespace {

Global global_of(const std::string& text) {
  const Document document =
      parse(text + "\n" + kService, "/etc/tunnel/t.toml", System::leave_alone);
  REQUIRE(document.render() == "");
  return document.config.global;
}

// The first line of what is reported about one more line of a good service.
std::string refused(const std::string& line) {
  const std::string text = problems(kService + line + "\n");
  return text.substr(0, text.find('\n'));
}

std::string refused_global(const std::string& line) {
  const std::string text = problems(line + "\n" + kService);
  return text.substr(0, text.find('\n'));
}

}  // namespace

TEST_CASE("a boolean is true, false, \"yes\", \"no\", or a bare yes or no") {
  CHECK(global_of("foreground = true").foreground);
  CHECK(global_of("foreground = \"yes\"").foreground);
  CHECK(global_of("foreground = yes").foreground);
  CHECK(global_of("foreground = yes # as in stunnel").foreground);
  CHECK_FALSE(global_of("foreground = \"no\"").foreground);
  CHECK_FALSE(global_of("foreground = no").foreground);
  CHECK(refused_global("foreground = \"maybe\"") ==
        "t.toml:1:14: error: \"foreground\" must be true or false, not a string");
  CHECK(refused_global("foreground = 1") ==
        "t.toml:1:14: error: \"foreground\" must be true or false, not an integer");
}

TEST_CASE("bare words keep their columns, and strings and comments their words") {
  const std::string text =
      "foreground = yes\n"
      "log_file = \"yes\" # no, yes\n"
      "[s]\n"
      "tls = { resumtion = no, nmae = [yes, \"no\"] }\n"
      "accept = \"no\"\n";
  const std::string expected =
      "t.toml:3:2: error: service \"s\": \"connect\" is missing\n"
      "[s]\n"
      " ^\n"
      "hint: where is the server? connect = \"ldap.example.com:636\"\n"
      "t.toml:4:9: error: unknown key \"resumtion\"\n"
      "tls = { resumtion = no, nmae = [yes, \"no\"] }\n"
      "        ^\n"
      "hint: did you mean \"resumption\"?\n"
      "t.toml:4:25: error: unknown key \"nmae\"\n"
      "tls = { resumtion = no, nmae = [yes, \"no\"] }\n"
      "                        ^\n"
      "hint: did you mean \"name\"?\n"
      "t.toml:5:10: error: \"no\" is neither a port number nor a service name of /etc/services\n"
      "accept = \"no\"\n"
      "         ^\n"
      "hint: write \"ADDRESS:PORT\", a port, or the path of a socket with a slash in it\n";
  CHECK(problems(text) == expected);
}

TEST_CASE("a bare word where no boolean belongs is called a boolean") {
  CHECK(refused("tls.verify = no") ==
        "t.toml:4:14: error: \"verify\" must be \"full\", \"chain\", \"pin\" or \"none\", not a "
        "boolean");
}

TEST_CASE("a duration is text with units, or whole seconds; a timeout may be off") {
  const auto idle = [](const std::string& value) {
    return service_of(kService + "timeouts.idle = " + value + "\n").timeouts.idle;
  };
  CHECK(idle("\"250ms\"") == Millis(250));
  CHECK(idle("\"1h30m\"") == Millis(5'400'000));
  CHECK(idle("10") == Millis(10'000));
  CHECK(idle("\"off\"") == std::nullopt);
  CHECK(refused("timeouts.idle = 0") == "t.toml:4:17: error: \"idle\" must be at least 1ms");
  CHECK(refused("timeouts.idle = \"0s\"") == "t.toml:4:17: error: \"idle\" must be at least 1ms");
  CHECK(refused("timeouts.idle = -5") ==
        "t.toml:4:17: error: \"idle\" must be between 0 seconds and ten years");
  CHECK(refused("timeouts.idle = \"5 parsecs\"") ==
        "t.toml:4:17: error: \"5 parsecs\" is not a duration; write it like \"250ms\", \"10s\", "
        "\"5m\" "
        "or \"1h30m\"");
  CHECK(
      refused("timeouts.idle = 1.5") ==
      "t.toml:4:17: error: \"idle\" must be a duration such as \"10s\" or \"5m\", or \"off\", not "
      "a number with a point");
  CHECK(refused("timeouts.idle = 9223372036854775807") ==
        "t.toml:4:17: error: \"idle\" must be between 0 seconds and ten years");
  CHECK(refused_global("shutdown_timeout = \"off\"").empty());
  CHECK(refused_global("dns_min_ttl = \"off\"") ==
        "t.toml:1:15: error: \"dns_min_ttl\" cannot be \"off\"");
  CHECK(refused("health.interval = \"1ms\"") ==
        "t.toml:4:19: error: \"interval\" must be at least 10ms");
  CHECK(refused("keepalive.idle = \"1500ms\"") ==
        "t.toml:4:18: error: keepalive.idle must be whole seconds");
  CHECK(refused("keepalive.idle = \"100h\"") ==
        "t.toml:4:18: error: \"idle\" must be at most 9h6m7s");
}

TEST_CASE("a word that is not among the choices is refused with the nearest") {
  CHECK(problems(kService + "balance = \"roundrobin\"\n") ==
        "t.toml:4:11: error: \"balance\" must be \"round-robin\", \"least-connections\", "
        "\"random\", \"hash\" or \"first\", not \"roundrobin\"\n"
        "balance = \"roundrobin\"\n"
        "          ^\n"
        "hint: did you mean \"round-robin\"?\n");
  CHECK(refused("health.check = \"smpt\"") ==
        "t.toml:4:16: error: \"check\" must be \"none\", \"tcp\", \"tls\", \"ldap\", \"smtp\", "
        "\"imap\", \"pop3\", \"pgsql\", \"mysql\" or \"redis\", not \"smpt\"");
  CHECK(refused_global("log_level = 7") ==
        "t.toml:1:13: error: \"log_level\" must be \"error\", \"warning\", \"info\" or \"debug\", "
        "not an integer");
}

TEST_CASE("numbers have their range") {
  CHECK(global_of("workers = 4").workers == 4U);
  CHECK(global_of("workers = \"auto\"").workers == std::nullopt);
  CHECK(refused_global("workers = 0") ==
        "t.toml:1:11: error: \"workers\" must be between 1 and 1024");
  CHECK(refused_global("workers = \"many\"") ==
        "t.toml:1:11: error: \"workers\" must be an integer from 1 to 1024, or \"auto\", not a "
        "string");
  CHECK(refused("max_connections = 0") ==
        "t.toml:4:19: error: \"max_connections\" must be between 1 and 2147483647");
  CHECK(refused("max_connections = 1e3") ==
        "t.toml:4:19: error: \"max_connections\" must be an integer from 1, not a number with a "
        "point");
}

TEST_CASE("relative paths start from the folder of the file") {
  CHECK(global_of("pid_file = \"run/pid\"").pid_file == "/etc/tunnel/run/pid");
  CHECK(global_of("pid_file = \"./pid\"").pid_file == "/etc/tunnel/pid");
  CHECK(global_of("pid_file = \"/run/pid\"").pid_file == "/run/pid");
  CHECK(global_of("log_file = \"log\"").log_file == std::vector<std::string>{"/etc/tunnel/log"});
  CHECK(global_of("log_file = [\"log\", \"stderr\"]").log_file ==
        std::vector<std::string>{"/etc/tunnel/log", "stderr"});
  CHECK(global_of("log_file = \"syslog\"").log_file == std::vector<std::string>{"syslog"});
  CHECK(refused_global("pid_file = \"\"") == "t.toml:1:12: error: \"pid_file\" must not be empty");
  CHECK(refused_global("pid_file = \"a\\nb\"") ==
        "t.toml:1:12: error: \"pid_file\" must not contain control characters");
}

TEST_CASE("files that are named must be there") {
  const test::TempFolder folder;
  const std::string path = folder.write("t.toml", kService +
                                                      "tls.ca = [\"ca.pem\", \"gone.pem\"]\n"
                                                      "tls.crl = \"/dev/null\"\n");
  (void)folder.write("ca.pem", "");
  CHECK(load(path).render() == path + ":4:21: error: cannot read " + folder.path("gone.pem") +
                                   ": No such file or directory\n"
                                   "tls.ca = [\"ca.pem\", \"gone.pem\"]\n"
                                   "                    ^\n"
                                   "hint: it is looked for beside the file that names it\n" +
                                   path +
                                   ":5:11: error: /dev/null is not a regular file\n"
                                   "tls.crl = \"/dev/null\"\n"
                                   "          ^\n");
}

TEST_CASE("users and groups exist") {
  CHECK(problems("user = \"root\"\ngroup = 0\n" + kService, System::use) == "");
  CHECK(problems("user = \"no-such-user\"\ngroup = \"no-such-group\"\n" + kService, System::use) ==
        "t.toml:1:8: error: there is no user \"no-such-user\"\n"
        "user = \"no-such-user\"\n"
        "       ^\n"
        "t.toml:2:9: error: there is no group \"no-such-group\"\n"
        "group = \"no-such-group\"\n"
        "        ^\n");
}

TEST_CASE("a socket's owner is a user, a group, or both") {
  const auto owner = [](const std::string& value) {
    return service_of(kService + "unix_owner = \"" + value + "\"\n", System::use).unix_owner;
  };
  CHECK(owner("root") == UnixOwner{.uid = 0, .gid = std::nullopt});
  CHECK(owner(":root") == UnixOwner{.uid = std::nullopt, .gid = 0});
  CHECK(owner("12:34") == UnixOwner{.uid = 12, .gid = 34});
  CHECK(problems(kService + "unix_owner = \"nobody-at-all:root\"\n", System::use)
            .starts_with("t.toml:4:14: error: there is no user \"nobody-at-all\"\n"));
  CHECK(refused("unix_owner = \":\"") ==
        "t.toml:4:14: error: \":\" names no user and no group; write it like \"user:group\"");
  CHECK(
      refused("unix_owner = 5") ==
      "t.toml:4:14: error: \"unix_owner\" must be a string such as \"user:group\", not an integer");
}

TEST_CASE("a mode is octal and in quotes") {
  CHECK(service_of(kService + "unix_mode = \"0660\"\n").unix_mode == 0660);
  CHECK(refused("unix_mode = 660") ==
        "t.toml:4:13: error: \"unix_mode\" must be a file mode in quotes, such as \"0660\", not an "
        "integer");
  CHECK(refused("unix_mode = \"0999\"") ==
        "t.toml:4:13: error: \"0999\" is not a file mode; write it like \"0660\"");
  CHECK(refused("unix_mode = \"7777\"") ==
        "t.toml:4:13: error: \"7777\" is not a file mode; write it like \"0660\"");
}

TEST_CASE("name servers are addresses, port 53 unless they say another") {
  const Global global = global_of(
      "dns_servers = [\"10.0.0.53\", \"2001:db8::53\", \"127.0.0.1:5353\", \"[::1]:5353\"]");
  REQUIRE(global.dns_servers.size() == 4);
  CHECK(global.dns_servers[0].to_string() == "10.0.0.53:53");
  CHECK(global.dns_servers[1].to_string() == "[2001:db8::53]:53");
  CHECK(global.dns_servers[2].to_string() == "127.0.0.1:5353");
  CHECK(global.dns_servers[3].to_string() == "[::1]:5353");
  CHECK(refused_global("dns_servers = [\"dns.example.com\"]") ==
        "t.toml:1:16: error: \"dns.example.com\" is not the address of a name server");
}

TEST_CASE("ranges and source addresses are numeric") {
  CHECK(service_of(kService + "allow = [\"10.0.0.0/8\", \"::1\"]\n").allow.size() == 2);
  CHECK(service_of(kService + "bind = \"10.0.0.2\"\n").bind->ip() == "10.0.0.2");
  CHECK(refused("allow = [\"10.0.0.0/33\"]") ==
        "t.toml:4:10: error: the prefix length after \"/\" must be between 0 and 32");
  CHECK(refused("allow = []") ==
        "t.toml:4:9: error: \"allow\" is empty, so no client could connect");
  CHECK(refused("allow = [5]") ==
        "t.toml:4:10: error: every entry of \"allow\" must be a string, not an integer");
  CHECK(
      refused("bind = \"10.0.0.2:5\"") ==
      "t.toml:4:8: error: \"10.0.0.2:5\" is not an IP address; \"bind\" takes one without a port");
}

TEST_CASE("a pin is the SHA-256 of a key, in hex or base64") {
  const std::string hex(64, 'a');
  const std::string base64 = std::string(43, 'A') + "=";
  CHECK(service_of(kService + "tls.pin = [\"sha256:" + hex + "\", \"sha256:" + base64 + "\"]\n")
            .tls->pin.size() == 2);
  for (const std::string& bad :
       {hex, "sha256:" + hex + "a", "sha256:" + std::string(64, 'g'), "sha1:" + hex,
        "sha256:" + std::string(44, 'A'), std::string("sha256:")}) {
    CAPTURE(bad);
    CHECK(refused("tls.pin = \"" + bad + "\"") ==
          "t.toml:4:11: error: \"" + bad + "\" is not a pin");
  }
}

TEST_CASE("a proxy is a URL with a host and a port, and perhaps a login") {
  const auto proxy = [](const std::string& url) {
    return service_of(kService + "proxy = \"" + url + "\"\n").proxies.at(0);
  };
  const Proxy http = proxy("http://p.example.com:3128");
  CHECK(http.form == Proxy::Form::http);
  CHECK(http.host == "p.example.com");
  CHECK(http.port == 3128);
  CHECK(http.user.empty());
  const Proxy socks = proxy("socks5://us%40er:p%3Aw@[::1]:1080/");
  CHECK(socks.form == Proxy::Form::socks5);
  CHECK(socks.host == "::1");
  CHECK(socks.port == 1080);
  CHECK(socks.user == "us@er");
  CHECK(socks.password == "p:w");
  CHECK(refused("proxy = \"p.example.com:3128\"") ==
        "t.toml:4:9: error: a proxy is written with http:// or socks5:// in front");
  CHECK(
      refused("proxy = \"http://u%4:p@h:1\"") ==
      "t.toml:4:9: error: the login in front of \"@\" is user:password; write other characters as "
      "%XX");
  CHECK(refused("proxy = \"http://h\"") == "t.toml:4:9: error: a proxy needs a host and a port");
  CHECK(refused("proxy = \"http://[::1]\"") ==
        "t.toml:4:9: error: a proxy needs a host and a port");
  CHECK(refused("proxy = \"http://h:0\"") == "t.toml:4:9: error: a proxy needs a host and a port");
  CHECK(refused("proxy = \"http://a\\nb:1\"") ==
        "t.toml:4:9: error: \"proxy\" must not contain control characters");
}

TEST_CASE("every default in the table is the default of the model") {
  const auto check = []<class T>(const T&) {
    for (const Row<T>& row : rows<T>()) {
      if (row.standard.empty() || row.read == nullptr) continue;
      CAPTURE(row.key);
      // Alone in a table of its own, the default changes nothing.
      Diagnostics diagnostics;
      Reader reader(diagnostics, System::leave_alone);
      const Document document =
          parse("x = " + std::string(row.standard) + "\n", "/t.toml", System::leave_alone);
      const Setting written = document.find("", "x");
      REQUIRE(written.is_set());
      T object{};
      row.read(reader, row, written, object);
      CHECK_FALSE(diagnostics.has_errors());
      CHECK(object == T{});
    }
  };
  check(Global{});
  check(Service{});
  check(Tls{});
  check(Timeouts{});
  check(Keepalive{});
  check(Health{});
  check(Target{});
}

TEST_CASE("every row says what it is") {
  for (const Named& named : all_options()) {
    CAPTURE(named.name);
    CHECK(named.option->help.ends_with("."));
    CHECK_FALSE(describe(*named.option).empty());
  }
}

}  // namespace tunnel::config::values_test
