// SPDX-License-Identifier: MIT
#include "tls/record_cipher.h"

#include <algorithm>
#include <cstring>

namespace tunnel::tls {
namespace {

constexpr unsigned char kApplicationData = 23;
constexpr std::size_t kMostPlaintext = 16384;                  // RFC 8446 section 5.1
constexpr std::size_t kMostCiphertext = kMostPlaintext + 256;  // and 5.2
constexpr std::size_t kExplicitNonceSize = 8;                  // RFC 5288 section 3
// GnuTLS updates our key three records before 2^24 are sent under it (RFC 8446 section 5.5): the
// last ones are its own, so that it comes to that.
constexpr std::uint64_t kKeyUpdateIsNear = (std::uint64_t{1} << 24) - 1024;

unsigned at(Bytes bytes, std::size_t i) { return std::to_integer<unsigned>(bytes[i]); }

}  // namespace

std::optional<RecordCipher> RecordCipher::borrow(gnutls_session_t session, Direction direction) {
  const auto version = gnutls_protocol_get_version(session);
  const auto algorithm = gnutls_cipher_get(session);
  if (version != GNUTLS_TLS1_2 && version != GNUTLS_TLS1_3) return std::nullopt;
  if (algorithm != GNUTLS_CIPHER_AES_128_GCM && algorithm != GNUTLS_CIPHER_AES_256_GCM)
    return std::nullopt;
  gnutls_datum_t mac_key{}, iv{}, key{};
  std::array<unsigned char, 8> sequence{};
  const unsigned is_read = direction == Direction::read ? 1 : 0;
  if (gnutls_record_get_state(session, is_read, &mac_key, &iv, &key, sequence.data()) < 0)
    return std::nullopt;
  RecordCipher result;
  result.session_ = session;
  result.direction_ = direction;
  for (const unsigned char byte : sequence) result.sequence_ = result.sequence_ << 8 | byte;
  const bool is_1_2 = version == GNUTLS_TLS1_2;
  if (is_1_2) result.explicit_nonce_size_ = kExplicitNonceSize;
  if (iv.size != kNonceSize - result.explicit_nonce_size_) return std::nullopt;
  std::memcpy(result.iv_.data(), iv.data, iv.size);
  if (!is_1_2 && direction == Direction::write && result.sequence_ >= kKeyUpdateIsNear)
    return std::nullopt;
  gnutls_aead_cipher_hd_t cipher = nullptr;
  if (gnutls_aead_cipher_init(&cipher, algorithm, &key) < 0) return std::nullopt;
  result.cipher_.reset(cipher);
  return result;
}

void RecordCipher::give_back() {
  (void)gnutls_record_set_state(session_, direction_ == Direction::read ? 1 : 0,
                                sequence_bytes().data());
}

std::size_t RecordCipher::whole_record(Bytes input) {
  if (input.size() < kHeaderSize || at(input, 0) != kApplicationData || at(input, 1) != 3 ||
      at(input, 2) != 3)
    return 0;
  const std::size_t size = at(input, 3) << 8 | at(input, 4);
  const bool is_plausible = size > kExplicitNonceSize + kTagSize && size <= kMostCiphertext;
  return is_plausible && input.size() >= kHeaderSize + size ? kHeaderSize + size : 0;
}

std::optional<std::size_t> RecordCipher::open(Bytes record, MutableBytes into) {
  const bool is_1_2 = explicit_nonce_size_ != 0;
  const Bytes body = record.subspan(kHeaderSize + explicit_nonce_size_);
  std::size_t size = into.size();
  int error = 0;
  if (is_1_2) {
    Nonce nonce = iv_;
    std::memcpy(nonce.data() + kNonceSize - kExplicitNonceSize, record.data() + kHeaderSize,
                kExplicitNonceSize);
    const auto additional = additional_data(body.size() - kTagSize);
    error = gnutls_aead_cipher_decrypt(cipher_.get(), nonce.data(), nonce.size(), additional.data(),
                                       additional.size(), kTagSize, body.data(), body.size(),
                                       into.data(), &size);
  } else {
    const Nonce its = nonce();
    error = gnutls_aead_cipher_decrypt(cipher_.get(), its.data(), its.size(), record.data(),
                                       kHeaderSize, kTagSize, body.data(), body.size(), into.data(),
                                       &size);
  }
  if (error < 0) return std::nullopt;
  if (!is_1_2) {
    // The content's type is the last byte that is not padding (RFC 8446 section 5.4).
    while (size > 0 && at(into, size - 1) == 0) --size;
    if (size == 0 || at(into, size - 1) != kApplicationData) return std::nullopt;
    --size;
  }
  if (size == 0 || size > kMostPlaintext) return std::nullopt;
  ++sequence_;
  return size;
}

bool RecordCipher::seal(MutableBytes plaintext, Followed followed, OutBuffer& out) {
  const bool is_1_2 = explicit_nonce_size_ != 0;
  const std::size_t type_size = is_1_2 ? 0 : 1;
  const std::size_t body = plaintext.size() + type_size + kTagSize;
  const MutableBytes room = out.spare();
  if (room.size() < kHeaderSize + explicit_nonce_size_ + body) return false;
  const Header header = header_of(explicit_nonce_size_ + body);
  std::memcpy(room.data(), header.data(), kHeaderSize);
  const Nonce its = nonce();
  std::byte* const into = room.data() + kHeaderSize + explicit_nonce_size_;
  std::size_t size = body;
  int error = 0;
  if (is_1_2) {
    std::memcpy(room.data() + kHeaderSize, its.data() + kNonceSize - kExplicitNonceSize,
                kExplicitNonceSize);
    const auto additional = additional_data(plaintext.size());
    error = gnutls_aead_cipher_encrypt(cipher_.get(), its.data(), its.size(), additional.data(),
                                       additional.size(), kTagSize, plaintext.data(),
                                       plaintext.size(), into, &size);
  } else if (followed == Followed::yes) {
    // One piece is encrypted faster than two (AES and GHASH interleaved), so the type of the
    // content stands for a moment where the next record's first byte is.
    std::byte* const type = plaintext.data() + plaintext.size();
    const std::byte next = *type;
    *type = std::byte{kApplicationData};
    error = gnutls_aead_cipher_encrypt(cipher_.get(), its.data(), its.size(), header.data(),
                                       header.size(), kTagSize, plaintext.data(),
                                       plaintext.size() + 1, into, &size);
    *type = next;
  } else {
    unsigned char type = kApplicationData;
    const std::array<giovec_t, 1> additional{
        {{const_cast<unsigned char*>(header.data()), header.size()}}};
    const std::array<giovec_t, 2> content{{{plaintext.data(), plaintext.size()}, {&type, 1}}};
    error = gnutls_aead_cipher_encryptv(cipher_.get(), its.data(), its.size(), additional.data(), 1,
                                        kTagSize, content.data(), 2, into, &size);
  }
  if (error < 0) return false;
  out.grow(kHeaderSize + explicit_nonce_size_ + size);
  ++sequence_;
  return true;
}

std::array<unsigned char, 8> RecordCipher::sequence_bytes() const {
  std::array<unsigned char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<unsigned char>(sequence_ >> (56 - 8 * i));
  return bytes;
}

RecordCipher::Nonce RecordCipher::nonce() const {
  Nonce nonce = iv_;
  const auto sequence = sequence_bytes();
  // TLS 1.2 puts the sequence number behind its four bytes, TLS 1.3 mixes it into its twelve; zeros
  // stand where TLS 1.2 has none, so both are the same operation.
  for (std::size_t i = 0; i < sequence.size(); ++i) nonce[kNonceSize - 8 + i] ^= sequence[i];
  return nonce;
}

RecordCipher::Header RecordCipher::header_of(std::size_t size) {
  return {kApplicationData, 3, 3, static_cast<unsigned char>(size >> 8),
          static_cast<unsigned char>(size & 0xff)};
}

std::array<unsigned char, 13> RecordCipher::additional_data(std::size_t size) const {
  std::array<unsigned char, 13> data{};
  const auto sequence = sequence_bytes();
  std::copy(sequence.begin(), sequence.end(), data.begin());
  const Header header = header_of(size);
  std::copy(header.begin(), header.end(), data.begin() + sequence.size());
  return data;
}

}  // namespace tunnel::tls
