// SPDX-License-Identifier: MIT
// libFuzzer target for a session after its handshake, with a server that seals what the input says.
// The first byte chooses the cipher suite; then come steps: a byte that says what, and what it
// needs (see `step`). session_corpus holds one of each.
//
// Found wrong: a crash, anything the sanitizers say, a step without end, another course when the
// same bytes arrive one by one, a sentence with unprintable bytes, output that the server cannot
// read.
#include <array>
#include <cstdint>
#include <memory>
#include <string>

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
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CBC:-MAC-ALL:+SHA1",
};
constexpr std::size_t kCbc = kPriorities.size() - 1;

struct Course {
  std::string received, failure;
  bool is_closed = false;
};

class Talk {
 public:
  Talk(World& world, std::size_t suite, std::size_t piece)
      : suite_(suite), piece_(piece), server_(world.options), client_(world.context(), world.peer) {
    exchange(client_, server_);
    require(client_.is_established() && server_.is_established(), "the handshake succeeds");
  }

  Course run(Input input) {
    // Each server's key update costs more than its byte.
    for (int steps = 0; !input.empty() && steps < 400; ++steps) step(input);
    deliver();
    require_sentence(client_);
    Course course{client_.received(), client_.failure().text, client_.is_closed()};
    if (client_.has_failed()) return course;
    client_.send("last words");
    client_.close();
    server_.receive(client_.take_output());
    // It allows eight answers to its requests for new keys a second.
    if (server_.error() != GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS)
      require(server_.received().ends_with("last words"), "the server reads what is sent");
    return course;
  }

 private:
  void step(Input& input) {
    const auto what = input.byte();
    switch (what) {
      case 0xf0:
        if (suite_ < 4) server_.update_key((input.byte() & 1) != 0);
        return;
      case 0xf1:  // on the wire as it is
        deliver();
        deliver(std::string(input.bytes(input.byte())));
        return;
      case 0xf2: {
        deliver();
        if (client_.has_failed()) return;
        client_.send(std::string(1 + input.byte() * 70U, 'c'));
        server_.receive(client_.take_output());
        return;
      }
      case 0xf3:
        server_.send(std::string(1 + input.byte() * 70U, 's'));
        return;
      case 0xf4:  // a large record of some type
        return seal(input.byte(), std::string(16384 - 8 + input.byte() % 16, 'l'), 0);
      case 0xf5:
        if (suite_ >= 4) server_.ask_for_renegotiation();
        return;
      case 0xf6:  // padding
        return seal(input.byte(), std::string(input.bytes(input.byte())), input.byte() * 70U);
      case 0xf7:
        deliver();
        return;
      default:
        return seal(what, std::string(input.bytes(input.byte())), 0);
    }
  }

  void seal(unsigned char type, std::string_view content, std::size_t padding) {
    if (suite_ == kCbc) return;  // GnuTLS's server seals only what is in order
    server_.send_record(type, content, padding);
  }

  void deliver() { return deliver(server_.take_output()); }
  void deliver(const std::string& ciphertext) {
    for (std::size_t at = 0; at < ciphertext.size(); at += piece_)
      client_.receive(std::string_view(ciphertext).substr(at, piece_));
  }

  const std::size_t suite_;
  const std::size_t piece_;
  TestServer server_;
  Client client_;
};

World& world_of(std::size_t suite) {
  static std::array<std::unique_ptr<World>, kPriorities.size()> worlds;
  if (!worlds[suite]) {
    worlds[suite] = std::make_unique<World>(kPriorities[suite]);
    worlds[suite]->options.sends_tickets = true;
  }
  return *worlds[suite];
}

}  // namespace
}  // namespace tunnel::tls::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnel::tls::test;
  if (size == 0) return 0;
  const std::size_t suite = data[0] % kPriorities.size();
  World& world = world_of(suite);
  const Course whole = Talk(world, suite, std::string::npos / 2).run({data + 1, size - 1});
  const std::size_t piece = data[0] >= 128 ? 1 : 13 + data[0];
  const Course cut = Talk(world, suite, piece).run({data + 1, size - 1});
  require(whole.received == cut.received, "other data when cut");
  require(whole.failure == cut.failure, "another sentence when cut");
  require(whole.is_closed == cut.is_closed, "another end when cut");
  return 0;
}
