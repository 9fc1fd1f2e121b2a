// SPDX-License-Identifier: MIT
#pragma once

#include <gnutls/crypto.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "tls/handles.h"

namespace tunnel::tls {

// The keys of one direction of an established session, borrowed from GnuTLS for the length of one
// call, so that whole records of application data can be sealed and opened from buffer to buffer.
// GnuTLS's own record layer copies every record two or three times on its way and allocates up to
// four times 16 KiB for it, which is a seventh of what bulk data costs.
//
// Nothing is kept between calls: the keys are asked for each time (a KeyUpdate changes them, and a
// connection at rest should not own two cipher contexts), and give_back() tells GnuTLS how many
// records have gone by. Everything that is not application data is GnuTLS's business: open()
// refuses it untouched. AES-GCM in TLS 1.2 (RFC 5288) and 1.3 (RFC 8446 section 5) only.
class RecordCipher {
 public:
  enum class Direction : std::uint8_t { write, read };

  // Nothing when the session's cipher or version is none of the above, or its keys are due for an
  // update, which GnuTLS makes when it sends.
  [[nodiscard]] static std::optional<RecordCipher> borrow(gnutls_session_t session,
                                                          Direction direction);

  // The size of the record that `input` begins with, header included, if all of it is there and it
  // may be opened here, else 0.
  [[nodiscard]] static std::size_t whole_record(Bytes input);
  // The most plaintext that a record of that size can hold, which `into` must have room for.
  [[nodiscard]] std::size_t room_for(std::size_t record_size) const {
    return record_size - kHeaderSize - explicit_nonce_size_ - kTagSize;
  }

  // Decrypts one whole record. Nothing (and no record counted) when it is no application data, is
  // empty or not genuine: then it is for GnuTLS to take, and to fail about.
  [[nodiscard]] std::optional<std::size_t> open(Bytes record, MutableBytes into);

  // Appends one record. May write to `plaintext` and to the byte behind it while it works, if
  // `is_followed` says that there is one, and restores both.
  enum class Followed : std::uint8_t { no, yes };
  [[nodiscard]] bool seal(MutableBytes plaintext, Followed followed, OutBuffer& out);

  // Once, before GnuTLS is asked for anything else.
  void give_back();

 private:
  static constexpr std::size_t kHeaderSize = 5;
  static constexpr std::size_t kTagSize = 16;
  static constexpr std::size_t kNonceSize = 12;

  struct Deinit {
    void operator()(gnutls_aead_cipher_hd_t cipher) const { gnutls_aead_cipher_deinit(cipher); }
  };
  using Cipher = std::unique_ptr<std::remove_pointer_t<gnutls_aead_cipher_hd_t>, Deinit>;
  using Nonce = std::array<unsigned char, kNonceSize>;
  using Header = std::array<unsigned char, kHeaderSize>;

  RecordCipher() = default;
  [[nodiscard]] std::array<unsigned char, 8> sequence_bytes() const;
  [[nodiscard]] Nonce nonce() const;
  [[nodiscard]] static Header header_of(std::size_t size);
  // TLS 1.2's additional data: sequence number, type, version, length of the plaintext.
  [[nodiscard]] std::array<unsigned char, 13> additional_data(std::size_t size) const;

  gnutls_session_t session_ = nullptr;
  Direction direction_ = Direction::read;
  Cipher cipher_;
  Nonce iv_{};
  std::uint64_t sequence_ = 0;
  std::size_t explicit_nonce_size_ = 0;  // 8 in TLS 1.2
};

}  // namespace tunnel::tls
