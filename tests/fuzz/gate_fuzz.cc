// SPDX-License-Identifier: MIT
// libFuzzer target for what looks at every record after the handshake, without a handshake each
// time: many times as fast as session_fuzz, whose corpus it shares in kind. The first byte
// chooses the cipher suite and the room for plaintext, then come records: a type, a length, the
// content; type 0xf0 is a KeyUpdate (a byte: with a request), 0xf1 bytes as they are, 0xf4 a large
// record (type, a few bytes more or less), 0xf6 one with padding (type, content, padding).
//
// Found wrong: a crash, anything the sanitizers say, a call without end, another course when the
// same bytes arrive one by one or through little room, or when another library decrypts them.
#include <gnutls/gnutls.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/tls/aeads.h"
#include "tls/record_gate.h"
#include "tls/session_impl.h"
#include "tls_world.h"

namespace tunnel::tls::test {
namespace {

constexpr std::array kPriorities = {
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-CCM-8",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CHACHA20-POLY1305",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CCM",
};

// An established session, which lends its keys.
struct Established {
  explicit Established(const char* priority) : world(priority) {
    server = std::make_unique<TestServer>(world.options);
    client = std::make_unique<Client>(world.context(), world.peer);
    exchange(*client, *server);
    require(client->is_established(), "the handshake succeeds");
  }
  [[nodiscard]] gnutls_session_t session() const { return client->session().impl().session.get(); }
  World world;
  std::unique_ptr<TestServer> server;
  std::unique_ptr<Client> client;
};

Established& established(std::size_t suite) {
  static std::array<std::unique_ptr<Established>, kPriorities.size()> all;
  if (!all[suite]) all[suite] = std::make_unique<Established>(kPriorities[suite]);
  return *all[suite];
}

const TrafficSecret& secret_of(const RecordKeys& keys) {
  // Any will do: both sides go on from it.
  static const std::string text(48, 's');
  static const TrafficSecret sha256(as_bytes(text).first(32)), sha384(as_bytes(text));
  return keys.algorithm == GNUTLS_CIPHER_AES_256_GCM ? sha384 : sha256;
}

std::string ciphertext(RecordKeys keys, Input input) {
  TrafficSecret secret = secret_of(keys);
  std::string out;
  const auto say = [&](unsigned char type, std::string_view content, std::size_t padding) {
    Sealing how;
    how.cipher = keys.algorithm;
    how.is_tls13 = !keys.is_1_2;
    how.key.assign(keys.key.begin(), keys.key.begin() + keys.key_size);
    how.iv.assign(keys.iv.begin(), keys.iv.end() - keys.explicit_nonce_size);
    for (int shift = 56; shift >= 0; shift -= 8)
      how.sequence += static_cast<char>(keys.sequence >> shift & 0xff);
    out += seal(how, type, content, padding);
    ++keys.sequence;
  };
  for (int records = 0; !input.empty() && records < 300; ++records) {
    const auto type = input.byte();
    switch (type) {
      case 0xf0:
        say(22, std::string{24, 0, 0, 1, static_cast<char>(input.byte() & 1)}, 0);
        if (!keys.is_1_2) require(secret.update(keys), "keys go on");
        break;
      case 0xf1:
        out += input.bytes(input.byte());
        break;
      case 0xf4: {
        const auto its = input.byte();
        say(its, std::string(16384U - 8 + input.byte() % 16, 'l'), 0);
        break;
      }
      case 0xf6: {
        const auto its = input.byte();
        const auto content = input.bytes(input.byte());
        say(its, content, keys.is_1_2 ? 0 : input.byte() * 70U);
        break;
      }
      default:
        say(type, input.bytes(input.byte()), 0);
        break;
    }
  }
  return out;
}

struct Course {
  RecordGate::Met met = RecordGate::Met::end_of_input;
  std::string received, refusal;
  int alert = 0;
  bool is_key_requested = false, is_asked = false;
  bool operator==(const Course&) const = default;
};

Course run(RecordGate& gate, std::string_view text, std::size_t piece, std::size_t room) {
  std::vector<std::byte> into(room);
  Course course;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    // A copy of the exact size, so that reading past it shows.
    const auto part = text.substr(at, piece);
    const std::vector<std::byte> exact(as_bytes(part).begin(), as_bytes(part).end());
    Bytes rest = exact;
    do {
      const auto opened = gate.open(rest, into);
      require(opened.size <= room && opened.used <= rest.size(), "no more than there is");
      require(opened.met != RecordGate::Met::full || opened.size > 0, "it goes on");
      course.received += as_text(Bytes(into).first(opened.size));
      rest = rest.subspan(opened.used);
      course.met = opened.met;
    } while (course.met == RecordGate::Met::full);
    if (course.met != RecordGate::Met::end_of_input) break;
    require(rest.empty(), "all is used up");
  }
  course.alert = gate.alert();
  course.refusal = gate.refusal().what;
  course.is_key_requested = gate.take_key_request();
  course.is_asked = gate.was_asked_to_renegotiate();
  return course;
}

}  // namespace
}  // namespace tunnel::tls::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnel::tls::test;
  using tunnel::tls::AeadProvider;
  using tunnel::tls::RecordGate;
  using tunnel::tls::RecordKeys;
  if (size == 0) return 0;
  const auto session = established(data[0] % kPriorities.size()).session();
  const auto keys = RecordKeys::of(session, RecordKeys::Direction::read);
  require(keys.has_value(), "there are keys");
  const auto text = ciphertext(*keys, {data + 1, size - 1});
  // A ticket that GnuTLS takes counts in GnuTLS: each gate begins where the keys were taken.
  const auto course = [&](std::size_t piece, std::size_t room, const AeadProvider& aead) {
    unsigned char sequence[8];
    for (int i = 0; i < 8; ++i)
      sequence[i] = static_cast<unsigned char>(keys->sequence >> (56 - 8 * i));
    (void)gnutls_record_set_state(session, 1, sequence);
    const auto gate = RecordGate::before(session, secret_of(*keys), aead);
    return run(*gate, text, piece, room);
  };
  const AeadProvider gnutls;
  const Course whole = course(text.size() + 1, 400'000, gnutls);
  require(course(text.size() < 5000 ? 1 : 61, 400'000, gnutls) == whole, "another course when cut");
  require(course(7000, 1 + data[0], gnutls) == whole, "another course through little room");
  for (const auto& choice : aeads())
    require(course(7000, 400'000, choice.provider) == whole, "another course with another library");
  return 0;
}
