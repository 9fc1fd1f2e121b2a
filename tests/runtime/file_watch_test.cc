// SPDX-License-Identifier: MIT
#include "runtime/file_watch.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "runtime/watched_file.h"
#include "support/temp_folder.h"
#include "x509/trust_store.h"

namespace tunnel::runtime::file_watch_test {
namespace {

using testing::files;
using Verdict = FileWatch::Verdict;
namespace fs = std::filesystem;

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

}  // namespace

TEST_SUITE("file watch") {
  TEST_CASE("what is in force is unchanged") {
    FileWatch watch(files(1));
    CHECK(watch.look(files(1)) == Verdict::unchanged);
    CHECK(watch.look(files(1)) == Verdict::unchanged);
  }

  TEST_CASE("a change is settled when two looks in a row find the same") {
    FileWatch watch(files(1));
    CHECK(watch.look(files(2)) == Verdict::changing);
    CHECK(watch.look(files(3)) == Verdict::changing);
    CHECK(watch.look(files(3)) == Verdict::settled);
    CHECK_FALSE(watch.use(files(3)));
    CHECK(watch.look(files(3)) == Verdict::unchanged);
  }

  TEST_CASE("a change that cannot be loaded is settled at each look, until it can or has gone") {
    FileWatch watch(files(1));
    CHECK(watch.look(files(2)) == Verdict::changing);
    CHECK(watch.look(files(2)) == Verdict::settled);
    CHECK(watch.look(files(2)) == Verdict::settled);
    CHECK(watch.look(files(3)) == Verdict::changing);
    CHECK(watch.look(files(3)) == Verdict::settled);
    CHECK_FALSE(watch.use(files(3)));
    CHECK(watch.look(files(3)) == Verdict::unchanged);
  }

  TEST_CASE("what is in force coming back ends a change") {
    FileWatch watch(files(1));
    CHECK(watch.look(files(2)) == Verdict::changing);
    CHECK(watch.look(files(1)) == Verdict::unchanged);
  }

  TEST_CASE("a file that is missing for a moment is a change like any other") {
    const test::TempFolder scratch;
    const std::vector<std::string> paths{scratch / "key.pem"};
    write(paths[0], "old");
    FileWatch watch(look_at(paths));
    fs::remove(paths[0]);
    CHECK(watch.look(look_at(paths)) == Verdict::changing);
    write(paths[0], "newer");
    CHECK(watch.look(look_at(paths)) == Verdict::changing);
    CHECK(watch.look(look_at(paths)) == Verdict::settled);
  }

  TEST_CASE("a moved link is a change, as Kubernetes and certbot make it") {
    const test::TempFolder scratch;
    for (const char* version : {"v1", "v2"}) {
      fs::create_directory(scratch / version);
      write((scratch / version) + "/tls.crt", "equal");
    }
    fs::create_directory_symlink("v1", scratch / "..data");
    fs::create_symlink("..data/tls.crt", scratch / "tls.crt");
    const std::vector<std::string> paths{scratch / "tls.crt"};
    const FileIdentities before = look_at(paths);
    CHECK(before == look_at(paths));
    fs::create_directory_symlink("v2", scratch / "..data_tmp");
    fs::rename(scratch / "..data_tmp", scratch / "..data");
    CHECK(before != look_at(paths));
  }

  TEST_CASE("files in a folder count, by name and by content") {
    const test::TempFolder scratch;
    fs::create_directory(scratch / "cas");
    write(scratch / "cas/a.pem", "a");
    const std::vector<std::string> paths{scratch / "cas"};
    const FileIdentities before = look_at(paths);
    CHECK(before.size() == 2);
    write(scratch / "cas/b.pem", "b");
    const FileIdentities more = look_at(paths);
    CHECK(more != before);
    write(scratch / "cas/a.pem", "longer");
    CHECK(look_at(paths) != more);
    fs::remove(scratch / "cas/b.pem");
    CHECK(look_at(paths) != before);
  }

  TEST_CASE("a service's files are those of its credentials and of its checks', each once") {
    config::Service service;
    service.tls->ca = {"/ca.pem", "/cas"};
    service.tls->peer_certs = {"/peer.pem"};
    service.tls->crl = {"/crl.pem"};
    service.tls->cert = service.tls->key = "/robot.pem";
    service.tls->key_password_file = "/password";
    service.tls->psk_file = "/psk";
    service.health.tls = config::Tls{};
    service.health.tls->ca = {"/ca.pem"};
    service.health.tls->cert = "/checker.p12";
    CHECK(credential_files(service) ==
          std::vector<std::string>{"/ca.pem", "/cas", "/peer.pem", "/crl.pem", "/robot.pem",
                                   "/password", "/psk", "/checker.p12"});
  }

  TEST_CASE("keys in a token are not files, and a plain service has none") {
    config::Service service;
    service.tls->verify = config::Verify::none;
    service.tls->cert = service.tls->key = "pkcs11:token=robots;object=robot";
    CHECK(credential_files(service).empty());
    service.tls.reset();
    CHECK(credential_files(service).empty());
  }

  TEST_CASE("without `ca` the system's trust store counts, where it is used") {
    config::Service service;
    CHECK(credential_files(service) == x509::system_trust_files());
    service.tls->verify = config::Verify::pin;
    CHECK(credential_files(service).empty());
  }
}

}  // namespace tunnel::runtime::file_watch_test
