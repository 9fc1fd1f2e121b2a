// SPDX-License-Identifier: MIT
#pragma once

#include <gnutls/crypto.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "base/bytes.h"
#include "tls/aead_provider.h"

namespace tunnel::tls {

// An AEAD cipher of TLS with one key. Belongs to one thread; lives on the stack, where it wipes
// what it has made of the key when it goes.
class Aead {
 public:
  using Nonce = std::array<unsigned char, 12>;

  struct Cipher {
    gnutls_cipher_algorithm_t algorithm = GNUTLS_CIPHER_UNKNOWN;
    std::size_t tag_size = 0;
  };
  // Without a key, which costs nothing. `provider` must outlive it.
  explicit Aead(const AeadProvider& provider) : provider_(provider) {}
  Aead(const AeadProvider& provider, Cipher cipher, Bytes key) : Aead(provider) {
    set_key(cipher, key);
  }
  ~Aead() { forget_key(); }
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;

  void set_key(Cipher cipher, Bytes key);  // there is none after it when there is no memory
  void forget_key();
  [[nodiscard]] bool has_key() const { return gcm_ || gnutls_; }

  // All of them fail without a key.

  // Writes ciphertext and tag, which `into` must have room for. It may be where `text` is.
  [[nodiscard]] bool seal(const Nonce& nonce, Bytes additional, Bytes text, MutableBytes into);
  // The same with one more byte at the end of the text, which is somewhere else.
  [[nodiscard]] bool seal(const Nonce& nonce, Bytes additional, Bytes text, std::byte last,
                          MutableBytes into);
  // Writes the text of `sealed`, which may be where `into` is. False, and nothing of it is left
  // there, when it is not genuine.
  [[nodiscard]] bool open(const Nonce& nonce, Bytes additional, Bytes sealed, MutableBytes into);

 private:
  struct Deinit {
    void operator()(gnutls_aead_cipher_hd_t cipher) const { gnutls_aead_cipher_deinit(cipher); }
  };
  [[nodiscard]] bool opens(const Nonce& nonce, Bytes additional, Bytes sealed, MutableBytes text);
  [[nodiscard]] gcm_key_data* key() { return reinterpret_cast<gcm_key_data*>(key_.data()); }
  [[nodiscard]] gcm_context_data* context() {
    return reinterpret_cast<gcm_context_data*>(context_.data());
  }

  const AeadProvider& provider_;
  std::size_t tag_size_ = 0;
  const IpsecMb::Gcm* gcm_ = nullptr;  // null: `gnutls_` does it
  std::unique_ptr<std::remove_pointer_t<gnutls_aead_cipher_hd_t>, Deinit> gnutls_;
  // For `gcm_`, and otherwise never touched.
  alignas(IpsecMb::kAlignment) std::array<std::byte, IpsecMb::kKeySize> key_;
  alignas(IpsecMb::kAlignment) std::array<std::byte, IpsecMb::kContextSize> context_;
};

}  // namespace tunnel::tls
