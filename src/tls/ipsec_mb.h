// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "tls/gcm_key_size.h"

// The library's own types; only ipsec_mb.cc sees what is in them.
struct gcm_key_data;
struct gcm_context_data;

namespace tunnel::tls {

// As much of intel-ipsec-mb as is used: AES-GCM, whose code for processors with VAES is several
// times as fast as GnuTLS's. A value; what it points to is code, so any thread may use it.
struct IpsecMb {
  // What the library keeps of one key, and of one message. Its versions need different sizes for a
  // key (1.3: 1008 octets, 2.0: 1264), so meson.build asks for the size.
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t kKeySize = TUNNEL_GCM_KEY_SIZE;
  static constexpr std::size_t kContextSize = 128;

  // The functions for keys of one size. None of them can fail; opening gives the tag that there
  // should have been. Source and target may be the same.
  struct Gcm {
    using Whole = void (*)(const gcm_key_data* key, gcm_context_data* context, std::uint8_t* into,
                           const std::uint8_t* text, std::uint64_t size, const std::uint8_t* nonce,
                           const std::uint8_t* additional, std::uint64_t additional_size,
                           std::uint8_t* tag, std::uint64_t tag_size);
    void (*expand)(const void* key, gcm_key_data* into) = nullptr;
    Whole seal = nullptr;
    Whole open = nullptr;
    // The same as `seal`, piece by piece.
    void (*begin)(const gcm_key_data* key, gcm_context_data* context, const std::uint8_t* nonce,
                  const std::uint8_t* additional, std::uint64_t additional_size) = nullptr;
    void (*seal_piece)(const gcm_key_data* key, gcm_context_data* context, std::uint8_t* into,
                       const std::uint8_t* text, std::uint64_t size) = nullptr;
    void (*end)(const gcm_key_data* key, gcm_context_data* context, std::uint8_t* tag,
                std::uint64_t tag_size) = nullptr;
  };

  // On which processors: those where it is much faster than GnuTLS, or all where it works at all.
  enum class Processors : std::uint8_t { fast, all };
  // An error when this build or processor has not got it. Takes milliseconds, as the library tests
  // itself.
  [[nodiscard]] static Result<IpsecMb> load(Processors processors);

  Gcm aes128, aes256;
  std::string version;  // "1.3.0"
};

}  // namespace tunnel::tls
