// SPDX-License-Identifier: MIT
#include "sandbox/rules.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "support/temp_folder.h"

namespace tunnel::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr Rights kRead{.read = true};

class Disk {
 public:
  [[nodiscard]] std::string operator/(const std::string& name) const { return folder_ / name; }
  void folder(const std::string& name) const { fs::create_directories(folder_ / name); }
  void file(const std::string& name) const {
    fs::create_directories(fs::path(folder_ / name).parent_path());
    std::ofstream(folder_ / name) << "x";
  }
  void link(const std::string& name, const std::string& target) const {
    fs::create_directories(fs::path(folder_ / name).parent_path());
    fs::create_symlink(target, folder_ / name);
  }
  // The places of a file, without the disk's own path in front.
  [[nodiscard]] std::vector<std::string> places(const std::string& name) const {
    const std::string root = fs::canonical(folder_ / ".").string();
    std::vector<std::string> found;
    for (const Rules::Place& place : places_of(folder_ / name, kRead)) {
      CHECK(place.rights == kRead);
      const bool is_inside = place.path.starts_with(root + "/");
      found.push_back(is_inside ? place.path.substr(root.size() + 1) : place.path);
    }
    return found;
  }

 private:
  test::TempFolder folder_;
};

using Names = std::vector<std::string>;

Needs reading(const std::string& path) {
  Needs needs;
  needs.files[path] = kRead;
  return needs;
}

}  // namespace

TEST_CASE("A file is in its folder, for it may be replaced by another of its name") {
  const Disk disk;
  disk.file("tls/cert.pem");
  CHECK(disk.places("tls/cert.pem") == Names{"tls"});
  CHECK(disk.places("tls/not-yet.pem") == Names{"tls"});
}

TEST_CASE("What has no folder has no place") {
  const Disk disk;
  CHECK(disk.places("nowhere/cert.pem").empty());
}

TEST_CASE("A folder is its own place, with where its links lead") {
  const Disk disk;
  disk.file("shared/one.pem");
  disk.link("certs/0a1b2c3d.0", "../shared/one.pem");
  disk.file("certs/two.pem");
  CHECK(disk.places("certs") == Names{"certs", "shared"});
}

TEST_CASE("A folder's links to folders do not count") {
  const Disk disk;
  disk.file("private/key.pem");
  disk.link("certs/more", "../private");
  CHECK(disk.places("certs") == Names{"certs"});
}

TEST_CASE("certbot: the folder of the link and that of its file") {
  const Disk disk;
  disk.file("archive/example.com/cert1.pem");
  disk.link("live/example.com/cert.pem", "../../archive/example.com/cert1.pem");
  CHECK(disk.places("live/example.com/cert.pem") ==
        Names{"archive/example.com", "live/example.com"});
}

TEST_CASE("Kubernetes: the next version of ..data is inside") {
  const Disk disk;
  disk.file("secret/..2026_01/tls.crt");
  disk.link("secret/..data", "..2026_01");
  disk.link("secret/tls.crt", "..data/tls.crt");
  CHECK(Rules{
      .places = places_of(disk / "secret/tls.crt", kRead), .connect_ports = {}, .bind_ports = {}}
            .allow({fs::canonical(disk / "secret").string() + "/..2026_02", kRead}));
}

TEST_CASE("A folder that is swapped by its link keeps the place where the next one will be") {
  const Disk disk;
  disk.file("secrets/v1/tls.crt");
  disk.link("secrets/current", "v1");
  CHECK(disk.places("secrets/current/tls.crt") == Names{"secrets", "secrets/v1"});
}

TEST_CASE("A link to another folder does not open what is beside it") {
  const Disk disk;
  disk.file("data/tls/cert.pem");
  disk.file("home/other");
  disk.link("home/tls", "../data/tls");
  CHECK(disk.places("home/tls/cert.pem") == Names{"data/tls"});
}

TEST_CASE("Links in a circle lead nowhere") {
  const Disk disk;
  disk.link("a/one", "two");
  disk.link("a/two", "one");
  CHECK(disk.places("a/one") == Names{"a"});
}

TEST_CASE("A device is a place by itself") {
  const std::vector<Rules::Place> places = places_of("/dev/null", {.write = true});
  CHECK(places == std::vector<Rules::Place>{{"/dev/null", {.write = true}}});
}

TEST_CASE("A file in the root folder does not open everything") {
  for (const Rules::Place& place : places_of("/no-such-file", kRead)) CHECK(place.path != "/");
}

TEST_CASE("A place grants what is below it, and names that only begin alike are not") {
  Rules rules;
  rules.places = {{"/srv/tls", kRead}, {"/var/log", {.write = true}}};
  CHECK(rules.allow({"/srv/tls", kRead}));
  CHECK(rules.allow({"/srv/tls/deep/er", kRead}));
  CHECK_FALSE(rules.allow({"/srv/tls2", kRead}));
  CHECK_FALSE(rules.allow({"/srv", kRead}));
  CHECK_FALSE(rules.allow({"/srv/tls", {.write = true}}));
}

TEST_CASE("What folders on the way grant adds up") {
  Rules rules;
  rules.places = {{"/srv", kRead}, {"/srv/log", {.write = true}}};
  CHECK(rules.allow({"/srv/log", {.read = true, .write = true}}));
}

TEST_CASE("Forbidden files are named as they are written") {
  const Disk disk;
  disk.file("in/cert.pem");
  disk.file("out/cert.pem");
  const Rules rules = rules_for(reading(disk / "in/cert.pem"));
  CHECK(rules.forbid(reading(disk / "in/other.pem")).empty());
  CHECK(rules.forbid(reading(disk / "out/cert.pem")) ==
        Names{"reading " + (disk / "out/cert.pem")});
  Needs writing;
  writing.files[disk / "in/log"] = {.write = true, .make_file = true};
  CHECK(rules.forbid(writing) == Names{"writing to " + (disk / "in/log")});
}

TEST_CASE("Ports are free until they are limited") {
  Needs needs;
  needs.connect_ports = {636};
  needs.bind_ports = {389};
  needs.srv_services = {"ldap"};
  Rules rules;
  CHECK(rules.forbid(needs).empty());
  rules.connect_ports = {53};
  rules.bind_ports = {389};
  CHECK(rules.forbid(needs) ==
        Names{"connecting to TCP port 636", "the ports that DNS gives [ldap]"});
  rules.bind_ports = {0};
  CHECK(rules.forbid(needs).size() == 3);
}

TEST_CASE(
    "Where unix sockets without a file are other processes', a target of that kind is refused") {
  Needs needs;
  Rules rules;
  needs.has_abstract_targets = true;
  CHECK(rules.forbid(needs).empty());
  rules.keeps_abstract_sockets = true;
  CHECK(rules.forbid(needs) == Names{"connecting to a unix socket without a file (\"@...\")"});
  needs.has_abstract_targets = false;
  CHECK(rules.forbid(needs).empty());
}

}  // namespace tunnel::sandbox
