// SPDX-License-Identifier: MIT
#pragma once

#include "base/bytes.h"
#include "dns/answer.h"

namespace tunnel::dns {

// The answer section of a DNS reply (RFC 1035), as far as records of `type` go. Aliases (CNAME)
// count only with their TTL: a resolver gives the whole chain. Pure; the bytes are a stranger's.
[[nodiscard]] Answer parse_reply(Bytes message, RecordType type);

}  // namespace tunnel::dns
