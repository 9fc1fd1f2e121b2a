// SPDX-License-Identifier: MIT
// The limit that no TLS relay over these libraries passes: CPU seconds per GiB of the bare AEAD,
// AES-128-GCM over records of 16 KiB, by the library that the program would use (TUNNEL_AEAD
// chooses). Prints one line of JSON. `aead MIB`

#include "tls/aead.h"

#include <time.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

namespace {

using tunnel::tls::Aead;
using tunnel::tls::AeadChoice;

constexpr std::size_t kRecord = 16384;
constexpr std::size_t kTag = 16;
constexpr std::size_t kSealed = kRecord + kTag;
// As many records as a relay has under way at once: the cache is part of what it costs.
constexpr std::size_t kRecords = 16;

double cpu_seconds() {
  timespec now{};
  (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void must(bool is_right, const char* what) {
  if (is_right) return;
  (void)std::fprintf(stderr, "aead: %s\n", what);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t mebibytes = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 256;
  const auto& choice = AeadChoice::of_process();
  must(choice.problem.empty(), choice.problem.c_str());
  const std::array<std::byte, 16> key{};
  const std::array<std::byte, 5> header{};
  Aead::Nonce nonce{};
  Aead aead(choice.provider, {GNUTLS_CIPHER_AES_128_GCM, kTag}, key);
  std::vector<std::byte> plain(kRecord * kRecords, std::byte{'x'});
  std::vector<std::byte> sealed(kSealed * kRecords);

  const std::size_t rounds = mebibytes * (1 << 20) / plain.size();
  double taken[2]{};
  for (std::size_t round = 0; round < rounds; ++round) {
    nonce[0] = static_cast<unsigned char>(round);
    for (const bool is_opening : {false, true}) {
      const double begin = cpu_seconds();
      for (std::size_t i = 0; i < kRecords; ++i) {
        nonce[1] = static_cast<unsigned char>(i);
        const auto clear = std::span(plain).subspan(i * kRecord, kRecord);
        const auto secret = std::span(sealed).subspan(i * kSealed, kSealed);
        must(is_opening ? aead.open(nonce, header, secret, clear)
                        : aead.seal(nonce, header, clear, secret),
             is_opening ? "a record was not opened" : "a record was not sealed");
      }
      taken[is_opening ? 1 : 0] += cpu_seconds() - begin;
    }
  }
  for (const std::byte byte : plain) {
    must(byte == std::byte{'x'}, "what was opened is not what was sealed");
  }
  const double gibibytes = static_cast<double>(rounds * plain.size()) / (1 << 30);
  (void)std::printf("{\"up\": %.6f, \"down\": %.6f}\n", taken[0] / gibibytes, taken[1] / gibibytes);
  return 0;
}
