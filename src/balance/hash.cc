// SPDX-License-Identifier: MIT
#include "balance/hash.h"

#include "balance/random.h"

namespace tunnel::balance {

std::uint64_t text_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  // FNV-1a multiplies the last octet only once, which leaves addresses of one network alike in many
  // bits.
  return mix(hash);
}

std::uint64_t client_hash(const SocketAddress& client) {
  const auto hash_bytes = [](const void* bytes, std::size_t size) {
    return text_hash({static_cast<const char*>(bytes), size});
  };
  if (client.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(client.get());
    return hash_bytes(&v4->sin_addr, sizeof v4->sin_addr);
  }
  if (client.family() == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6*>(client.get())->sin6_addr;
    // The same client, seen through a socket of both families.
    if (IN6_IS_ADDR_V4MAPPED(&v6)) return hash_bytes(v6.s6_addr + 12, 4);
    return hash_bytes(&v6, sizeof v6);
  }
  return text_hash("unix");
}

}  // namespace tunnel::balance
