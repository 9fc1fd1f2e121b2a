// SPDX-License-Identifier: MIT
#include "client.h"

#include <algorithm>
#include <memory>
#include <random>

namespace tunnel::tls::test {
namespace {

constexpr std::size_t kHandshakeRoom = 16384;

}  // namespace

void Client::receive(std::string_view ciphertext) {
  if (failed_ || closed_) return;
  // A copy of the exact size: reading past its end, or keeping it, shows under ASan.
  const std::vector<std::byte> fed(as_bytes(ciphertext).begin(), as_bytes(ciphertext).end());
  session_.feed(fed);
  if (!established_) {
    std::vector<std::byte> room(kHandshakeRoom);
    OutBuffer out(room);
    const Io io = session_.handshake(out);
    output_ += as_text(out.filled());
    established_ = io == Io::done;
    failed_ = io == Io::failed;
  }
  if (established_ && !ciphertext.empty()) open_all();
}

void Client::open_all() {
  std::vector<std::byte> into(window_);
  std::vector<std::byte> room(4096);
  while (true) {
    OutBuffer out(room);
    const auto opened = session_.open(into, out);
    received_ += as_text(Bytes(into).first(opened.size));
    output_ += as_text(out.filled());
    failed_ = opened.io == Io::failed;
    closed_ = opened.io == Io::closed;
    if (opened.io != Io::done) return;
  }
}

void Client::send(std::string_view plaintext) {
  std::vector<std::byte> room(Session::sealed_size(plaintext.size()));
  OutBuffer out(room);
  // A copy of the exact size, as above; and what is lent comes back unchanged.
  std::vector<std::byte> exact(as_bytes(plaintext).begin(), as_bytes(plaintext).end());
  failed_ = session_.seal(exact, out) != Io::done;
  if (as_text(exact) != plaintext) failed_ = true;
  output_ += as_text(out.filled());
}

void Client::close() {
  std::vector<std::byte> room(1024);
  OutBuffer out(room);
  failed_ = session_.close(out) != Io::done;
  output_ += as_text(out.filled());
}

Splitter whole() {
  return [] { return std::string::npos; };
}

Splitter byte_by_byte() {
  return [] { return std::size_t{1}; };
}

Splitter random_pieces(unsigned seed, std::size_t largest) {
  auto random = std::make_shared<std::mt19937>(seed);
  return
      [random, largest] { return std::uniform_int_distribution<std::size_t>(1, largest)(*random); };
}

void exchange(Client& client, TestServer& server, const Splitter& split) {
  if (!client.is_established()) client.start();
  while (true) {
    const auto up = client.take_output();
    const auto down = server.take_output();
    if (up.empty() && down.empty()) return;
    for (std::size_t at = 0, size = 0; at < up.size(); at += size) {
      size = std::min(split(), up.size() - at);
      server.receive(std::string_view(up).substr(at, size));
    }
    for (std::size_t at = 0, size = 0; at < down.size(); at += size) {
      size = std::min(split(), down.size() - at);
      client.receive(std::string_view(down).substr(at, size));
    }
  }
}

}  // namespace tunnel::tls::test
