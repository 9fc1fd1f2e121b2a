// SPDX-License-Identifier: MIT
// What one library seals the other opens, and neither opens what was changed.
#include "tls/aead.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "aeads.h"

namespace tunnel::tls::aead_test {

using namespace tunnel::tls::test;

namespace {

constexpr std::size_t kTagSize = 16;
constexpr std::size_t kMost = 16384 + 300;
constexpr Aead::Nonce kNonce{9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 255, 254};

struct Key {
  gnutls_cipher_algorithm_t algorithm;
  std::size_t size;
};
constexpr Key kKeys[] = {{GNUTLS_CIPHER_AES_128_GCM, 16}, {GNUTLS_CIPHER_AES_256_GCM, 32}};

std::vector<std::byte> pattern(std::size_t size, unsigned seed) {
  std::vector<std::byte> bytes(size);
  for (auto& byte : bytes) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<std::byte>(seed >> 24);
  }
  return bytes;
}

std::unique_ptr<Aead> aead_of(const AeadProvider& provider, const Key& key) {
  return std::make_unique<Aead>(provider, Aead::Cipher{key.algorithm, kTagSize},
                                pattern(key.size, 1));
}

// All up to 2 KiB, and around the largest record.
std::vector<std::size_t> sizes() {
  std::vector<std::size_t> all;
  for (std::size_t size = 0; size <= 2048; ++size) all.push_back(size);
  for (std::size_t size = 16384 - 70; size <= 16384 + 70; ++size) all.push_back(size);
  all.push_back(16384 + 256);
  return all;
}

// Memory behind which there is none: one byte too far is a crash.
class Brink {
 public:
  explicit Brink(std::size_t most) : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
    size_ = (most + page_ - 1) / page_ * page_;
    base_ =
        ::mmap(nullptr, size_ + page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE((base_ != MAP_FAILED));
    REQUIRE(::mprotect(static_cast<char*>(base_) + size_, page_, PROT_NONE) == 0);
  }
  ~Brink() { (void)::munmap(base_, size_ + page_); }
  Brink(const Brink&) = delete;
  Brink& operator=(const Brink&) = delete;

  [[nodiscard]] MutableBytes last(std::size_t size) const {
    return {static_cast<std::byte*>(base_) + size_ - size, size};
  }
  MutableBytes hold(Bytes bytes) const {
    std::copy(bytes.begin(), bytes.end(), last(bytes.size()).begin());
    return last(bytes.size());
  }

 private:
  std::size_t page_, size_;
  void* base_;
};

bool is_same(Bytes one, Bytes other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end());
}

// Says nothing of each size: ten thousand assertions would take longer than the work.
bool opens_right(Aead& aead, Bytes additional, Bytes sealed, Bytes text) {
  std::vector<std::byte> into(text.size());
  if (!aead.open(kNonce, additional, sealed, into) || !is_same(into, text)) return false;
  into.assign(sealed.begin(), sealed.end());  // in place
  return aead.open(kNonce, additional, into, into) && is_same(Bytes(into).first(text.size()), text);
}

bool seals_right(Aead& aead, Bytes additional, Bytes text, Bytes sealed) {
  std::vector<std::byte> into(sealed.size());
  if (!aead.seal(kNonce, additional, text, into) || !is_same(into, sealed)) return false;
  into.assign(text.begin(), text.end());  // in place
  into.resize(sealed.size());
  if (!aead.seal(kNonce, additional, Bytes(into).first(text.size()), into)) return false;
  if (!is_same(into, sealed)) return false;
  if (text.empty()) return true;
  into.assign(sealed.size(), std::byte{});
  return aead.seal(kNonce, additional, text.first(text.size() - 1), text.back(), into) &&
         is_same(into, sealed);
}

}  // namespace

TEST_CASE("every library gives the known answers") {
  for (const auto& aead : aeads()) {
    CAPTURE(aead.provider.name());
    CHECK(gives_known_answers(aead.provider));
  }
  if (aeads().size() == 1) MESSAGE("only GnuTLS is here: there is nothing to compare it with");
}

TEST_CASE("each library opens what the other has sealed, of every size, in place and not") {
  for (const auto& key : kKeys) {
    for (const std::size_t additional_size : std::initializer_list<std::size_t>{5, 13}) {
      const auto additional = pattern(additional_size, 2);
      const auto reference = aead_of(AeadProvider(), key);
      for (const auto& choice : aeads()) {
        CAPTURE(choice.provider.name());
        CAPTURE(key.size);
        CAPTURE(additional_size);
        const auto aead = aead_of(choice.provider, key);
        for (const std::size_t size : sizes()) {
          const auto text = pattern(size, static_cast<unsigned>(size));
          std::vector<std::byte> sealed(size + kTagSize);
          REQUIRE(reference->seal(kNonce, additional, text, sealed));
          if (!opens_right(*aead, additional, sealed, text) ||
              !seals_right(*aead, additional, text, sealed)) {
            FAIL_CHECK(size << " bytes");
          }
        }
      }
    }
  }
}

TEST_CASE("a changed tag, text, header or nonce is refused, and nothing of the text is left") {
  const auto additional = pattern(5, 2);
  for (const auto& choice : aeads()) {
    for (const auto& key : kKeys) {
      CAPTURE(choice.provider.name());
      CAPTURE(key.size);
      const auto aead = aead_of(choice.provider, key);
      for (const std::size_t size : std::initializer_list<std::size_t>{
               0, 1, 15, 16, 17, 100, 255, 256, 257, 1000, 4096, 16384}) {
        CAPTURE(size);
        const auto text = pattern(size, 3);
        std::vector<std::byte> sealed(size + kTagSize);
        REQUIRE(aead->seal(kNonce, additional, text, sealed));
        const auto is_refused = [&](const Aead::Nonce& nonce, Bytes header, Bytes changed) {
          std::vector<std::byte> into(size, std::byte{'x'});
          const bool is_genuine = aead->open(nonce, header, changed, into);
          return !is_genuine && is_same(into, std::vector<std::byte>(size));
        };
        // Every bit of the tag, and some of the text.
        for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
          if (bit < 8 * size && bit % 997 != 0) continue;
          auto changed = sealed;
          changed[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
          if (!is_refused(kNonce, additional, changed)) FAIL_CHECK("bit " << bit);
        }
        auto header = additional;
        header.back() ^= std::byte{1};
        CHECK(is_refused(kNonce, header, sealed));
        auto nonce = kNonce;
        nonce.back() ^= 1;
        CHECK(is_refused(nonce, additional, sealed));
        if (size == 0) continue;
        std::vector<std::byte> into(size);
        CHECK_FALSE(aead->open(kNonce, additional, Bytes(sealed).first(sealed.size() - 1), into));
      }
      CHECK_FALSE(aead->open(kNonce, additional, pattern(15, 4), {}));
    }
  }
}

TEST_CASE("nothing is read or written behind what was lent, nor where there is too little room") {
  const Brink text_at(kMost), sealed_at(kMost + kTagSize), opened_at(kMost), header_at(16);
  const MutableBytes additional = header_at.hold(pattern(5, 2));
  for (const auto& choice : aeads()) {
    for (const auto& key : kKeys) {
      CAPTURE(choice.provider.name());
      CAPTURE(key.size);
      const auto aead = aead_of(choice.provider, key);
      for (const std::size_t size : sizes()) {
        const MutableBytes text = text_at.hold(pattern(size, 5));
        const MutableBytes sealed = sealed_at.last(size + kTagSize);
        const MutableBytes opened = opened_at.last(size);
        bool is_right = aead->seal(kNonce, additional, text, sealed) &&
                        aead->open(kNonce, additional, sealed, opened) && is_same(opened, text);
        if (size > 0) {
          is_right = is_right &&
                     aead->seal(kNonce, additional, text.first(size - 1), text.back(), sealed) &&
                     aead->open(kNonce, additional, sealed, opened) && is_same(opened, text) &&
                     !aead->open(kNonce, additional, sealed, opened.first(size - 1));
        }
        is_right = is_right && !aead->seal(kNonce, additional, text, sealed.subspan(1)) &&
                   !aead->seal(kNonce, additional, text, std::byte{}, sealed);
        if (!is_right) FAIL_CHECK(size << " bytes");
      }
    }
  }
}

TEST_CASE("a key leaves nothing behind") {
  for (const auto& choice : aeads()) {
    if (!choice.provider.gcm(GNUTLS_CIPHER_AES_128_GCM)) continue;  // GnuTLS's own business
    alignas(Aead) unsigned char room[sizeof(Aead)] = {};
    const auto key = pattern(16, 1);
    const auto is_there = [&] {
      const Bytes all(reinterpret_cast<const std::byte*>(room), sizeof room);
      return std::search(all.begin(), all.end(), key.begin(), key.end()) != all.end();
    };
    auto* aead = new (room) Aead(choice.provider, {GNUTLS_CIPHER_AES_128_GCM, kTagSize}, key);
    CHECK(is_there());
    std::vector<std::byte> sealed(100 + kTagSize);
    CHECK(aead->seal(kNonce, {}, pattern(100, 6), sealed));
    SUBCASE("at its end") { aead->~Aead(); }
    SUBCASE("when it is forgotten") { aead->forget_key(); }
    CHECK_FALSE(is_there());
    // What is made of a key has many bits set; what is left are a few pointers and sizes.
    CHECK(std::count_if(room, room + sizeof room, [](auto byte) { return byte != 0; }) < 40);
  }
}

TEST_CASE(
    "without a key nothing is sealed or opened, and another key takes the place of the first") {
  for (const auto& choice : aeads()) {
    CAPTURE(choice.provider.name());
    const Aead::Cipher cipher{GNUTLS_CIPHER_AES_128_GCM, kTagSize};
    const auto text = pattern(100, 6);
    std::vector<std::byte> sealed(text.size() + kTagSize);
    std::vector<std::byte> opened(text.size());
    Aead aead(choice.provider);
    CHECK_FALSE(aead.has_key());
    CHECK_FALSE(aead.seal(kNonce, {}, text, sealed));
    CHECK_FALSE(aead.open(kNonce, {}, sealed, opened));
    aead.set_key(cipher, pattern(16, 1));
    CHECK(aead.has_key());
    REQUIRE(aead.seal(kNonce, {}, text, sealed));
    aead.set_key(cipher, pattern(16, 2));
    CHECK_FALSE(aead.open(kNonce, {}, sealed, opened));
    REQUIRE(aead.seal(kNonce, {}, text, sealed));
    Aead other(choice.provider, cipher, pattern(16, 2));
    CHECK(other.open(kNonce, {}, sealed, opened));
    CHECK(std::equal(opened.begin(), opened.end(), text.begin(), text.end()));
    aead.forget_key();
    CHECK_FALSE(aead.has_key());
    CHECK_FALSE(aead.seal(kNonce, {}, text, sealed));
  }
}

TEST_CASE("other ciphers are always GnuTLS's") {
  for (const auto& choice : aeads()) {
    for (const auto cipher : {GNUTLS_CIPHER_CHACHA20_POLY1305, GNUTLS_CIPHER_AES_128_CCM,
                              GNUTLS_CIPHER_AES_256_CCM_8, GNUTLS_CIPHER_AES_256_CBC}) {
      CHECK(choice.provider.gcm(cipher) == nullptr);
    }
  }
}

TEST_CASE("the library can be wished for, and what cannot be had is not silently replaced") {
  CHECK(AeadChoice::make("gnutls").provider.name() == "GnuTLS");
  CHECK(AeadChoice::make("gnutls").problem.empty());
  CHECK(AeadChoice::make(nullptr).problem.empty());
  CHECK(AeadChoice::make("").problem.empty());
  CHECK(AeadChoice::make("openssl").problem ==
        "TUNNEL_AEAD in the environment is \"openssl\"; it can be \"gnutls\" or \"ipsec-mb\"");
  const auto forced = AeadChoice::make("ipsec-mb");
  if (aeads().size() > 1) {
    CHECK(forced.provider.name().starts_with("intel-ipsec-mb "));
    CHECK(forced.problem.empty());
  } else {
    CHECK(forced.provider.name() == "GnuTLS");
    CHECK(forced.problem.starts_with("TUNNEL_AEAD in the environment is \"ipsec-mb\", but this "));
  }
}

}  // namespace tunnel::tls::aead_test
