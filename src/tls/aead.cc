// SPDX-License-Identifier: MIT
#include "tls/aead.h"

#include <string.h>

#include "base/wipe.h"

namespace tunnel::tls {
namespace {

constexpr std::size_t kGcmTagSize = 16;

const std::uint8_t* raw(Bytes bytes) { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }
std::uint8_t* raw(MutableBytes bytes) { return reinterpret_cast<std::uint8_t*>(bytes.data()); }

}  // namespace

// Which library works is decided here, with the key: `gcm_` for what intel-ipsec-mb does in this
// process, and else `gnutls_`.
void Aead::set_key(Cipher cipher, Bytes key) {
  forget_key();
  tag_size_ = cipher.tag_size;
  gcm_ = provider_.gcm(cipher.algorithm);
  if (gcm_) return gcm_->expand(key.data(), this->key());
  const gnutls_datum_t lent{const_cast<unsigned char*>(raw(key)),
                            static_cast<unsigned>(key.size())};
  gnutls_aead_cipher_hd_t made = nullptr;
  if (gnutls_aead_cipher_init(&made, cipher.algorithm, &lent) >= 0) gnutls_.reset(made);
}

void Aead::forget_key() {
  gnutls_.reset();  // wipes it itself
  if (!gcm_) return;
  wipe(key_);
  wipe(context_);  // has some of the key stream
  gcm_ = nullptr;
}

bool Aead::seal(const Nonce& nonce, Bytes additional, Bytes text, MutableBytes into) {
  if (into.size() < text.size() + tag_size_) return false;
  if (gcm_) {
    gcm_->seal(key(), context(), raw(into), raw(text), text.size(), nonce.data(), raw(additional),
               additional.size(), raw(into) + text.size(), tag_size_);
    return true;
  }
  std::size_t size = into.size();
  return gnutls_ && gnutls_aead_cipher_encrypt(gnutls_.get(), nonce.data(), nonce.size(),
                                               additional.data(), additional.size(), tag_size_,
                                               text.data(), text.size(), into.data(), &size) >= 0;
}

bool Aead::seal(const Nonce& nonce, Bytes additional, Bytes text, std::byte last,
                MutableBytes into) {
  if (into.size() < text.size() + 1 + tag_size_) return false;
  if (gcm_) {
    std::uint8_t* const end = raw(into) + text.size();
    const auto byte = std::to_integer<std::uint8_t>(last);
    gcm_->begin(key(), context(), nonce.data(), raw(additional), additional.size());
    gcm_->seal_piece(key(), context(), raw(into), raw(text), text.size());
    gcm_->seal_piece(key(), context(), end, &byte, 1);
    gcm_->end(key(), context(), end + 1, tag_size_);
    return true;
  }
  const std::array<giovec_t, 1> associated{
      {{const_cast<std::byte*>(additional.data()), additional.size()}}};
  const std::array<giovec_t, 2> pieces{
      {{const_cast<std::byte*>(text.data()), text.size()}, {&last, 1}}};
  std::size_t size = into.size();
  return gnutls_ &&
         gnutls_aead_cipher_encryptv(gnutls_.get(), nonce.data(), nonce.size(), associated.data(),
                                     1, tag_size_, pieces.data(), 2, into.data(), &size) >= 0;
}

bool Aead::open(const Nonce& nonce, Bytes additional, Bytes sealed, MutableBytes into) {
  if (sealed.size() < tag_size_ || into.size() < sealed.size() - tag_size_) return false;
  const MutableBytes text = into.first(sealed.size() - tag_size_);
  if (opens(nonce, additional, sealed, text)) return true;
  // Both libraries decrypt before they know.
  wipe(text);
  return false;
}

bool Aead::opens(const Nonce& nonce, Bytes additional, Bytes sealed, MutableBytes text) {
  if (!gcm_) {
    std::size_t size = text.size();
    return gnutls_ &&
           gnutls_aead_cipher_decrypt(gnutls_.get(), nonce.data(), nonce.size(), additional.data(),
                                      additional.size(), tag_size_, sealed.data(), sealed.size(),
                                      text.data(), &size) >= 0;
  }
  std::array<unsigned char, kGcmTagSize> tag{};
  gcm_->open(key(), context(), raw(text), raw(sealed), text.size(), nonce.data(), raw(additional),
             additional.size(), tag.data(), tag_size_);
  // In a time that does not tell how much of a guess was right.
  const bool is_genuine = gnutls_memcmp(tag.data(), raw(sealed) + text.size(), tag_size_) == 0;
  wipe(tag);  // that of a forged record would make it genuine
  return is_genuine;
}

}  // namespace tunnel::tls
