// SPDX-License-Identifier: MIT
#include "tls/record_cipher.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/wipe.h"

namespace tunnel::tls {
namespace {

constexpr std::size_t kExplicitNonceSize = 8;  // RFC 5288 section 3, RFC 6655 section 3
// GnuTLS updates our key three records before 2^24 are sent under it (RFC 8446 section 5.5): the
// last ones are its own, so that it comes to that.
constexpr std::uint64_t kKeyUpdateIsNear = (std::uint64_t{1} << 24) - 1024;

template <std::size_t size>
Bytes bytes_of(const std::array<unsigned char, size>& array) {
  return std::as_bytes(std::span(array));
}

std::array<unsigned char, 8> big_endian(std::uint64_t sequence) {
  std::array<unsigned char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<unsigned char>(sequence >> (56 - 8 * i));
  }
  return bytes;
}

}  // namespace

// ---- the keys

std::optional<RecordKeys> RecordKeys::of(gnutls_session_t session, Direction direction) {
  const auto version = gnutls_protocol_get_version(session);
  if (version != GNUTLS_TLS1_2 && version != GNUTLS_TLS1_3) return std::nullopt;
  if (gnutls_mac_get(session) != GNUTLS_MAC_AEAD) return std::nullopt;
  gnutls_datum_t mac_key{}, its_iv{}, its_key{};
  std::array<unsigned char, 8> its_sequence{};
  if (gnutls_record_get_state(session, direction == Direction::read ? 1 : 0, &mac_key, &its_iv,
                              &its_key, its_sequence.data()) < 0) {
    return std::nullopt;
  }
  RecordKeys result;
  result.algorithm = gnutls_cipher_get(session);
  result.is_1_2 = version == GNUTLS_TLS1_2;
  // AES (GCM and CCM) of TLS 1.2 has four bytes of its own and sends the other eight with each
  // record; ChaCha20 has all twelve there, too (RFC 7905 section 2).
  if (result.is_1_2 && its_iv.size == kNonceSize - kExplicitNonceSize) {
    result.explicit_nonce_size = kExplicitNonceSize;
  }
  // A cipher that is not known here: it is left to GnuTLS, or refused (set_up_gate).
  if (its_iv.size + result.explicit_nonce_size != kNonceSize) return std::nullopt;
  if (its_key.size > result.key.size()) return std::nullopt;
  result.tag_size = static_cast<std::uint8_t>(gnutls_cipher_get_tag_size(result.algorithm));
  result.key_size = static_cast<std::uint8_t>(its_key.size);
  std::memcpy(result.key.data(), its_key.data, its_key.size);
  std::memcpy(result.iv.data(), its_iv.data, its_iv.size);
  for (const unsigned char byte : its_sequence) result.sequence = result.sequence << 8 | byte;
  return result;
}

std::optional<RecordKeys> RecordKeys::to_write(gnutls_session_t session) {
  const auto algorithm = gnutls_cipher_get(session);
  if (algorithm != GNUTLS_CIPHER_AES_128_GCM && algorithm != GNUTLS_CIPHER_AES_256_GCM) {
    return std::nullopt;
  }
  auto keys = of(session, Direction::write);
  if (keys && !keys->is_1_2 && keys->sequence >= kKeyUpdateIsNear) return std::nullopt;
  return keys;
}

RecordKeys::~RecordKeys() { wipe(key); }

void RecordKeys::give_back(gnutls_session_t session) const {
  (void)gnutls_record_set_state(session, 0, big_endian(sequence).data());
}

// ---- one record after the other

void RecordCipher::set_key() {
  if (aead_.has_key()) return;
  aead_.set_key({keys_.algorithm, keys_.tag_size}, bytes_of(keys_.key).first(keys_.key_size));
}

std::optional<std::size_t> RecordCipher::room_for(const RecordKeys& keys, std::size_t record_size) {
  const std::size_t least = kHeaderSize + keys.explicit_nonce_size + keys.tag_size;
  if (record_size < least) return std::nullopt;
  return record_size - least;
}

std::optional<RecordCipher::Content> RecordCipher::open(Bytes record, MutableBytes into) {
  set_key();
  const Bytes body = record.subspan(kHeaderSize + keys_.explicit_nonce_size);
  const auto outer_type = static_cast<std::uint8_t>(octet_at(record, 0));
  std::size_t size = body.size() - keys_.tag_size;
  if (keys_.is_1_2) {
    Nonce its = nonce();
    if (keys_.explicit_nonce_size > 0) {
      std::memcpy(its.data() + its.size() - kExplicitNonceSize, record.data() + kHeaderSize,
                  kExplicitNonceSize);
    }
    const auto additional = additional_data(outer_type, size);
    if (!aead_.open(its, bytes_of(additional), body, into)) return std::nullopt;
  } else {
    if (!aead_.open(nonce(), record.first(kHeaderSize), body, into)) return std::nullopt;
  }
  ++keys_.sequence;
  if (keys_.is_1_2) return Content{outer_type, size, size};
  // The content's type is the last byte that is not padding (RFC 8446 section 5.4).
  const std::size_t padded_size = size > 0 ? size - 1 : 0;
  while (size > 0 && octet_at(into, size - 1) == 0) --size;
  if (size == 0) return Content{0, 0, padded_size};
  return Content{static_cast<std::uint8_t>(octet_at(into, size - 1)), size - 1, padded_size};
}

bool RecordCipher::seal(MutableBytes plaintext, Followed followed, OutBuffer& out) {
  set_key();
  const std::size_t type_size = keys_.is_1_2 ? 0 : 1;
  const std::size_t size =
      keys_.explicit_nonce_size + plaintext.size() + type_size + keys_.tag_size;
  const MutableBytes room = out.spare();
  if (room.size() < kHeaderSize + size) return false;
  const Header header = header_of(kApplicationData, size);
  std::memcpy(room.data(), header.data(), kHeaderSize);
  const Nonce its = nonce();
  const MutableBytes into = room.subspan(kHeaderSize + keys_.explicit_nonce_size);
  bool is_sealed = false;
  if (keys_.is_1_2) {
    std::memcpy(room.data() + kHeaderSize, its.data() + its.size() - kExplicitNonceSize,
                kExplicitNonceSize);
    const auto additional = additional_data(kApplicationData, plaintext.size());
    is_sealed = aead_.seal(its, bytes_of(additional), plaintext, into);
  } else if (followed == Followed::yes) {
    // One piece is encrypted faster than two (AES and GHASH interleaved), so the type of the
    // content stands for a moment where the next record's first byte is.
    std::byte* const type = plaintext.data() + plaintext.size();
    const std::byte next = *type;
    *type = std::byte{kApplicationData};
    is_sealed = aead_.seal(its, bytes_of(header), {plaintext.data(), plaintext.size() + 1}, into);
    *type = next;
  } else {
    is_sealed = aead_.seal(its, bytes_of(header), plaintext, std::byte{kApplicationData}, into);
  }
  if (!is_sealed) return false;
  out.grow(kHeaderSize + size);
  ++keys_.sequence;
  return true;
}

std::array<unsigned char, 8> RecordCipher::sequence_bytes() const {
  return big_endian(keys_.sequence);
}

RecordCipher::Nonce RecordCipher::nonce() const {
  Nonce nonce = keys_.iv;
  const auto sequence = sequence_bytes();
  // AES in TLS 1.2 puts the sequence number behind its four bytes, the others mix it into their
  // twelve; zeros stand where there is none, so both are the same operation.
  for (std::size_t i = 0; i < sequence.size(); ++i) nonce[nonce.size() - 8 + i] ^= sequence[i];
  return nonce;
}

RecordCipher::Header RecordCipher::header_of(std::uint8_t type, std::size_t size) {
  return {type, 3, 3, static_cast<unsigned char>(size >> 8),
          static_cast<unsigned char>(size & 0xff)};
}

std::array<unsigned char, 13> RecordCipher::additional_data(std::uint8_t type,
                                                            std::size_t size) const {
  std::array<unsigned char, 13> data{};
  const auto sequence = sequence_bytes();
  std::copy(sequence.begin(), sequence.end(), data.begin());
  const Header header = header_of(type, size);
  std::copy(header.begin(), header.end(), data.begin() + sequence.size());
  return data;
}

}  // namespace tunnel::tls
