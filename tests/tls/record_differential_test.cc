// SPDX-License-Identifier: MIT
// The same plaintext, cut in the same places, through GnuTLS's record layer and through ours: the
// bytes and the sequence numbers must be equal after each step, with updates of the keys in
// between. RECORD_DIFFERENTIAL_SECONDS of CPU time instead of a short while, and
// RECORD_DIFFERENTIAL_SEED, are for longer runs by hand.
#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "aeads.h"
#include "fixture.h"
#include "tls/record_cipher.h"
#include "tls/session_impl.h"

namespace tunnel::tls::record_differential_test {

using namespace tunnel::tls::test;
using Direction = RecordKeys::Direction;

namespace {

constexpr const char* kPriorities[] = {
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM",
};

long number_from(const char* variable, long otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::atol(text) : otherwise;
}

class Both {
 public:
  Both(const AeadChoice& aead, const char* priority, unsigned seed) : aead_(aead), chance_(seed) {
    f_.use(aead);
    f_.options.priority = priority;
    f_.connect();
    REQUIRE_MESSAGE(f_.client().is_established(), f_.failure().text);
    raw_ = f_.client().session().impl().session.get();
    has_updates_ = gnutls_protocol_get_version(raw_) == GNUTLS_TLS1_3;
    if (has_updates_) updates_left_ = 6;
  }

  void step() {
    if (updates_left_ > 0 && at_random(0, 19) == 0) update();
    seal_both();
    open_both();
  }

 private:
  std::size_t at_random(std::size_t least, std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(least, most)(chance_);
  }

  // Short ones, long ones, and those at the brim.
  std::string plaintext() {
    static constexpr std::size_t kMost[] = {16, 300, 4096, 16384};
    const std::size_t most = kMost[at_random(0, 3)];
    std::string text(at_random(0, 9) == 0 ? most : at_random(1, most), '\0');
    for (auto& c : text) c = static_cast<char>(chance_());
    return text;
  }

  // What GnuTLS puts out while `call` runs.
  template <class Call>
  std::string by_gnutls(Call call) {
    std::vector<std::byte> room(20000);
    OutBuffer out(room);
    const Lending lending(f_.client().session().impl().out, out);
    call();
    return std::string(as_text(out.filled()));
  }

  void update() {
    --updates_left_;
    f_.server().receive(by_gnutls([&] { REQUIRE(gnutls_session_key_update(raw_, 0) == 0); }));
    REQUIRE(f_.server().error() == 0);
  }

  void seal_both() {
    auto keys = RecordKeys::of(raw_, Direction::write);
    REQUIRE(keys);
    std::string text = plaintext();
    const std::string kept = text;
    const bool is_followed = at_random(0, 1) == 1;
    if (is_followed) text += 'n';
    std::vector<std::byte> room(20000);
    OutBuffer out(room);
    RecordCipher cipher(*keys, aead_.provider);
    REQUIRE(cipher.seal(as_mutable_bytes(text).first(kept.size()),
                        is_followed ? RecordCipher::Followed::yes : RecordCipher::Followed::no,
                        out));
    const std::string theirs = by_gnutls([&] {
      REQUIRE(gnutls_record_send(raw_, kept.data(), kept.size()) ==
              static_cast<ssize_t>(kept.size()));
    });
    REQUIRE(text.substr(0, kept.size()) == kept);
    const bool is_equal = as_text(out.filled()) == theirs;
    REQUIRE(is_equal);
    REQUIRE(keys->sequence == RecordKeys::of(raw_, Direction::write)->sequence);
    f_.server().receive(theirs);
    const bool has_arrived = f_.server().received().ends_with(kept);
    REQUIRE(has_arrived);
  }

  // What GnuTLS's server has sealed: its own reader is the server of the other direction, so the
  // plaintext itself is what to compare with.
  void open_both() {
    RecordKeys keys = *RecordKeys::of(f_.server().raw(), Direction::write);
    const std::string text = plaintext();
    f_.server().send(text);
    std::string record = f_.server().take_output();
    std::vector<std::byte> room(20000);
    RecordCipher cipher(keys, aead_.provider);
    const auto content = cipher.open(as_bytes(record), room);
    REQUIRE(content);
    REQUIRE(content->type == RecordCipher::kApplicationData);
    const bool is_equal = as_text(Bytes(room).first(content->size)) == text;
    REQUIRE(is_equal);
    REQUIRE(keys.sequence == RecordKeys::of(f_.server().raw(), Direction::write)->sequence);
    if (has_updates_ && at_random(0, 19) == 0) f_.server().update_key(false);
    (void)f_.server().take_output();
  }

  const AeadChoice& aead_;
  std::mt19937 chance_;
  Fixture f_;
  gnutls_session_t raw_ = nullptr;
  bool has_updates_ = false;
  int updates_left_ = 0;  // GnuTLS's server takes eight a second
};

}  // namespace

TEST_CASE("GnuTLS's record layer and ours make the same bytes of the same plaintext") {
  const long seconds = number_from("RECORD_DIFFERENTIAL_SECONDS", 0);
  auto seed = static_cast<unsigned>(number_from("RECORD_DIFFERENTIAL_SEED", 1));
  long steps = 0;
  do {
    for (const auto& aead : aeads()) {
      for (const char* priority : kPriorities) {
        CAPTURE(aead.provider.name());
        CAPTURE(priority);
        CAPTURE(seed);
        Both both(aead, priority, seed);
        for (int i = 0; i < 200; ++i, ++steps) both.step();
      }
    }
    ++seed;
  } while (std::clock() / CLOCKS_PER_SEC < seconds);
  MESSAGE(steps << " steps");
}

}  // namespace tunnel::tls::record_differential_test
