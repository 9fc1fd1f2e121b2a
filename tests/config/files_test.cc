// SPDX-License-Identifier: MIT
// Where text comes from: files of every kind, included files, and text that is broken.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "config/toml_scanner.h"
#include "fixture.h"

namespace tunnel::config::files_test {
namespace {

std::string service(const std::string& name, int port) {
  return "[" + name + "]\naccept = " + std::to_string(port) + "\nconnect = \"h:1\"\n";
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

TEST_CASE("what is no readable file is refused by name, at once") {
  const test::TempFolder folder;
  const std::string pipe = folder.path("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(load(pipe).render() == pipe + ": error: this is not a regular file\n");
  CHECK(load(folder.path("gone")).render() ==
        folder.path("gone") + ": error: cannot be opened: No such file or directory\n");
  CHECK(load("/dev/zero").render() == "/dev/zero: error: this is not a regular file\n");
  CHECK(load("/dev/null").render() == "/dev/null: error: this is not a regular file\n");
  CHECK(load("/").render() == "/: error: this is a directory, not a configuration file\n");
  CHECK(load("").has_errors());
  CHECK(load(std::string("/etc\0x", 6)).render() == "/etc\\x00x: error: this is not a file name\n");
}

TEST_CASE("a file over 16 MiB is refused unread") {
  const test::TempFolder folder;
  const std::string path = folder.write("large.toml", "");
  REQUIRE(::truncate(path.c_str(), 100 << 20) == 0);
  CHECK(load(path).render() ==
        path + ": error: larger than 16 MiB; this is not a configuration file\n");
}

TEST_CASE("a pipe that another process holds open is read") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const std::string text = service("s", 1);
  REQUIRE(::write(writer.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  writer.reset();
  const Document document = load("/dev/fd/" + std::to_string(reader.get()));
  CHECK(document.render() == "");
  CHECK(document.config.services.size() == 1);
}

TEST_CASE("included files are read in the order of their names, leftovers are not") {
  const test::TempFolder folder;
  (void)folder.write("conf.d/b.toml", service("b", 2));
  (void)folder.write("conf.d/a.toml", service("a", 1));
  (void)folder.write("conf.d/.hidden.toml", "broken [");
  (void)folder.write("conf.d/c.toml~", "broken [");
  (void)folder.write("conf.d/readme.txt", "broken [");
  (void)folder.write("more.toml", service("more", 3));
  const std::string path =
      folder.write("tunnel.toml",
                   "include = [\"conf.d/*.toml*\", \"more.toml\", \"conf.d/[a]*\", \"*.toml\"]\n" +
                       service("main", 4));
  const Document document = load(path);
  CHECK(document.render() == "");
  std::string names;
  for (const Service& each : document.config.services) names += each.name + " ";
  CHECK(names == "main a b more ");
}

TEST_CASE("defaults of the main file hold in included ones, paths are relative to each file") {
  const test::TempFolder folder;
  (void)folder.write("conf.d/a.toml", service("a", 1) + "tls.ca = \"ca.pem\"\n");
  (void)folder.write("conf.d/ca.pem", "");
  const std::string path =
      folder.write("tunnel.toml", "include = \"conf.d/a.toml\"\n[defaults]\nbalance = \"hash\"\n");
  const Document document = load(path);
  CHECK(document.render() == "");
  REQUIRE(document.config.services.size() == 1);
  CHECK(document.config.services[0].balance == Balance::hash);
  CHECK(document.config.services[0].tls->ca == std::vector{folder.path("conf.d/ca.pem")});
}

TEST_CASE("the same service in two files is an error that names both places") {
  const test::TempFolder folder;
  const std::string other = folder.write("other.toml", "\n" + service("s", 1));
  const std::string path =
      folder.write("tunnel.toml", "include = [\"other.toml\"]\n" + service("s", 2));
  CHECK(load(path).render() == other + ":2:2: error: service \"s\" is already defined at " + path +
                                   ":2:2\n"
                                   "[s]\n"
                                   " ^\n");
}

TEST_CASE("problems in included files name the file") {
  const test::TempFolder folder;
  const std::string broken = folder.write("broken.toml", "[x\n");
  const std::string top = folder.write(
      "top.toml", "log_level = \"debug\"\n[defaults]\nbalance = \"hash\"\n" + service("y", 3));
  const std::string path = folder.write(
      "tunnel.toml",
      "include = [\"broken.toml\",\n\"gone.toml\", \"top.toml\", \"/\"]\n" + service("s", 2));
  const std::string text = load(path).render();
  CHECK(text.starts_with(path + ":2:1: error: " + folder.path("gone.toml") +
                         ": cannot be opened: No such file or directory\n"));
  CHECK(text.find("\n" + broken + ":1:3: error: syntax error: ") != std::string::npos);
  CHECK(text.find("\n" + path + ":2:26: error: /: this is a directory") != std::string::npos);
  CHECK(text.find("\n" + top +
                  ":1:1: error: \"log_level\" cannot be in an included file\n"
                  "log_level = \"debug\"\n"
                  "^\n"
                  "hint: included files hold services only; write it in " +
                  path + "\n") != std::string::npos);
  CHECK(text.find("\n" + top + ":2:2: error: \"defaults\" cannot be in an included file\n") !=
        std::string::npos);
}

TEST_CASE("a byte order mark is no part of the first line") {
  CHECK(problems("\xef\xbb\xbf" + service("s", 1)) == "");
  CHECK(problems("\xef\xbb\xbfnonsense = 1\n" + service("s", 1)) ==
        "t.toml:1:1: error: unknown key \"nonsense\"\n"
        "nonsense = 1\n"
        "^\n");
}

TEST_CASE("lines may end in CR LF") {
  CHECK(problems("[s]\r\naccept = 1\r\nconnect = \"h:1\"\r\n") == "");
  CHECK(problems("[s]\r\naccept = true\r\nconnect = \"h:1\"\r\n") ==
        "t.toml:2:10: error: an address to accept at is a string or a port number, not a boolean\n"
        "accept = true\n"
        "         ^\n");
}

TEST_CASE("what is no text is said to be none") {
  CHECK(problems(std::string("[a]\nb\0c", 7)) ==
        "t.toml:2:2: error: there is a NUL byte here; this is not a text file\n"
        "b\\x00c\n"
        " ^\n");
  CHECK(problems("[a]\n# \xc3\xa4 \xff\n") ==
        "t.toml:2:5: error: these bytes are not UTF-8 text\n"
        "# \xc3\xa4 \\xff\n"
        "    ^\n"
        "hint: a configuration file is plain text, saved as UTF-8\n");
  CHECK(first_line(problems("\xff\xfe[\0l\0")) ==
        "t.toml:1:1: error: these bytes are not UTF-8 text");
}

TEST_CASE("a syntax error has its place, and a hint only where the cause is known") {
  CHECK(problems("workers = 99999999999999999999\n").find("hint") == std::string::npos);
  CHECK(first_line(problems("[ldap]\naccept = 1\naccept = 2\n")).starts_with("t.toml:3:"));
  CHECK(first_line(problems("foreground = yes\n[ldap]\naccept = \"1\n")).starts_with("t.toml:3:"));
  CHECK(first_line(problems("foreground = yess\n")).starts_with("t.toml:1:"));
}

TEST_CASE("broken text of every kind is refused, and nothing worse") {
  for (const char* text : {"[[[",        "[.a]",        "[=]",          "[#",
                           "[[#",        "[",           "[[",           "[a",
                           "[[a",        "[[a]",        "[\"a",         "[ [a]]",
                           "a",          "a.",          "a.=",          "[a.",
                           "[a.]",       "a = {",       "a={b",         "a={b=",
                           "a=[",        "a=1,",        "a={,}",        "a='",
                           "a=\"\\",     "a=\"\\u",     "a=\"\\u12",    "a=\"\\uD800\"",
                           "a=_",        "a=+",         "a=0x",         "a=1e",
                           "a=i",        "a=1979-",     "a=07:",        "a=1979-05-27T07:32:00+",
                           "a=\"\"\"",   "a='''\\",     "\"a",          "\"a\".",
                           "a\n=1",      "=1",          "a==1",         "a=]",
                           "a=}",        "a=[1 2]",     "a={b=1 c=2}",  "\"\"\"a\"\"\"=1",
                           "a.[=1",      "a=\x01",      "\xe2\x80\xa8", "a = 99999999999999999999",
                           "[a]\n[a]",   "a=1\n[a]",    "a={}\n[a.b]",  "a=[{}]\n[[a]]",
                           "a.b=1\na=2", "a = 1 # \x7f"}) {
    CAPTURE(text);
    CHECK(parse(text, "t.toml", System::leave_alone).has_errors());
  }
}

TEST_CASE("letters that are no white space are not taken for it") {
  for (const char* letter : {"\xc2\xa1", "\xc3\xa4", "\xd2\x99", "\xef\xb6\x9e", "\xef\xbb\xbe"}) {
    CAPTURE(letter);
    CHECK(first_line(problems(std::string(letter) + " = 1\n"))
              .starts_with("t.toml:1:1: error: syntax error: "));
    CHECK(first_line(problems("[s]" + std::string(letter) + "\n"))
              .starts_with("t.toml:1:4: error: syntax error: "));
  }
}

TEST_CASE("a service has at most a thousand targets, whatever its groups") {
  std::string groups = "[s]\naccept = 1\nconnect = [";
  for (int i = 0; i < 2; ++i) {
    groups += "[";
    for (int t = 0; t < 501; ++t) groups += "\"a:1\",";
    groups += "],";
  }
  CHECK(problems(groups + "]\n").find("error: a service has at most 1000 targets\n") !=
        std::string::npos);
}

TEST_CASE("nesting is counted over arrays, tables, headers and dotted keys") {
  const auto nested = [](int levels) {
    return "x = " + std::string(static_cast<std::size_t>(levels), '[') +
           std::string(static_cast<std::size_t>(levels), ']') + "\n";
  };
  CHECK_FALSE(scan_toml(nested(100)).too_deep);
  CHECK(scan_toml(nested(101)).too_deep == 104U);
  CHECK(first_line(problems(nested(101))) == "t.toml:1:105: error: nested beyond 100 levels");
  std::string dotted = "a";
  for (int i = 0; i < 100; ++i) dotted += ".a";
  CHECK_FALSE(scan_toml(dotted + " = 1\n").too_deep);
  CHECK(scan_toml(dotted + ".a = 1\n").too_deep);
  CHECK(scan_toml("[" + dotted + "]\n").too_deep);
  CHECK(scan_toml("[[" + dotted + "]]\n").too_deep);
  CHECK(scan_toml("[a]\n" + dotted + " = 1\n").too_deep);
  CHECK(scan_toml("x = {" + dotted + " = 1}\n").too_deep);
  CHECK(scan_toml("x = {a.a.a = " + std::string(98, '[') + "\n").too_deep);
  CHECK_FALSE(scan_toml("x = {a.a.a = 1, b.b.b = " + std::string(96, '[') + "\n").too_deep);
  // Deep enough to overflow any stack if somebody recursed.
  CHECK(first_line(problems("a = " + std::string(1'000'000, '['))) ==
        "t.toml:1:105: error: nested beyond 100 levels");
  CHECK(first_line(problems(std::string(1'000'000, '{'))).find("error: ") != std::string::npos);
}

TEST_CASE("brackets and words in strings and comments do not count") {
  const std::string many(200, '[');
  for (const std::string& text :
       {"a = \"" + many + "\"\n", "a = '" + many + "'\n", "a = \"\"\"\n" + many + "\"\"\"\n",
        "a = '''\n" + many + "'''\n", "# " + many + "\n", "a = \"\\\"" + many + "\"\n",
        "a = \"\"\"x\"\"\"\" # " + many + "\n", "a = \"\"\"\"\" # " + many + "\n",
        "\"" + many + "\" = 1\n", "[\"" + many + "\"]\n"}) {
    CAPTURE(text);
    CHECK_FALSE(scan_toml(text).too_deep);
  }
  CHECK(scan_toml("a = yes\n").bare_words == std::vector<std::size_t>{4});
  CHECK(scan_toml("a = [no,yes ]\n").bare_words == std::vector<std::size_t>{5, 8});
  CHECK(scan_toml("a = { yes = no }\n").bare_words == std::vector<std::size_t>{12});
  CHECK(scan_toml("yes = 1\nno.yes = 2\n[yes]\n[[no]]\n").bare_words.empty());
  CHECK(
      scan_toml("a = 'yes' # no\nb = yess\nc = no.no\nd = \"\"\"\nyes\"\"\"\n").bare_words.empty());
}

TEST_CASE("a long line is shown around the caret only") {
  const std::string text = "x = \"" + std::string(500, 'a') + "\"\n" + "[s]\naccept = [" +
                           std::string(400, ' ') + "true]\nconnect = \"h:1\"\n";
  CHECK(problems(text) ==
        "t.toml:1:1: error: unknown key \"x\"\n"
        "x = \"" +
            std::string(115, 'a') +
            "...\n"
            "^\n"
            "t.toml:3:411: error: an address to accept at is a string or a port number, not a "
            "boolean\n"
            "..." +
            std::string(80, ' ') + "true]\n" + std::string(83, ' ') + "^\n");
}

TEST_CASE("too many values are refused before they fill the memory") {
  std::string list = "allow = [";
  for (int i = 0; i < 20'000; ++i) list += "\"10.0.0.1\",";
  std::string text = "[defaults]\n" + list + "]\n";
  for (int i = 0; i < 60; ++i) text += service("s" + std::to_string(i), 1000 + i);
  CHECK(first_line(problems(text)) ==
        "t.toml:2:9: error: the configuration holds more than 1000000 values");
}

TEST_CASE("a secret may be a credential that the service manager holds") {
  const test::TempFolder folder;
  const test::TempFolder credentials;
  (void)credentials.write("ldap.password", "geheim\n");
  (void)folder.write("cert.pem", "");
  (void)folder.write("other.password", "");
  const auto password = [&](const std::string& name) {
    return load(folder.write("t.toml", kService +
                                           "tls = { cert = \"cert.pem\", key_password_file = \"" +
                                           name + "\" }\n"))
        .config.services.at(0)
        .tls->key_password_file;
  };
  CHECK(password("ldap.password") == folder.path("ldap.password"));
  REQUIRE(::setenv("CREDENTIALS_DIRECTORY", credentials.path("").c_str(), 1) == 0);
  CHECK(password("ldap.password") == credentials.path("ldap.password"));
  CHECK(password("other.password") == folder.path("other.password"));
  CHECK(password("./ldap.password") == folder.path("ldap.password"));
  CHECK(password("../x/ldap.password") == folder.path("../x/ldap.password"));
  REQUIRE(::unsetenv("CREDENTIALS_DIRECTORY") == 0);
}

}  // namespace tunnel::config::files_test
