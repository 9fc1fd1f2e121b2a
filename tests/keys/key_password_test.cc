// SPDX-License-Identifier: MIT
#include "keys/key_password.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>

#include "keys/client_certificate.h"
#include "support/pki.h"
#include "support/temp_folder.h"

using namespace tunnel;
using namespace tunnel::keys;
using namespace tunnel::test;
using namespace tunnel::x509;

namespace {

constexpr std::size_t kLength = 40;

// A password that this test never holds as a whole, but on the stack while it writes it.
char letter(std::size_t i) { return static_cast<char>('a' + (i * 7 + i / 3) % 26); }

void write_password(const std::string& path) {
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
  REQUIRE(file >= 0);
  for (std::size_t i = 0; i < kLength; ++i) {
    const char c = letter(i);
    REQUIRE(::write(file, &c, 1) == 1);
  }
  (void)::close(file);
}

// How often it stands in the memory that this process may write.
int copies_in_memory() {
  std::ifstream maps("/proc/self/maps");
  const int memory = ::open("/proc/self/mem", O_RDONLY);
  REQUIRE(memory >= 0);
  int found = 0;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0;
    std::array<char, 5> rights{};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights.data()) != 3) continue;
    if (rights[1] != 'w') continue;
    // A sanitizer's shadow: terabytes of it.
    constexpr unsigned long kLargest = 1UL << 30;
    if (end - begin > kLargest) continue;
    // By pages on the stack, so that the search makes no copy that a later one would find.
    std::array<char, 4096> page{};
    std::size_t matched = 0;
    for (unsigned long at = begin; at < end; at += page.size()) {
      const auto got = ::pread(memory, page.data(), page.size(), static_cast<off_t>(at));
      if (got <= 0) break;
      const bool is_our_own = at <= reinterpret_cast<unsigned long>(page.data()) + page.size() &&
                              at + page.size() >= reinterpret_cast<unsigned long>(page.data());
      const auto size = static_cast<std::size_t>(got);
      for (std::size_t i = 0; !is_our_own && i < size; ++i) {
        // Most octets are none of it, and there are some hundred million.
        if (matched == 0) {
          const void* first = std::memchr(page.data() + i, letter(0), size - i);
          if (first == nullptr) break;
          i = static_cast<std::size_t>(static_cast<const char*>(first) - page.data());
        }
        matched = page[i] == letter(matched) ? matched + 1 : (page[i] == letter(0) ? 1 : 0);
        if (matched < kLength) continue;
        ++found;
        matched = 0;
      }
    }
    page.fill('\0');
  }
  (void)::close(memory);
  return found;
}

}  // namespace

TEST_CASE("a key that was opened from a file leaves its password nowhere in memory") {
  const TempFolder folder;
  const Identity robot({.common_name = "robot"});
  config::Tls tls;
  const auto path = folder.write("password", "");
  write_password(path);
  {
    std::array<char, kLength + 1> password{};
    for (std::size_t i = 0; i < kLength; ++i) password[i] = letter(i);
    Datum key;
    REQUIRE(gnutls_x509_privkey_export2_pkcs8(robot.key(), GNUTLS_X509_FMT_PEM, password.data(),
                                              GNUTLS_PKCS_PBES2_AES_256, key.get()) == 0);
    gnutls_memset(password.data(), 0, password.size());
    tls.key = folder.write("key.pem", std::string(key.view()));
  }
  tls.cert = folder.write("cert.pem", robot.pem());
  tls.key_password_file = path;
  const int before = copies_in_memory();  // what GnuTLS may have left
  WrongPins wrong_pins;
  Problems problems;
  REQUIRE(ClientCertificate::load(tls, wrong_pins, problems) != nullptr);
  CHECK(copies_in_memory() <= before);
}

TEST_CASE("a key password stands in memory once, and not at all when it is over") {
  TempFolder folder;
  const auto path = folder.write("password", "");
  write_password(path);
  REQUIRE(copies_in_memory() == 0);
  Problems problems;
  auto password = std::make_unique<KeyPassword>();
  password->load("key_password_file", path, problems);
  CHECK_FALSE(problems.has_errors());
  CHECK(password->is_set());
  CHECK(copies_in_memory() == 1);
  password.reset();
  CHECK(copies_in_memory() == 0);
}
