// SPDX-License-Identifier: MIT
#pragma once

#include <gnutls/crypto.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "tls/aead.h"

namespace tunnel::tls {

// The keys of one direction of an established session, and how many records have passed under them.
// Every AEAD cipher of TLS 1.2 (RFC 5246 section 6.2.3.3) and 1.3 (RFC 8446 section 5.2) is the
// same few numbers. A value; wiped when it goes.
struct RecordKeys {
  static constexpr std::size_t kNonceSize = 12;
  enum class Direction : std::uint8_t { write, read };

  // As GnuTLS has them now. Nothing when the version is older than TLS 1.2 or the cipher is not
  // an AEAD: CBC.
  [[nodiscard]] static std::optional<RecordKeys> of(gnutls_session_t session, Direction direction);
  // Those that we may write with past GnuTLS: AES-GCM, and no update of them is due, which GnuTLS
  // makes when it sends.
  [[nodiscard]] static std::optional<RecordKeys> to_write(gnutls_session_t session);

  RecordKeys() = default;
  RecordKeys(const RecordKeys&) = default;
  RecordKeys& operator=(const RecordKeys&) = default;
  ~RecordKeys();

  // Once, before GnuTLS is asked to write itself.
  void give_back(gnutls_session_t session) const;

  gnutls_cipher_algorithm_t algorithm = GNUTLS_CIPHER_UNKNOWN;
  bool is_1_2 = false;
  std::uint8_t explicit_nonce_size = 0;  // 8 for AES in TLS 1.2
  std::uint8_t tag_size = 0;
  std::uint8_t key_size = 0;
  std::array<unsigned char, 32> key{};
  std::array<unsigned char, kNonceSize> iv{};
  std::uint64_t sequence = 0;
};

// Seals and opens whole records from buffer to buffer. GnuTLS's own record layer copies every
// record two or three times on its way and allocates up to four times 16 KiB for it, which is a
// seventh of what bulk data costs.
//
// Made anew for each call that has records to work on: a connection at rest should not own two
// cipher contexts.
class RecordCipher {
 public:
  static constexpr std::size_t kHeaderSize = 5;
  static constexpr std::uint8_t kAlert = 21, kHandshake = 22, kApplicationData = 23;
  static constexpr std::size_t kMostPlaintext = 16384;                  // RFC 8446 section 5.1
  static constexpr std::size_t kMostCiphertext = kMostPlaintext + 256;  // and 5.2

  // Both must outlive it; the sequence number of `keys` counts on. Costs nothing before the first
  // record. Without memory no record is genuine, and none sealed.
  RecordCipher(RecordKeys& keys, const AeadProvider& provider) : keys_(keys), aead_(provider) {}

  void keys_changed() { aead_.forget_key(); }

  // The room for plaintext that a record of that size needs, header included: the plaintext itself,
  // in TLS 1.3 its type and padding, too. Nothing for what is too short to be a record.
  [[nodiscard]] static std::optional<std::size_t> room_for(const RecordKeys& keys,
                                                           std::size_t record_size);

  // What was in a record: the first `size` bytes of where it was decrypted to.
  struct Content {
    std::uint8_t type = 0;  // 0: none but padding (TLS 1.3)
    std::size_t size = 0;
    std::size_t padded_size = 0;  // with the padding, without the type
  };
  // Decrypts one whole record, of any type. Nothing, and no record counted, when it is not genuine.
  [[nodiscard]] std::optional<Content> open(Bytes record, MutableBytes into);

  // Appends one record of application data. May write to `plaintext` and to the byte behind it
  // while it works, if `is_followed` says that there is one, and restores both.
  enum class Followed : std::uint8_t { no, yes };
  [[nodiscard]] bool seal(MutableBytes plaintext, Followed followed, OutBuffer& out);

 private:
  using Nonce = Aead::Nonce;
  using Header = std::array<unsigned char, kHeaderSize>;

  void set_key();  // at the first record
  [[nodiscard]] std::array<unsigned char, 8> sequence_bytes() const;
  [[nodiscard]] Nonce nonce() const;
  [[nodiscard]] static Header header_of(std::uint8_t type, std::size_t size);
  // TLS 1.2's additional data: sequence number, type, version, length of the plaintext.
  [[nodiscard]] std::array<unsigned char, 13> additional_data(std::uint8_t type,
                                                              std::size_t size) const;

  RecordKeys& keys_;
  Aead aead_;
};

}  // namespace tunnel::tls
