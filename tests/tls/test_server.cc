// SPDX-License-Identifier: MIT
#include "test_server.h"

#include <gnutls/crypto.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tunnel::tls::test {
namespace {

void must(int result) {
  if (result < 0) {
    std::fprintf(stderr, "the test's server failed: %s\n", gnutls_strerror(result));
    std::abort();
  }
}

std::string text(const gnutls_datum_t& datum) {
  return {reinterpret_cast<const char*>(datum.data), datum.size};
}

}  // namespace

std::string seal(const Sealing& how, unsigned char type, std::string_view content,
                 std::size_t padding) {
  const bool has_explicit_nonce = how.iv.size() == 4;  // AES in TLS 1.2 (RFC 5288)
  std::string nonce = how.iv;
  if (has_explicit_nonce) {
    nonce += how.sequence;
  } else {
    for (std::size_t i = 0; i < 8; ++i) {
      nonce[4 + i] = static_cast<char>(nonce[4 + i] ^ how.sequence[i]);
    }
  }
  std::string plain(content);
  if (how.is_tls13) plain += static_cast<char>(type) + std::string(padding, '\0');
  const auto tag_size = gnutls_cipher_get_tag_size(how.cipher);
  const auto length = [](std::size_t size) {
    return std::string{static_cast<char>(size >> 8), static_cast<char>(size & 255)};
  };
  const std::string head{static_cast<char>(how.is_tls13 ? 23 : type), '\3', '\3'};
  const std::string associated = how.is_tls13 ? head + length(plain.size() + tag_size)
                                              : how.sequence + head + length(plain.size());
  gnutls_aead_cipher_hd_t cipher = nullptr;
  const auto key = x509::lend(how.key);
  must(gnutls_aead_cipher_init(&cipher, how.cipher, &key));
  std::string sealed(plain.size() + tag_size, '\0');
  std::size_t size = sealed.size();
  must(gnutls_aead_cipher_encrypt(cipher, nonce.data(), nonce.size(), associated.data(),
                                  associated.size(), tag_size, plain.data(), plain.size(),
                                  sealed.data(), &size));
  gnutls_aead_cipher_deinit(cipher);
  if (has_explicit_nonce) sealed.insert(0, how.sequence);
  return head + length(sealed.size()) + sealed;
}

TestServer::TestServer(const ServerOptions& options) : options_(options) {
  gnutls_certificate_credentials_t credentials = nullptr;
  must(gnutls_certificate_allocate_credentials(&credentials));
  credentials_.reset(credentials);
  if (!options_.chain.empty()) {
    std::vector<gnutls_x509_crt_t> chain;
    for (const auto* identity : options_.chain) chain.push_back(identity->certificate());
    must(gnutls_certificate_set_x509_key(credentials, chain.data(), static_cast<int>(chain.size()),
                                         options_.chain.front()->key()));
  }
  if (!options_.raw_chain.empty()) show_raw_chain();
  if (options_.client_ca != nullptr) {
    auto ca = options_.client_ca->certificate();
    must(gnutls_certificate_set_x509_trust(credentials, &ca, 1));
  }
  gnutls_session_t raw = nullptr;
  unsigned flags = GNUTLS_SERVER | GNUTLS_NONBLOCK;
  if (!options_.sends_tickets) flags |= GNUTLS_NO_TICKETS;
  must(gnutls_init(&raw, flags));
  session_.reset(raw);
  gnutls_priority_t priority = nullptr;
  must(gnutls_priority_init(&priority, options_.priority.c_str(), nullptr));
  priority_.reset(priority);
  must(gnutls_priority_set(raw, priority));
  must(gnutls_credentials_set(raw, GNUTLS_CRD_CERTIFICATE, credentials));
  gnutls_session_set_ptr(raw, this);
  if (!options_.psk_identity.empty()) {
    gnutls_psk_server_credentials_t psk = nullptr;
    must(gnutls_psk_allocate_server_credentials(&psk));
    psk_.reset(psk);
    gnutls_psk_set_server_credentials_function2(
        psk, [](gnutls_session_t session, const gnutls_datum_t* name, gnutls_datum_t* key) {
          const auto* self = static_cast<TestServer*>(gnutls_session_get_ptr(session));
          if (text(*name) != self->options_.psk_identity) return -1;
          const auto& bytes = self->options_.psk_key;
          key->data = static_cast<unsigned char*>(gnutls_malloc(bytes.size()));
          std::memcpy(key->data, bytes.data(), bytes.size());
          key->size = static_cast<unsigned>(bytes.size());
          return 0;
        });
    must(gnutls_credentials_set(raw, GNUTLS_CRD_PSK, psk));
  }
  if (options_.sends_tickets) {
    must(gnutls_session_ticket_key_generate(ticket_key_.get()));
    const auto shared = x509::lend(options_.ticket_key);
    must(gnutls_session_ticket_enable_server(raw, shared.size > 0 ? &shared : ticket_key_.get()));
  }
  if (options_.require_certificate || options_.request_certificate) {
    gnutls_certificate_server_set_request(
        raw, options_.require_certificate ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
  }
  std::vector<gnutls_datum_t> protocols;
  for (const auto& protocol : options_.alpn) protocols.push_back(x509::lend(protocol));
  if (!protocols.empty()) {
    must(gnutls_alpn_set_protocols(raw, protocols.data(), static_cast<unsigned>(protocols.size()),
                                   GNUTLS_ALPN_MANDATORY));
  }
  if (!options_.ocsp_response.empty()) {
    gnutls_certificate_set_ocsp_status_request_function2(
        credentials, 0,
        [](gnutls_session_t, void* self, gnutls_datum_t* out) {
          const auto& response = static_cast<TestServer*>(self)->options_.ocsp_response;
          out->data = static_cast<unsigned char*>(gnutls_malloc(response.size()));
          std::memcpy(out->data, response.data(), response.size());
          out->size = static_cast<unsigned>(response.size());
          return 0;
        },
        this);
  }
  gnutls_session_set_ptr(raw, this);
  gnutls_handshake_set_secret_function(
      raw, [](gnutls_session_t session, gnutls_record_encryption_level_t level, const void*,
              const void* secret, std::size_t size) {
        if (level == GNUTLS_ENCRYPTION_LEVEL_HANDSHAKE && secret != nullptr) {
          static_cast<TestServer*>(gnutls_session_get_ptr(session))
              ->handshake_secret_.assign(static_cast<const char*>(secret), size);
        }
        return 0;
      });
  if (!options_.known_name.empty()) {
    gnutls_handshake_set_post_client_hello_function(raw, [](gnutls_session_t session) {
      const auto* self = static_cast<TestServer*>(gnutls_session_get_ptr(session));
      return self->server_name() == self->options_.known_name ? 0 : GNUTLS_E_UNRECOGNIZED_NAME;
    });
  }
  gnutls_transport_set_ptr(raw, this);
  gnutls_transport_set_push_function(raw, &TestServer::push);
  gnutls_transport_set_pull_function(raw, &TestServer::pull);
}

TestServer::~TestServer() {
  for (auto& certificate : raw_chain_) gnutls_pcert_deinit(&certificate);
}

// Past what GnuTLS does to a chain that it is given: it sorts it, and takes only short ones.
void TestServer::show_raw_chain() {
  for (const auto* identity : options_.raw_chain) {
    raw_chain_.emplace_back();
    must(gnutls_pcert_import_x509(&raw_chain_.back(), identity->certificate(), 0));
  }
  const auto* owner = options_.key_of != nullptr ? options_.key_of : options_.raw_chain.front();
  gnutls_privkey_t key = nullptr;
  must(gnutls_privkey_init(&key));
  raw_key_.reset(key);
  must(gnutls_privkey_import_x509(key, owner->key(), GNUTLS_PRIVKEY_IMPORT_COPY));
  gnutls_certificate_set_retrieve_function3(
      credentials_.get(), [](gnutls_session_t session, const gnutls_cert_retr_st*,
                             gnutls_pcert_st** certificates, unsigned* count, gnutls_ocsp_data_st**,
                             unsigned* ocsp_count, gnutls_privkey_t* its_key, unsigned* flags) {
        auto* self = static_cast<TestServer*>(gnutls_session_get_ptr(session));
        *certificates = self->raw_chain_.data();
        *count = static_cast<unsigned>(self->raw_chain_.size());
        *its_key = self->raw_key_.get();
        *ocsp_count = 0;
        *flags = 0;
        return 0;
      });
}

ssize_t TestServer::push(gnutls_transport_ptr_t self, const void* data, std::size_t size) {
  static_cast<TestServer*>(self)->output_.append(static_cast<const char*>(data), size);
  return static_cast<ssize_t>(size);
}

ssize_t TestServer::pull(gnutls_transport_ptr_t self, void* data, std::size_t size) {
  auto* server = static_cast<TestServer*>(self);
  const auto taken = std::min(size, server->input_.size());
  if (taken == 0) {
    gnutls_transport_set_errno(server->session_.get(), EAGAIN);
    return -1;
  }
  std::memcpy(data, server->input_.data(), taken);
  server->input_.erase(0, taken);
  return static_cast<ssize_t>(taken);
}

void TestServer::receive(std::string_view ciphertext) {
  input_ += ciphertext;
  if (error_ != 0) return;
  if (!established_) handshake();
  if (established_) read();
}

void TestServer::note(int error) {
  error_ = error;
  if (error == GNUTLS_E_FATAL_ALERT_RECEIVED || error == GNUTLS_E_WARNING_ALERT_RECEIVED) {
    alert_ = gnutls_alert_get(session_.get());
  } else {
    (void)gnutls_alert_send_appropriate(session_.get(), error);
  }
}

void TestServer::handshake() {
  while (true) {
    const int result = gnutls_handshake(session_.get());
    if (result == 0) established_ = true;
    if (result == 0 || (result == GNUTLS_E_AGAIN && input_.empty())) return;
    if (gnutls_error_is_fatal(result) != 0) return note(result);
  }
}

void TestServer::read() {
  std::array<char, 20000> buffer{};
  while (error_ == 0 && !closed_) {
    const auto result = gnutls_record_recv(session_.get(), buffer.data(), buffer.size());
    if (result > 0) {
      received_.append(buffer.data(), static_cast<std::size_t>(result));
    } else if (result == 0) {
      closed_ = true;
    } else if (result == GNUTLS_E_AGAIN) {
      if (input_.empty()) return;
    } else if (result == GNUTLS_E_WARNING_ALERT_RECEIVED) {
      alert_ = gnutls_alert_get(session_.get());
    } else {
      return note(static_cast<int>(result));
    }
  }
}

void TestServer::send(std::string_view plaintext) {
  while (!plaintext.empty()) {
    const auto result = gnutls_record_send(session_.get(), plaintext.data(), plaintext.size());
    must(static_cast<int>(result));
    plaintext.remove_prefix(static_cast<std::size_t>(result));
  }
}

void TestServer::send_record(unsigned char type, std::string_view content, std::size_t padding) {
  gnutls_datum_t mac_key{}, iv{}, key{};
  std::array<unsigned char, 8> sequence{};
  must(gnutls_record_get_state(session_.get(), 0, &mac_key, &iv, &key, sequence.data()));
  Sealing how{.cipher = gnutls_cipher_get(session_.get()),
              .key = text(key),
              .iv = text(iv),
              .sequence = std::string(sequence.begin(), sequence.end()),
              .is_tls13 = gnutls_protocol_get_version(session_.get()) == GNUTLS_TLS1_3};
  output_ += seal(how, type, content, padding);
  for (std::size_t i = 8; i-- > 0 && ++sequence[i] == 0;) continue;
  must(gnutls_record_set_state(session_.get(), 0, sequence.data()));
}

std::string TestServer::handshake_record(unsigned char type, std::string_view content) {
  const auto expand = [this](std::string_view label, std::size_t size) {
    const auto secret = x509::lend(handshake_secret_);
    std::string info{'\0', static_cast<char>(size), static_cast<char>(6 + label.size())};
    info += "tls13 " + std::string(label) + '\0';
    const auto lent = x509::lend(info);
    std::string out(size, '\0');
    must(gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &secret, &lent, out.data(), size));
    return out;
  };
  std::string sequence(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    sequence[i] = static_cast<char>(handshake_records_ >> (56 - 8 * i) & 0xff);
  }
  ++handshake_records_;
  Sealing how{.cipher = GNUTLS_CIPHER_AES_128_GCM,
              .key = expand("key", 16),
              .iv = expand("iv", 12),
              .sequence = sequence,
              .is_tls13 = true};
  return seal(how, type, content, 0);
}

void TestServer::send_close_notify() { must(gnutls_bye(session_.get(), GNUTLS_SHUT_WR)); }

void TestServer::send_alert(gnutls_alert_level_t level, gnutls_alert_description_t alert) {
  must(gnutls_alert_send(session_.get(), level, alert));
}

void TestServer::send_ticket() { must(gnutls_session_ticket_send(session_.get(), 1, 0)); }

void TestServer::update_key(bool ask_peer_too) {
  must(gnutls_session_key_update(session_.get(), ask_peer_too ? GNUTLS_KU_PEER : 0));
}

void TestServer::ask_for_renegotiation() { must(gnutls_rehandshake(session_.get())); }

std::string TestServer::server_name() const {
  std::array<char, 256> name{};
  std::size_t size = name.size();
  unsigned type = 0;
  if (gnutls_server_name_get(session_.get(), name.data(), &size, &type, 0) < 0) return {};
  return name.data();
}

std::vector<std::string> TestServer::client_chain() const {
  unsigned size = 0;
  const auto* list = gnutls_certificate_get_peers(session_.get(), &size);
  std::vector<std::string> chain;
  for (unsigned i = 0; i < size; ++i) chain.push_back(text(list[i]));
  return chain;
}

std::string TestServer::psk_identity() const {
  gnutls_datum_t name{};
  return gnutls_psk_server_get_username2(session_.get(), &name) < 0 ? "" : text(name);
}

std::string TestServer::alpn() const {
  gnutls_datum_t protocol{};
  if (gnutls_alpn_get_selected_protocol(session_.get(), &protocol) < 0) return {};
  return text(protocol);
}

}  // namespace tunnel::tls::test
