// SPDX-License-Identifier: MIT
// Known answers of AES-GCM, before a library is trusted with records.
#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "tls/aead.h"

namespace tunnel::tls {
namespace {

constexpr std::size_t kTagSize = 16;
// More than a record, and no whole number of blocks.
constexpr std::size_t kLongSize = 16384 + 256 + 7;

// Test cases 4 and 16 of "The Galois/Counter Mode of Operation" (McGrew and Viega).
constexpr std::string_view kKey128 =
    "\xfe\xff\xe9\x92\x86\x65\x73\x1c\x6d\x6a\x8f\x94\x67\x30\x83\x08";
constexpr std::string_view kKey256 =
    "\xfe\xff\xe9\x92\x86\x65\x73\x1c\x6d\x6a\x8f\x94\x67\x30\x83\x08"
    "\xfe\xff\xe9\x92\x86\x65\x73\x1c\x6d\x6a\x8f\x94\x67\x30\x83\x08";
constexpr Aead::Nonce kNonce{0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce,
                             0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
constexpr std::string_view kAdditional =
    "\xfe\xed\xfa\xce\xde\xad\xbe\xef\xfe\xed\xfa\xce\xde\xad\xbe\xef\xab\xad\xda\xd2";
constexpr std::string_view kText =
    "\xd9\x31\x32\x25\xf8\x84\x06\xe5\xa5\x59\x09\xc5\xaf\xf5\x26\x9a\x86\xa7\xa9\x53"
    "\x15\x34\xf7\xda\x2e\x4c\x30\x3d\x8a\x31\x8a\x72\x1c\x3c\x0c\x95\x95\x68\x09\x53"
    "\x2f\xcf\x0e\x24\x49\xa6\xb5\x25\xb1\x6a\xed\xf5\xaa\x0d\xe6\x57\xba\x63\x7b\x39";
constexpr std::string_view kSealed128 =
    "\x42\x83\x1e\xc2\x21\x77\x74\x24\x4b\x72\x21\xb7\x84\xd0\xd4\x9c\xe3\xaa\x21\x2f"
    "\x2c\x02\xa4\xe0\x35\xc1\x7e\x23\x29\xac\xa1\x2e\x21\xd5\x14\xb2\x54\x66\x93\x1c"
    "\x7d\x8f\x6a\x5a\xac\x84\xaa\x05\x1b\xa3\x0b\x39\x6a\x0a\xac\x97\x3d\x58\xe0\x91"
    "\x5b\xc9\x4f\xbc\x32\x21\xa5\xdb\x94\xfa\xe9\x5a\xe7\x12\x1a\x47";
constexpr std::string_view kSealed256 =
    "\x52\x2d\xc1\xf0\x99\x56\x7d\x07\xf4\x7f\x37\xa3\x2a\x84\x42\x7d\x64\x3a\x8c\xdc"
    "\xbf\xe5\xc0\xc9\x75\x98\xa2\xbd\x25\x55\xd1\xaa\x8c\xb0\x8e\x48\x59\x0d\xbb\x3d"
    "\xa7\xb0\x8b\x10\x56\x82\x88\x38\xc5\xf6\x1e\x63\x93\xba\x7a\x0a\xbc\xc9\xf6\x62"
    "\x76\xfc\x6e\xce\x0f\x4e\x17\x68\xcd\xdf\x88\x53\xbb\x2d\x55\x1b";

using Buffer = std::vector<std::byte>;

bool opens(Aead& aead, const Buffer& sealed, Bytes text) {
  Buffer opened(text.size());
  return aead.open(kNonce, as_bytes(kAdditional), sealed, opened) &&
         std::equal(text.begin(), text.end(), opened.begin());
}

// Both ways of sealing give `expected`, which opens, and no longer with a bit changed.
bool agrees(Aead& aead, Bytes text, Bytes expected) {
  const Bytes additional = as_bytes(kAdditional);
  Buffer sealed(expected.size());
  if (!aead.seal(kNonce, additional, text, sealed)) return false;
  if (!std::equal(sealed.begin(), sealed.end(), expected.begin())) return false;
  std::fill(sealed.begin(), sealed.end(), std::byte{});
  const Bytes most = text.first(text.size() - 1);
  if (!aead.seal(kNonce, additional, most, text.back(), sealed)) return false;
  if (!std::equal(sealed.begin(), sealed.end(), expected.begin())) return false;
  if (!opens(aead, sealed, text)) return false;
  for (const std::size_t at : {std::size_t{0}, text.size(), sealed.size() - 1}) {
    Buffer forged = sealed;
    forged[at] ^= std::byte{1};
    if (opens(aead, forged, text)) return false;
  }
  return true;
}

bool agrees(const AeadProvider& provider, gnutls_cipher_algorithm_t algorithm, std::string_view key,
            std::string_view sealed) {
  const Aead::Cipher cipher{algorithm, kTagSize};
  Aead aead(provider, cipher, as_bytes(key));
  if (!agrees(aead, as_bytes(kText), as_bytes(sealed))) return false;
  // What is short never meets the code for many blocks at once.
  Buffer text(kLongSize);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::byte>(i * i >> 4);
  Buffer expected(text.size() + kTagSize);
  const AeadProvider reference;
  Aead gnutls(reference, cipher, as_bytes(key));
  return gnutls.seal(kNonce, as_bytes(kAdditional), text, expected) && agrees(aead, text, expected);
}

}  // namespace

bool gives_known_answers(const AeadProvider& provider) {
  return agrees(provider, GNUTLS_CIPHER_AES_128_GCM, kKey128, kSealed128) &&
         agrees(provider, GNUTLS_CIPHER_AES_256_GCM, kKey256, kSealed256);
}

}  // namespace tunnel::tls
