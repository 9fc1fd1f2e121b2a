// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client.h"
#include "support/contains.h"
#include "support/pki.h"
#include "support/temp_folder.h"
#include "test_server.h"
#include "tls/context.h"
#include "tls/remembered.h"
#include "tls/session.h"

namespace tunnel::tls::test {

using tunnel::test::TempFolder;

// A CA, its server "dc1.example.com", and a configuration that trusts the CA. A test changes what
// it is about, then connects.
class Fixture {
 public:
  Fixture();

  // Loads the context, which must have no problem, and runs a handshake.
  void connect(const Splitter& split = whole());
  void load();
  // Once more, with the context that is there.
  void connect_again();

  // Whose AES-GCM the client works with, from the next load on; must outlive the fixture.
  void use(const AeadChoice& aead) { shared_.aead = &aead; }

  [[nodiscard]] Client& client() { return *client_; }
  [[nodiscard]] TestServer& server() { return *server_; }
  [[nodiscard]] const Failure& failure() const { return client_->failure(); }
  [[nodiscard]] const Context& context() const { return *context_; }
  void exchange() { test::exchange(*client_, *server_); }

  TempFolder folder;
  Identity ca;
  Identity leaf;  // dc1.example.com, 127.0.0.1, admin@example.com
  config::Tls tls;
  x509::Peer peer;
  ServerOptions options;
  Remembered remembered;
  bool remembers = false;  // clients use it

 private:
  void start();

  Context::Shared shared_;
  std::unique_ptr<const Context> context_;
  std::unique_ptr<TestServer> server_;
  std::unique_ptr<Client> client_;
};

}  // namespace tunnel::tls::test
