// SPDX-License-Identifier: MIT
// libFuzzer target for replies of name servers. The first byte chooses the type that was asked for;
// the rest is the message. Found wrong: a crash, anything the sanitizers say.
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "dns/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tunnel::dns::RecordType;
  if (size == 0) return 0;
  static constexpr RecordType kTypes[] = {RecordType::a, RecordType::aaaa, RecordType::srv};
  const tunnel::Bytes message{reinterpret_cast<const std::byte*>(data + 1), size - 1};
  (void)tunnel::dns::parse_reply(message, kTypes[data[0] % 3]);
  return 0;
}
