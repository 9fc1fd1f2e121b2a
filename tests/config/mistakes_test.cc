// SPDX-License-Identifier: MIT
// A newcomer's first files: each mistake with all that is said about it.
#include "fixture.h"

namespace tunnel::config::mistakes_test {
namespace {

const std::string kSmallestHint =
    "hint: the smallest configuration is: [web], accept = \"127.0.0.1:8080\", connect = "
    "\"www.example.com:443\", each on a line of its own\n";

}  // namespace

// ---- quotes, brackets, values

TEST_CASE("a closing quote that is missing is named, with the line as it should be") {
  CHECK(problems("[web]\naccept = \"127.0.0.1:8081\nconnect = \"h:443\"\n") ==
        "t.toml:2:10: error: syntax error: the closing quote of this string is missing\n"
        "accept = \"127.0.0.1:8081\n"
        "         ^\n"
        "hint: write it like this: accept = \"127.0.0.1:8081\"\n");
  CHECK(problems("[web]\naccept = 1\nconnect = 'h:443\n") ==
        "t.toml:3:11: error: syntax error: the closing quote of this string is missing\n"
        "connect = 'h:443\n"
        "          ^\n"
        "hint: write it like this: connect = 'h:443'\n");
  CHECK(problems("[web]\naccept = 1\nconnect = [\"h:443]\n") ==
        "t.toml:3:12: error: syntax error: the closing quote of this string is missing\n"
        "connect = [\"h:443]\n"
        "           ^\n"
        "hint: a string ends on its line, with the quote that it begins with\n");
  CHECK(problems("[web]\naccept = 1\nconnect = [\"h:443, \"b:1\"]\n") ==
        "t.toml:3:21: error: syntax error: a quote is missing in this line\n"
        "connect = [\"h:443, \"b:1\"]\n"
        "                    ^\n");
}

TEST_CASE("curly quotes are shown straight") {
  CHECK(problems("[web]\naccept = “127.0.0.1:8081”\nconnect = ‘h:443’\n") ==
        "t.toml:2:10: error: syntax error: “ is a typographic quotation mark, not a quote\n"
        "accept = “127.0.0.1:8081”\n"
        "         ^\n"
        "hint: with straight quotes: accept = \"127.0.0.1:8081\"\n"
        "t.toml:3:11: error: syntax error: ‘ is a typographic quotation mark, not a quote\n"
        "connect = ‘h:443’\n"
        "          ^\n"
        "hint: with straight quotes: connect = 'h:443'\n");
  // In a comment they are letters like any other.
  CHECK(problems("accept = x # “y”\n[web]\naccept = 1\nconnect = \"h:1\"\n") ==
        "t.toml:1:10: error: syntax error: text needs quotes\n"
        "accept = x # “y”\n"
        "         ^\n"
        "hint: write it like this: accept = \"x\"\n");
}

TEST_CASE("a setting without quotes, equals sign or value is shown with them") {
  CHECK(problems("[web]\naccept = 127.0.0.1:8081 # here\nconnect h:443\n") ==
        "t.toml:2:10: error: syntax error: text needs quotes\n"
        "accept = 127.0.0.1:8081 # here\n"
        "         ^\n"
        "hint: write it like this: accept = \"127.0.0.1:8081\"\n"
        "t.toml:3:9: error: syntax error: between a key and its value stands \"=\"\n"
        "connect h:443\n"
        "        ^\n"
        "hint: a setting is written: connect = \"h:443\"\n");
  CHECK(problems("[web]\naccept =\nconnect\n") ==
        "t.toml:2:9: error: syntax error: the value is missing\n"
        "accept =\n"
        "        ^\n"
        "hint: a setting is written: accept = ...\n"
        "t.toml:3:8: error: syntax error: a line is a [table] or a setting, and this is neither\n"
        "connect\n"
        "       ^\n"
        "hint: a setting is written: connect = ...\n");
  CHECK(problems("foreground = True\n" + kService) ==
        "t.toml:1:14: error: syntax error: a switch is true or false, in small letters\n"
        "foreground = True\n"
        "             ^\n"
        "hint: write it like this: foreground = true\n");
}

TEST_CASE("what ends a line elsewhere does not end it here") {
  CHECK(problems("[web]\naccept = \"a:1\";\nconnect = \"h:443\", balance = \"first\"\n") ==
        "t.toml:2:15: error: syntax error: nothing but a comment may follow a value\n"
        "accept = \"a:1\";\n"
        "              ^\n"
        "hint: a line needs no \";\" at its end, and comments begin with \"#\"\n"
        "t.toml:3:18: error: syntax error: nothing but a comment may follow a value\n"
        "connect = \"h:443\", balance = \"first\"\n"
        "                 ^\n"
        "hint: each setting has its own line\n");
}

TEST_CASE("a key or a table that comes twice is said in plain words") {
  CHECK(problems("[web]\naccept = 1\nconnect = \"a:1\"\nconnect = \"b:1\"\n[web]\n") ==
        "t.toml:4:1: error: syntax error: \"connect\" is set a second time in this table\n"
        "connect = \"b:1\"\n"
        "^\n"
        "hint: several of them are an array: connect = [\"...\", \"...\"]\n"
        "t.toml:5:1: error: syntax error: this table was begun before; what follows, up to the "
        "next table, was not looked at\n"
        "[web]\n"
        "^\n"
        "hint: put its settings together, or give one of the two another name\n");
}

TEST_CASE("brackets that are not closed are pointed at") {
  CHECK(problems("[web]\nconnect = [ 'h:443'\naccept = 5\n") ==
        "t.toml:2:11: error: syntax error: this bracket is not closed\n"
        "connect = [ 'h:443'\n"
        "          ^\n");
  CHECK(problems("[web]\naccept = 5\nconnect = [\n 'h:443'\n 'a:1'\n]\n") ==
        "t.toml:5:2: error: syntax error: a comma or the closing bracket of the array is missing "
        "here\n"
        " 'a:1'\n"
        " ^\n");
  CHECK(problems("[web\naccept = nonsense\n[ldap]\naccept = 1\n") ==
        "t.toml:1:5: error: syntax error: the closing bracket is missing; what follows, up to the "
        "next table, was not looked at\n"
        "[web\n"
        "    ^\n"
        "hint: write it like this: [web]\n"
        "t.toml:3:2: error: service \"ldap\": \"connect\" is missing\n"
        "[ldap]\n"
        " ^\n"
        "hint: where is the server? connect = \"ldap.example.com:636\"\n");
}

// ---- a syntax error hides nothing else

TEST_CASE("what is wrong besides a syntax error is reported in the same run") {
  CHECK(problems("log_levle = \"info\"\n"
                 "workers = many\n"
                 "[web]\n"
                 "accept = 127.0.0.1:80\n"
                 "connect = \"h:99999\"\n"
                 "[mail]\n"
                 "acept = 25\n"
                 "connect = \"m:465\"\n") ==
        "t.toml:1:1: error: unknown key \"log_levle\"\n"
        "log_levle = \"info\"\n"
        "^\n"
        "hint: did you mean \"log_level\"?\n"
        "t.toml:2:11: error: syntax error: text needs quotes\n"
        "workers = many\n"
        "          ^\n"
        "hint: write it like this: workers = \"many\"\n"
        "t.toml:4:10: error: syntax error: text needs quotes\n"
        "accept = 127.0.0.1:80\n"
        "         ^\n"
        "hint: write it like this: accept = \"127.0.0.1:80\"\n"
        "t.toml:5:11: error: port 99999 is out of range; ports go up to 65535\n"
        "connect = \"h:99999\"\n"
        "          ^\n"
        "t.toml:6:2: error: service \"mail\": \"accept\" is missing\n"
        "[mail]\n"
        " ^\n"
        "hint: where do clients connect? accept = \"127.0.0.1:389\"\n"
        "t.toml:7:1: error: unknown key \"acept\"\n"
        "acept = 25\n"
        "^\n"
        "hint: did you mean \"accept\"?\n");
}

TEST_CASE("what a table lacks for a syntax error is not called missing") {
  CHECK(problems("[web]\naccept = 1\nconnect = h:1\n[web.tls]\nkey = \"k\"\n").find("\"cert\"") ==
        std::string::npos);
  CHECK(problems("[defaults]\nconnect = h:1\n[web]\naccept = 1\n").find("missing") ==
        std::string::npos);
  CHECK(problems("[\"my web\"]\naccept = 1\nconnect = h:1\n").find("missing") == std::string::npos);
  CHECK(problems("[web.tls\n[web]\naccept = 1\n").find("missing\n") == std::string::npos);
}

TEST_CASE("a string that never ends hides the rest, and that is said") {
  CHECK(problems("[web]\nconnect = \"\"\"abc\naccept = nonsense\n") ==
        "t.toml:2:11: error: syntax error: this string begins with three quotes, and has no three "
        "at its end; what follows was not looked at\n"
        "connect = \"\"\"abc\n"
        "          ^\n");
}

TEST_CASE("bare yes and no keep their meaning beside a syntax error") {
  CHECK(problems("foreground = yes\nallow_remote = no\n[web]\naccept = x\nconnect = \"h:1\"\n") ==
        "t.toml:2:1: error: unknown key \"allow_remote\"\n"
        "allow_remote = no\n"
        "^\n"
        "hint: \"allow_remote\" belongs in a service, such as [web]\n"
        "t.toml:4:10: error: syntax error: text needs quotes\n"
        "accept = x\n"
        "         ^\n"
        "hint: write it like this: accept = \"x\"\n");
}

TEST_CASE("lines of brackets alone are no statements") {
  for (const char* text : {"a=[\n[", "a=[\n[[\n", "a=[\n[ [\n]", "[\n[\n["}) {
    CAPTURE(text);
    CHECK(parse(text, "t.toml", System::leave_alone).has_errors());
  }
}

TEST_CASE("a file of nothing but errors comes to an end") {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "a = b\n";
  const std::string said = problems(text);
  CHECK(
      said.find("t.toml:51:5: error: syntax error: text needs quotes; what follows was not looked "
                "at\n") != std::string::npos);
  CHECK(said.find("t.toml:52:") == std::string::npos);
}

// ---- other languages

TEST_CASE("JSON, YAML and XML are called what they are") {
  CHECK(problems("{ \"web\": { \"accept\": 1 } }\n") ==
        "t.toml:1:1: error: syntax error: this looks like JSON, and TOML is wanted\n"
        "{ \"web\": { \"accept\": 1 } }\n"
        "^\n" +
            kSmallestHint);
  CHECK(problems("---\n# tunnels\nweb:\n  accept: 127.0.0.1:1\n  connect:\n  - h:1\n") ==
        "t.toml:3:1: error: syntax error: this looks like YAML, and TOML is wanted\n"
        "web:\n"
        "^\n" +
            kSmallestHint);
  CHECK(problems("<tunnel/>\n") ==
        "t.toml:1:1: error: syntax error: this looks like XML, and TOML is wanted\n"
        "<tunnel/>\n"
        "^\n" +
            kSmallestHint);
}

}  // namespace tunnel::config::mistakes_test
