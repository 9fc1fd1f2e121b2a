// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keys/handles.h"
#include "support/pki.h"
#include "tls/handles.h"
#include "x509/handles.h"

namespace tunnel::tls::test {

using tunnel::test::Identity;

// A record of any content, which GnuTLS would not send: AEAD ciphers only. The number of the record
// in eight bytes; only TLS 1.3 has padding.
struct Sealing {
  gnutls_cipher_algorithm_t cipher = GNUTLS_CIPHER_UNKNOWN;
  std::string key, iv, sequence;
  bool is_tls13 = true;
};
[[nodiscard]] std::string seal(const Sealing& how, unsigned char type, std::string_view content,
                               std::size_t padding = 0);

// How the server of a test behaves.
struct ServerOptions {
  std::vector<const Identity*> chain;  // its own certificate first
  // Shown as it is, in this order and however long, with the key of the first.
  std::vector<const Identity*> raw_chain;
  // The key of `raw_chain` if that of the first certificate is not to be had.
  const Identity* key_of = nullptr;
  std::string priority =
      "NORMAL:%PROFILE_VERY_WEAK:%VERIFY_ALLOW_BROKEN:%VERIFY_ALLOW_SIGN_WITH_SHA1";
  bool request_certificate = false;     // asks for a client certificate
  bool require_certificate = false;     // and refuses to go on without it
  const Identity* client_ca = nullptr;  // the authority it names when it asks
  std::string psk_identity, psk_key;  // a pre-shared key that it knows; the priority must allow it
  std::vector<std::string> alpn;
  bool sends_tickets = false;
  std::string ticket_key;     // servers with the same one know each other's tickets; "": its own
  std::string known_name;     // refuses other server names with unrecognized_name
  std::string ocsp_response;  // to be stapled, DER
};

// A GnuTLS server over memory: bytes in, bytes out, one call each. What a test asserts about the
// client's half of a conversation, this half must do right.
class TestServer {
 public:
  explicit TestServer(const ServerOptions& options);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // Takes ciphertext and goes on as far as it gets: handshake, then reading.
  void receive(std::string_view ciphertext);
  [[nodiscard]] std::string take_output() { return std::exchange(output_, {}); }

  void send(std::string_view plaintext);  // in records as large as they can be
  // A record with any content, which GnuTLS would not send (an AEAD cipher is needed). Type 23 is
  // application data, 22 handshake, 21 alert. Only TLS 1.3 has padding.
  void send_record(unsigned char type, std::string_view content, std::size_t padding = 0);
  // A record of TLS 1.3 under the keys of the handshake, of which none may have been used yet: the
  // first of its records, and so on. AES-128-GCM only.
  [[nodiscard]] std::string handshake_record(unsigned char type, std::string_view content);
  void send_close_notify();
  void send_alert(gnutls_alert_level_t level, gnutls_alert_description_t alert);
  void send_ticket();
  void update_key(bool ask_peer_too);
  void ask_for_renegotiation();

  [[nodiscard]] bool is_established() const { return established_; }
  [[nodiscard]] int error() const { return error_; }  // of GnuTLS; 0 while all is well
  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] bool has_seen_close_notify() const { return closed_; }
  [[nodiscard]] int alert_received() const { return alert_; }  // -1: none
  [[nodiscard]] std::string server_name() const;               // that the client asked for
  [[nodiscard]] std::string alpn() const;
  [[nodiscard]] std::string psk_identity() const;  // that the client used
  // The certificates that the client has shown, DER, its own first.
  [[nodiscard]] std::vector<std::string> client_chain() const;
  [[nodiscard]] gnutls_session_t raw() const { return session_.get(); }

 private:
  void show_raw_chain();
  static ssize_t push(gnutls_transport_ptr_t self, const void* data, std::size_t size);
  static ssize_t pull(gnutls_transport_ptr_t self, void* data, std::size_t size);
  void handshake();
  void read();
  void note(int error);

  ServerOptions options_;
  Credentials credentials_;
  struct FreePsk {
    void operator()(gnutls_psk_server_credentials_t psk) const {
      gnutls_psk_free_server_credentials(psk);
    }
  };
  std::unique_ptr<gnutls_psk_server_credentials_st, FreePsk> psk_;
  std::vector<gnutls_pcert_st> raw_chain_;
  keys::PrivateKey raw_key_;
  PriorityHandle priority_;
  x509::Datum ticket_key_;
  SessionHandle session_;
  std::string input_, output_, received_;
  std::string handshake_secret_;
  std::uint64_t handshake_records_ = 0;
  bool established_ = false;
  bool closed_ = false;
  int error_ = 0;
  int alert_ = -1;
};

}  // namespace tunnel::tls::test
