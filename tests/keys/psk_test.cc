// SPDX-License-Identifier: MIT
#include "keys/psk.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "support/contains.h"
#include "support/temp_folder.h"

using namespace tunnel;
using namespace tunnel::keys;
using namespace tunnel::test;
using namespace tunnel::x509;

namespace {

constexpr const char* kHex = "0123456789abcdef0123456789ABCDEF";
const std::string kRaw("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 16);

std::string error_of(std::string_view line) {
  const auto parsed = parse_psk_line(line);
  return parsed ? "no error" : parsed.error().text;
}

struct Loading {
  TempFolder folder;
  config::Tls tls;
  Problems problems;

  void with(const std::string& content) {
    tls.psk_file = folder.write("psk", content);
    REQUIRE(::chmod(tls.psk_file.c_str(), 0640) == 0);
  }
  std::unique_ptr<const PresharedKey> load() {
    problems.clear();
    return PresharedKey::load(tls, problems);
  }
  std::string identity() {
    const auto psk = load();
    for (const auto& problem : problems.errors()) FAIL_CHECK(problem.text);
    return psk ? psk->identity() : "";
  }
  Problem problem() {
    CHECK(load() == nullptr);
    REQUIRE(problems.errors().size() == 1);
    return problems.errors().front();
  }
};

}  // namespace

TEST_CASE("a line is an identity, a colon and a key") {
  const auto hex = parse_psk_line(std::string("robot:") + kHex);
  REQUIRE(hex);
  CHECK(hex->identity == "robot");
  CHECK(hex->key == kRaw);
  const auto pairs = parse_psk_line("robot:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef");
  REQUIRE(pairs);
  CHECK(pairs->key == kRaw);
  SUBCASE("a key that is not hexadecimal is taken as it is") {
    for (const std::string key : {"abcdefghijklmnop", "0123456789abcdef0123456789abcde",
                                  "0:123456789abcdef", " 123456789abcdef0123456789abcdef"}) {
      const auto parsed = parse_psk_line("a:" + key);
      REQUIRE(parsed);
      CHECK(parsed->key == key);
    }
  }
  SUBCASE("the first colon counts") {
    const auto parsed = parse_psk_line("a:b:cdefghijklmnopqrst");
    REQUIRE(parsed);
    CHECK(parsed->identity == "a");
    CHECK(parsed->key == "b:cdefghijklmnopqrst");
  }
}

TEST_CASE("a line that is none says why") {
  CHECK(error_of("# a comment") == "there is no colon in it");
  CHECK(error_of(std::string(":") + kHex) == "the identity is empty");
  CHECK(error_of("robot:0123456789abcdef") ==
        "the key has only 8 bytes in hexadecimal, and 16 are needed");
  CHECK(error_of("robot:geheim") == "the key has only 6 bytes, and 16 are needed");
  CHECK(error_of("robot:") == "the key has only 0 bytes in hexadecimal, and 16 are needed");
  CHECK(error_of("r:" + std::string(1026, 'a')) == "the key is longer than 512 bytes");
  CHECK(error_of(std::string(257, 'r') + ":" + kHex) == "the identity is longer than 256 bytes");
  CHECK(error_of(std::string(256, 'r') + ":" + std::string(1024, 'a')) == "no error");
}

TEST_CASE("the identity that is asked for, or the first") {
  Loading l;
  const std::string key = std::string(":") + kHex;
  l.with("a" + key + "\r\n\nb" + key + "\nb" + key);
  CHECK(l.identity() == "a");
  l.tls.psk_identity = "b";
  CHECK(l.identity() == "b");
  CHECK(l.problems.warnings().empty());
  l.tls.psk_identity = "c";
  const auto problem = l.problem();
  CHECK(problem.key == "psk_identity");
  CHECK(problem.text == "\"c\" has no key in " + l.tls.psk_file);
  CHECK(problem.hint == "the identities there: \"a\", \"b\", \"b\"");
}

TEST_CASE("files of keys that are no good") {
  Loading l;
  SUBCASE("missing") {
    l.tls.psk_file = "/nonexistent/psk";
    CHECK(l.problem().text == "/nonexistent/psk: cannot be read: No such file or directory");
  }
  SUBCASE("empty") {
    l.with("\n\n");
    CHECK(l.problem().text == l.tls.psk_file + ": holds no key");
  }
  SUBCASE("a bad line, even after a good one") {
    l.with(std::string("a:") + kHex + "\n\nnonsense\nmore nonsense\n");
    const auto problem = l.problem();
    CHECK(problem.key == "psk_file");
    CHECK(problem.text == l.tls.psk_file + ", line 3: there is no colon in it; so are 1 more");
    CHECK(problem.hint == Contains("there are no comments"));
  }
  SUBCASE("an identity without a file") {
    l.tls.psk_identity = "robot";
    CHECK(l.problem().text == "tls.psk_identity needs tls.psk_file");
  }
}

TEST_CASE("a file of keys that everybody can read is worth a warning") {
  Loading l;
  l.with(std::string("a:") + kHex + "\n");
  REQUIRE(::chmod(l.tls.psk_file.c_str(), 0644) == 0);
  REQUIRE(l.load() != nullptr);
  REQUIRE(l.problems.warnings().size() == 1);
  CHECK(l.problems.warnings()[0].text ==
        "tls.psk_file: everybody on this machine can read the keys in " + l.tls.psk_file +
            "; chmod o-rwx " + l.tls.psk_file);
}

TEST_CASE("a key that ends in a blank is worth a warning") {
  Loading l;
  l.with(std::string("a:") + kHex + " \n");
  REQUIRE(l.load() != nullptr);
  REQUIRE(l.problems.warnings().size() == 1);
  CHECK(l.problems.warnings()[0].text ==
        Contains(", line 1: blanks at the ends of a line are part of "));
}
