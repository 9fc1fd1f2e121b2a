// SPDX-License-Identifier: MIT
#include "tunnel/health_log.h"

#include <string>

#include "base/text.h"

namespace tunnel {
namespace {

using Source = balance::Transition::Source;

std::string_view word(Source source) { return source == Source::dial ? "dial" : "check"; }

}  // namespace

void log_ejected(log::Log& log, std::string_view service, std::string_view target, Kind kind,
                 std::string_view reason, const balance::Transition& transition) {
  const bool is_dial = transition.source == Source::dial;
  const std::string how_long =
      is_dial ? "ejected for " + format_duration(transition.duration) : "ejected until checks pass";
  const std::string message = std::string(target) + " " + how_long + ": " + std::string(reason);
  log.write(log::Level::warning, log::Event::ejected, {service}, message,
            {{"target", target},
             {"kind", tunnel::word(kind)},
             {"source", word(transition.source)},
             {"eject_ms", std::int64_t{transition.duration.count()}},
             {"times", std::uint64_t{transition.times}}});
}

void log_restored(log::Log& log, std::string_view service, std::string_view target,
                  const balance::Transition& transition) {
  const std::string message =
      std::string(target) + " serves again after " + format_duration(transition.duration) +
      (transition.source == Source::dial ? ": a connection was established" : ": its checks pass");
  log.write(log::Level::info, log::Event::restored, {service}, message,
            {{"target", target},
             {"source", word(transition.source)},
             {"out_ms", std::int64_t{transition.duration.count()}}});
}

}  // namespace tunnel
