// SPDX-License-Identifier: MIT
// libFuzzer target for the handshake. The first byte says how the input is meant:
//   0  what the server sends, as it is
//   1  changes to the first flight of a genuine TLS 1.2 server
//   2  changes to the messages of a genuine TLS 1.3 server behind its ServerHello, sealed again
//   3  changes to the bytes of its first flight
//   4  its ServerHello, then records that are sealed as the input says: type, length, content
// The second byte cuts messages into records or bytes into pieces. A change is four bytes: what
// (see `change`), where (two), value.
//
// Found wrong: a crash, anything the sanitizers say, a call without end, a sentence with
// unprintable bytes, success with a server that was not genuine.
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "tls_world.h"

namespace tunnel::tls::test {
namespace {

constexpr const char* kTls12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
constexpr const char* kTls13 = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM";
constexpr unsigned char kHandshake = 22;

std::string change(std::string text, Input& input) {
  for (int changes = 0; !input.empty() && changes < 50; ++changes) {
    const auto what = input.byte();
    const std::size_t where = (unsigned{input.byte()} << 8 | input.byte()) % (text.size() + 1);
    const auto value = input.byte();
    switch (what & 3) {
      case 0:
        if (where < text.size()) text[where] = static_cast<char>(text[where] ^ value);
        break;
      case 1:
        text.insert(where, 1 + what / 4, static_cast<char>(value));
        break;
      case 2:
        text.erase(where, value);
        break;
      default:
        text.insert(where, text.substr(where, value));
        break;
    }
  }
  return text;
}

// What the server says in its first flight behind its ServerHello, message by message.
std::string* messages = nullptr;
int note_message(gnutls_session_t, unsigned type, unsigned, unsigned incoming,
                 const gnutls_datum_t* message) {
  if (incoming != 0 || type == GNUTLS_HANDSHAKE_SERVER_HELLO) return 0;
  *messages += static_cast<char>(type);
  for (const int shift : {16, 8, 0}) *messages += static_cast<char>(message->size >> shift & 0xff);
  messages->append(reinterpret_cast<const char*>(message->data), message->size);
  return 0;
}

void deliver(Client& client, std::string_view bytes, std::size_t piece) {
  for (std::size_t at = 0; at < bytes.size(); at += piece) client.receive(bytes.substr(at, piece));
}

std::string first_record(std::string_view flight) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(flight[i]); };
  require(flight.size() > 5, "the server answers");
  return std::string(flight.substr(0, 5U + (unsigned{at(3)} << 8 | at(4))));
}

World& world_of(bool is_tls13) {
  static World tls12(kTls12), tls13(kTls13);
  return is_tls13 ? tls13 : tls12;
}

void run(std::uint8_t mode, std::size_t piece, Input input) {
  World& world = world_of(mode != 1);
  Client client(world.context(), world.peer);
  client.start();
  const auto hello = client.take_output();
  if (mode == 0) {
    deliver(client, input.bytes(std::string::npos), piece);
    require(!client.is_established(), "a server without a key is not trusted");
    return require_sentence(client);
  }
  TestServer server(world.options);
  std::string flight_messages;
  messages = &flight_messages;
  gnutls_handshake_set_hook_function(server.raw(), GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_POST,
                                     note_message);
  server.receive(hello);
  const auto flight = server.take_output();
  bool is_genuine = false, is_longer = false;
  if (mode == 1 || mode == 3) {
    const auto changed = change(flight, input);
    is_genuine = changed == flight;
    deliver(client, changed, piece);
  } else {
    client.receive(first_record(flight));
    const auto changed = mode == 2 ? change(flight_messages, input) : std::string();
    is_genuine = mode == 2 && changed == flight_messages;
    is_longer = changed.starts_with(flight_messages);
    for (std::size_t at = 0; at < changed.size(); at += piece)
      client.receive(server.handshake_record(kHandshake, changed.substr(at, piece)));
    while (mode == 4 && !input.empty()) {
      const auto type = input.byte();
      client.receive(server.handshake_record(type, input.bytes(input.byte())));
    }
  }
  require_sentence(client);
  if (is_genuine) {
    exchange(client, server);
    require(client.is_established(), "who is genuine is trusted");
  }
  // TLS 1.2 has bytes that nothing depends on. In TLS 1.3 there may only be more behind the last
  // message: in a record of its own that is seen to be of other keys.
  if (mode == 2 && !is_genuine && client.is_established())
    require(is_longer && client.has_failed(), "who is not genuine is not trusted");
  (void)client.take_output();
}

}  // namespace
}  // namespace tunnel::tls::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnel::tls::test;
  if (size < 2) return 0;
  const std::size_t piece = data[1] == 0 ? 16000 : data[1];
  run(data[0] % 5, piece, {data + 2, size - 2});
  return 0;
}
