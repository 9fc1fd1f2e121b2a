// SPDX-License-Identifier: MIT
// What the two TLS targets share: a CA, its server, and a client that trusts it. Made once.
#pragma once

#include <string>
#include <string_view>

#include "promise.h"
#include "tests/support/pki.h"
#include "tests/support/temp_folder.h"
#include "tests/tls/client.h"
#include "tests/tls/test_server.h"
#include "tls/context.h"

namespace tunnel::tls::test {

using tunnel::require;
using tunnel::test::TempFolder;

// Of `priority`: the client offers what the server takes.
class World {
 public:
  explicit World(const char* priority) {
    config::Tls tls;
    tls.ca = {folder_.write("ca.pem", ca_.pem())};
    tls.priority = std::string(priority) + ":%PROFILE_MEDIUM";
    context_ = Context::load(tls, shared_).context;
    require(context_ != nullptr, "the context loads");
    options.chain = {&leaf_};
    options.priority = priority;
  }
  [[nodiscard]] const Context& context() const { return *context_; }

  x509::Peer peer{
      .target = "dc1.example.com:636", .names = {"dc1.example.com"}, .sni = "dc1.example.com"};
  ServerOptions options;

 private:
  Identity ca_{{.common_name = "Example CA", .is_ca = true}};
  Identity leaf_{{.common_name = "dc1.example.com", .dns = {"dc1.example.com"}}, &ca_};
  TempFolder folder_;
  Context::Shared shared_;
  std::unique_ptr<const Context> context_;
};

inline void require_sentence(const Client& client) {
  const std::string& text = client.failure().text;
  require(client.has_failed() == !text.empty(), "a failure has a sentence, and nothing else has");
  for (const char c : text)
    require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a sentence is printable");
  require(text.size() < 4096, "a sentence is short");
}

// The next bytes of a fuzzer's input; zeros when there are none left.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  [[nodiscard]] std::string_view bytes(std::size_t size) {
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

}  // namespace tunnel::tls::test
