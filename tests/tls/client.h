// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "test_server.h"
#include "tls/session.h"

namespace tunnel::tls::test {

// Drives a Session as the tunnel does: feed, handshake until done, then open until `again`.
class Client {
 public:
  Client(const Context& context, x509::Peer peer, Remembered* remembered = nullptr,
         Tickets tickets = Tickets::welcome)
      : session_(context, std::move(peer), remembered, tickets) {}

  void start() { receive({}); }
  void receive(std::string_view ciphertext);
  void send(std::string_view plaintext);
  void close();
  [[nodiscard]] std::string take_output() { return std::exchange(output_, {}); }

  [[nodiscard]] bool is_established() const { return established_; }
  [[nodiscard]] bool is_closed() const { return closed_; }  // close_notify came
  [[nodiscard]] bool has_failed() const { return failed_; }
  [[nodiscard]] const Failure& failure() const { return session_.failure(); }
  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] Session& session() { return session_; }
  // How much open() may decrypt into at once.
  void set_window(std::size_t size) { window_ = size; }

 private:
  void open_all();

  Session session_;
  std::string output_, received_;
  std::size_t window_ = 65536;
  bool established_ = false, closed_ = false, failed_ = false;
};

// Cuts a stream into pieces: gives the size of the next one.
using Splitter = std::function<std::size_t()>;
[[nodiscard]] Splitter whole();
[[nodiscard]] Splitter byte_by_byte();
[[nodiscard]] Splitter random_pieces(unsigned seed, std::size_t largest);

// Carries bytes between the two until neither has any left.
void exchange(Client& client, TestServer& server, const Splitter& split = whole());

}  // namespace tunnel::tls::test
