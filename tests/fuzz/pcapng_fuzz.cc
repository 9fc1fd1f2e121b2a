// SPDX-License-Identifier: MIT
// libFuzzer target for the pcapng that `tunnel capture` counts while it passes through. The first
// byte says how the rest comes in pieces. Found wrong: a crash, anything the sanitizers say, counts
// that depend on the pieces, more packets than fit into the octets.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "cli/capture_reader.h"
#include "promise.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::size_t kSmallestBlock = 8;
  const tunnel::Bytes octets{reinterpret_cast<const std::byte*>(data + 1), size - 1};
  const std::size_t piece = data[0] % 16 + 1U;

  tunnel::cli::PacketCount at_once;
  at_once.feed(octets);
  tunnel::cli::PacketCount in_pieces;
  for (tunnel::Bytes rest = octets; !rest.empty();) {
    const std::size_t part = std::min(piece, rest.size());
    in_pieces.feed(rest.first(part));
    rest = rest.subspan(part);
  }
  tunnel::require(at_once.packets() == in_pieces.packets(), "packets do not depend on the pieces");
  tunnel::require(at_once.dropped() == in_pieces.dropped(), "nor does what is missing");
  tunnel::require(at_once.packets() <= octets.size() / kSmallestBlock, "packets fit in");
  return 0;
}
