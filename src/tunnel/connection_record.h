// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/outcome.h"
#include "log/log.h"
#include "tls/session.h"
#include "tunnel/dial.h"

namespace tunnel {

// What is said of one connection when it is over: the same for all, also for a client that was
// denied and never became a Connection. A value: who has the connection fills it.
struct ConnectionRecord {
  std::string_view service{};  // its name, which outlives the record
  std::uint64_t id = 0;
  std::string client{};      // its address
  std::string target = "-";  // the last one tried
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  PhaseTimes times{};
  Millis total{0};               // from accept to the end
  tls::Negotiated negotiated{};  // empty without TLS
  std::uint32_t tries = 0;       // targets
  bool is_preconnected = false;  // it was established before this client came
  Outcome outcome{};
};

// The `closed` line: the only writer of its fields.
void log_closed(log::Log& log, const ConnectionRecord& record);

// Version, cipher suite and group in one text; empty without TLS.
[[nodiscard]] std::string negotiated_text(const tls::Negotiated& negotiated);

}  // namespace tunnel
