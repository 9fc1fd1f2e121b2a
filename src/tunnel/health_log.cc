// SPDX-License-Identifier: MIT
#include "tunnel/health_log.h"

#include <string>

#include "base/text.h"

namespace tunnel {
namespace {

using Source = balance::Transition::Source;

std::string_view word(Source source) { return source == Source::dial ? "dial" : "check"; }

// The exact time is a field; nobody reads "5s151ms".
std::string rounded(Millis duration) {
  const Millis second{1000};
  if (duration >= second) duration = (duration + second / 2) / second.count() * second.count();
  return format_duration(duration);
}

std::string what_happens(Choice choice, const balance::Transition& transition) {
  const bool is_dial = transition.source == Source::dial;
  if (choice == Choice::only_target) {
    return std::string(is_dial ? "failed" : "fails its checks") +
           ", but is the only target, so connections go on trying it";
  }
  // A check's ejection has no time of its own.
  return is_dial ? "ejected for " + rounded(transition.duration) : "ejected until checks pass";
}

}  // namespace

void log_ejected(log::Log& log, std::string_view service, std::string_view target, Kind kind,
                 std::string_view reason, Choice choice, const balance::Transition& transition) {
  std::string message = std::string(target) + " " + what_happens(choice, transition);
  if (!reason.empty()) message += ": " + std::string(reason);
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
