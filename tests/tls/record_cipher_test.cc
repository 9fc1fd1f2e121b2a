// SPDX-License-Identifier: MIT
// What passes GnuTLS's record layer by must be exactly what would have gone through it.
#include "tls/record_cipher.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "aeads.h"
#include "fixture.h"
#include "tls/record_border.h"
#include "tls/session_impl.h"

namespace tunnel::tls::record_cipher_test {

using namespace tunnel::test;
using namespace tunnel::tls::test;
using Direction = RecordKeys::Direction;
using Followed = RecordCipher::Followed;

namespace {

constexpr const char* kOurs[] = {
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM",
};
constexpr const char* kAead[] = {
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CHACHA20-POLY1305",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CCM-8",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-CCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-CCM-8",
};
constexpr const char* kTls13 = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM";
constexpr const char* kTls12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM";

struct Way {
  AeadChoice aead;
  const char* priority;
};

// Each of the priorities with each of the libraries.
template <std::size_t size>
std::vector<Way> each_with(const char* const (&priorities)[size]) {
  std::vector<Way> all;
  for (const auto& aead : aeads()) {
    for (const char* priority : priorities) all.push_back({aead, priority});
  }
  return all;
}

std::string pattern(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i * i) + ';';
  text.resize(size);
  return text;
}

void connect(Fixture& f, const char* priority) {
  f.options.priority = priority;
  f.connect();
  REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
}

gnutls_session_t raw(Fixture& f) { return f.client().session().impl().session.get(); }

unsigned long long sequence(gnutls_session_t session, Direction direction) {
  unsigned char bytes[8] = {};
  REQUIRE(gnutls_record_get_state(session, direction == Direction::read ? 1 : 0, nullptr, nullptr,
                                  nullptr, bytes) == 0);
  unsigned long long value = 0;
  for (const unsigned char byte : bytes) value = value << 8 | byte;
  return value;
}

void pretend(gnutls_session_t session, Direction direction, unsigned long long records) {
  unsigned char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<unsigned char>(records >> (56 - 8 * i));
  REQUIRE(gnutls_record_set_state(session, direction == Direction::read ? 1 : 0, bytes) == 0);
}

}  // namespace

TEST_CASE("keys that have changed are in force with the next record") {
  for (const auto& aead : aeads()) {
    CAPTURE(aead.provider.name());
    const auto keys_from = [](unsigned char seed) {
      RecordKeys keys;
      keys.algorithm = GNUTLS_CIPHER_AES_128_GCM;
      keys.key_size = 16;
      keys.tag_size = 16;
      for (auto& byte : keys.key) byte = seed++;
      return keys;
    };
    std::string text = "hello";
    std::vector<std::byte> room(100);
    const auto seal = [&](RecordCipher& cipher) {
      OutBuffer out(room);
      REQUIRE(cipher.seal(as_mutable_bytes(text), RecordCipher::Followed::no, out));
      return std::vector<std::byte>(out.filled().begin(), out.filled().end());
    };
    RecordKeys keys = keys_from(1);
    RecordCipher cipher(keys, aead.provider);
    (void)seal(cipher);
    keys = keys_from(2);
    cipher.keys_changed();
    const auto record = seal(cipher);
    RecordKeys others = keys_from(2);
    RecordCipher reader(others, aead.provider);
    std::vector<std::byte> opened(record.size());
    CHECK(reader.open(record, opened));
    CHECK(keys.sequence == 1);
  }
}

TEST_CASE("a record that is sealed here is one that GnuTLS opens, and the next is its own") {
  for (const Way& way : each_with(kOurs)) {
    for (const auto followed : {Followed::no, Followed::yes}) {
      CAPTURE(way.aead.provider.name());
      CAPTURE(way.priority);
      Fixture f;
      connect(f, way.priority);
      std::vector<std::byte> room(1000);
      OutBuffer out(room);
      auto keys = RecordKeys::to_write(raw(f));
      REQUIRE(keys);
      RecordCipher cipher(*keys, way.aead.provider);
      auto text = std::string("sealed here|");
      const auto whole = as_mutable_bytes(text);
      CHECK(cipher.seal(followed == Followed::yes ? whole.first(11) : whole, followed, out));
      keys->give_back(raw(f));
      CHECK(text == "sealed here|");  // what was borrowed is as it was
      f.server().receive(as_text(out.filled()));
      f.client().send(" sealed by GnuTLS");
      f.exchange();
      CHECK(f.server().received() == (followed == Followed::yes ? "sealed here sealed by GnuTLS"
                                                                : "sealed here| sealed by GnuTLS"));
      CHECK(f.server().error() == 0);
    }
  }
}

TEST_CASE("a record that GnuTLS has sealed is opened here, once") {
  for (const Way& way : each_with(kAead)) {
    CAPTURE(way.aead.provider.name());
    CAPTURE(way.priority);
    Fixture f;
    f.tls.priority = std::string(way.priority) + ":%PROFILE_MEDIUM";
    connect(f, way.priority);
    f.server().send("from the server");
    const auto record = f.server().take_output();
    auto keys = RecordKeys::of(raw(f), Direction::read);
    REQUIRE(keys);
    RecordCipher cipher(*keys, way.aead.provider);
    const auto room = RecordCipher::room_for(*keys, record.size());
    REQUIRE(room);
    std::vector<std::byte> into(*room);
    const auto content = cipher.open(as_bytes(record), into);
    REQUIRE(content);
    CHECK(int{content->type} == 23);
    CHECK(as_text(Bytes(into).first(content->size)) == "from the server");
    CHECK(keys->sequence == 1 + (keys->is_1_2 ? 1 : 0));  // the server's Finished, in TLS 1.2
    CHECK_FALSE(cipher.open(as_bytes(record), into));     // a replay is not genuine
    CHECK(keys->sequence == 1 + (keys->is_1_2 ? 1 : 0));
  }
}

TEST_CASE("a record's type, padding and changes are seen") {
  for (const Way& way : each_with(kAead)) {
    CAPTURE(way.aead.provider.name());
    CAPTURE(way.priority);
    Fixture f;
    f.tls.priority = std::string(way.priority) + ":%PROFILE_MEDIUM";
    connect(f, way.priority);
    f.server().send_record(21, std::string("\1\0", 2));
    const auto alert = f.server().take_output();
    f.server().send_record(23, "", 7);
    const auto empty = f.server().take_output();
    f.server().send("genuine");
    auto changed = f.server().take_output();
    changed.back() = static_cast<char>(changed.back() ^ 1);
    auto keys = RecordKeys::of(raw(f), Direction::read);
    REQUIRE(keys);
    RecordCipher cipher(*keys, way.aead.provider);
    std::vector<std::byte> into(64);
    const auto first = cipher.open(as_bytes(alert), into);
    REQUIRE(first);
    CHECK(int{first->type} == 21);
    CHECK(first->size == 2);
    const auto second = cipher.open(as_bytes(empty), into);
    REQUIRE(second);
    CHECK(int{second->type} == 23);
    CHECK(second->size == 0);
    CHECK(second->padded_size == (keys->is_1_2 ? 0 : 7));
    CHECK_FALSE(cipher.open(as_bytes(changed), into));
    CHECK_FALSE(RecordCipher::room_for(*keys, 12));
  }
}

TEST_CASE("CBC is GnuTLS's, and so is writing with other ciphers than AES-GCM") {
  Fixture f;
  SUBCASE("CBC") {
    connect(f, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CBC:-MAC-ALL:+SHA384");
    CHECK_FALSE(RecordKeys::of(raw(f), Direction::read));
  }
  SUBCASE("ChaCha20") {
    connect(f, "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305");
    CHECK(RecordKeys::of(raw(f), Direction::read));
  }
  CHECK_FALSE(RecordKeys::to_write(raw(f)));
}

TEST_CASE("bulk data goes on through updates of keys, tickets and alerts between its records") {
  for (const auto& aead : aeads()) {
    CAPTURE(aead.provider.name());
    Fixture f;
    f.use(aead);
    f.options.sends_tickets = true;
    connect(f, kTls13);
    const auto text = pattern(100'000);
    std::string down;
    std::string up;
    for (int round = 0; round < 4; ++round) {
      CAPTURE(round);
      f.server().send(text);
      f.server().update_key(round % 2 == 0);
      f.server().send(text);
      f.server().send_ticket();
      f.server().send_record(23, "");
      f.server().send(text);
      down += text + text + text;
      f.exchange();
      f.client().send(text);  // begins with our answer to the update
      f.client().send(text);
      up += text + text;
      f.exchange();
    }
    CHECK(f.client().received() == down);
    CHECK(f.server().received() == up);
    CHECK(f.server().error() == 0);
    CHECK_FALSE(f.client().has_failed());
  }
}

TEST_CASE("bulk data in pieces of every size") {
  for (const Way& way : each_with(kOurs)) {
    for (unsigned seed = 0; seed < 8; ++seed) {
      CAPTURE(way.aead.provider.name());
      CAPTURE(way.priority);
      CAPTURE(seed);
      Fixture f;
      f.use(way.aead);
      connect(f, way.priority);
      const auto text = pattern(300'000);
      f.client().send(text);
      f.server().send(text);
      tls::test::exchange(f.client(), f.server(), random_pieces(seed, 20'000u << seed % 4));
      CHECK(f.client().received() == text);
      CHECK(f.server().received() == text);
    }
  }
}

TEST_CASE("a changed record in the middle of many breaks the session after those before it") {
  for (const Way& way : each_with(kOurs)) {
    CAPTURE(way.aead.provider.name());
    CAPTURE(way.priority);
    Fixture f;
    f.use(way.aead);
    connect(f, way.priority);
    const auto text = pattern(100'000);
    f.server().send(text);
    auto records = f.server().take_output();
    records[50'000] = static_cast<char>(records[50'000] ^ 1);
    f.client().receive(records);
    CHECK(f.client().received() == text.substr(0, 3 * 16384));
    REQUIRE(f.client().has_failed());
    CHECK(f.failure().kind == Kind::tls_failed);
    f.server().receive(f.client().take_output());
    CHECK(f.server().alert_received() == GNUTLS_A_BAD_RECORD_MAC);
  }
}

TEST_CASE("our key is updated in time, although most records pass GnuTLS by") {
  Fixture f;
  connect(f, kTls13);
  const auto near = (1ULL << 24) - 1100;
  pretend(raw(f), Direction::write, near);
  pretend(f.server().raw(), Direction::read, near);
  const auto text = pattern(200 * 16384);
  for (int i = 0; i < 8; ++i) f.client().send(text);
  f.exchange();
  CHECK(f.server().received().size() == 8 * text.size());
  CHECK(f.server().error() == 0);
  CHECK(sequence(raw(f), Direction::write) < 1000);
}

TEST_CASE("TLS 1.2, which has no update, goes on past it") {
  Fixture f;
  connect(f, kTls12);
  const auto near = (1ULL << 24) - 20;
  pretend(raw(f), Direction::write, near);
  pretend(f.server().raw(), Direction::read, near);
  f.client().send(pattern(100 * 16384));
  f.exchange();
  CHECK(f.server().received() == pattern(100 * 16384));
  CHECK(sequence(raw(f), Direction::write) == near + 100);
}

TEST_CASE("bulk data honours the record size that GnuTLS has shown") {
  Fixture f;
  connect(f, kTls13);
  f.client().send(pattern(40'000));
  f.exchange();
  const auto limit = f.client().session().impl().record_limit;
  CHECK(limit == 16384);
  f.client().session().impl().record_limit = 1000;
  f.client().send(pattern(10'500));
  const auto records = f.client().take_output();
  CHECK(records.size() == 10'500 + 11 * (5 + 1 + 16));
  f.server().receive(records);
  CHECK(f.server().received() == pattern(40'000) + pattern(10'500));
}

TEST_CASE("the type of the last record is known in pieces of every size") {
  const std::string stream = std::string("\x16\x03\x03\x00\x05hello", 10) +
                             std::string("\x17\x03\x03\x01\x00", 5) + std::string(256, 'x') +
                             std::string("\x14\x03\x03\x00\x00", 5);
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    RecordBorder border;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      CHECK(int{border.type()} == (at == 0 ? 0 : at <= 10 ? 0x16 : at <= 271 ? 0x17 : 0x14));
      border.pass(as_bytes(stream).subspan(at, std::min(step, stream.size() - at)));
    }
    CHECK(int{border.type()} == 0x14);
  }
}

}  // namespace tunnel::tls::record_cipher_test
