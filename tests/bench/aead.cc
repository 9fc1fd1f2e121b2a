// SPDX-License-Identifier: MIT
// The limit that no TLS relay over this library passes: CPU seconds per GiB of GnuTLS's bare AEAD,
// AES-128-GCM over records of 16 KiB. Prints one line of JSON. `aead MIB`

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <time.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

constexpr std::size_t kRecord = 16384;
constexpr std::size_t kTag = 16;
constexpr std::size_t kHeader = 5;
// As many records as a relay has under way at once: the cache is part of what it costs.
constexpr std::size_t kRecords = 16;

double cpu_seconds() {
  timespec now{};
  (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void must(int result, const char* what) {
  if (result >= 0) return;
  (void)std::fprintf(stderr, "aead: %s: %s\n", what, gnutls_strerror(result));
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t mebibytes = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 256;
  std::array<unsigned char, 16> key{};
  std::array<unsigned char, 12> nonce{};
  std::array<unsigned char, kHeader> header{23, 3, 3, 64, 16};
  std::vector<unsigned char> plain(kRecord * kRecords, 'x');
  std::vector<unsigned char> sealed((kRecord + kTag) * kRecords);
  const gnutls_datum_t key_datum{key.data(), static_cast<unsigned>(key.size())};
  gnutls_aead_cipher_hd_t cipher = nullptr;
  must(gnutls_aead_cipher_init(&cipher, GNUTLS_CIPHER_AES_128_GCM, &key_datum), "init");

  const std::size_t rounds = mebibytes * (1 << 20) / plain.size();
  double taken[2]{};
  for (std::size_t round = 0; round < rounds; ++round) {
    nonce[0] = static_cast<unsigned char>(round);
    for (const bool is_opening : {false, true}) {
      const double begin = cpu_seconds();
      for (std::size_t i = 0; i < kRecords; ++i) {
        std::size_t size = is_opening ? kRecord : kRecord + kTag;
        nonce[1] = static_cast<unsigned char>(i);
        unsigned char* clear = plain.data() + i * kRecord;
        unsigned char* secret = sealed.data() + i * (kRecord + kTag);
        must(is_opening
                 ? gnutls_aead_cipher_decrypt(cipher, nonce.data(), nonce.size(), header.data(),
                                              header.size(), kTag, secret, kRecord + kTag, clear,
                                              &size)
                 : gnutls_aead_cipher_encrypt(cipher, nonce.data(), nonce.size(), header.data(),
                                              header.size(), kTag, clear, kRecord, secret, &size),
             is_opening ? "decrypt" : "encrypt");
      }
      taken[is_opening ? 1 : 0] += cpu_seconds() - begin;
    }
  }
  for (const unsigned char byte : plain) {
    if (byte == 'x') continue;
    (void)std::fprintf(stderr, "aead: what was opened is not what was sealed\n");
    return 1;
  }
  const double gibibytes = static_cast<double>(rounds * plain.size()) / (1 << 30);
  (void)std::printf("{\"up\": %.6f, \"down\": %.6f}\n", taken[0] / gibibytes, taken[1] / gibibytes);
  gnutls_aead_cipher_deinit(cipher);
  return 0;
}
