// SPDX-License-Identifier: MIT
#include "tunnel/connection_record.h"

namespace tunnel {
// "TLS1.3/TLS_AES_128_GCM_SHA256/X25519"; empty without TLS.
std::string negotiated_text(const tls::Negotiated& negotiated) {
  std::string text(negotiated.version);
  if (text.empty()) return text;
  text += "/" + std::string(negotiated.cipher);
  if (!negotiated.group.empty()) text += "/" + std::string(negotiated.group);
  return text;
}

void log_closed(log::Log& log, const ConnectionRecord& record) {
  // Before the texts are made: this is called for each connection.
  if (!log.enabled(log::Level::info)) return;
  const Outcome& outcome = record.outcome;
  const tls::Negotiated& negotiated = record.negotiated;
  const std::string tls = negotiated_text(negotiated);
  const std::string ocsp = tls.empty() ? "" : tls::ocsp_text(negotiated);
  log.write(log::Level::info, log::Event::closed, {record.service, record.id, record.client},
            outcome.text.empty() ? "connection ended" : outcome.text,
            {{"client", std::string_view(record.client)},
             {"target", std::string_view(record.target)},
             {"kind", word(outcome.kind)},
             {"side", word(outcome.side)},
             {"bytes_up", record.bytes_up},
             {"bytes_down", record.bytes_down},
             {"resolve_ms", milliseconds(record.times.resolve)},
             {"connect_ms", milliseconds(record.times.connect)},
             {"preamble_ms", milliseconds(record.times.preamble)},
             {"tls_ms", milliseconds(record.times.tls)},
             {"total_ms", record.total.count()},
             {"tls", std::string_view(tls)},
             {"resumed", negotiated.resumed},
             {"ocsp", std::string_view(ocsp)},
             {"tries", std::uint64_t{record.tries}},
             {"preconnected", record.is_preconnected}});
}

}  // namespace tunnel
