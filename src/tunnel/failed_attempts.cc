// SPDX-License-Identifier: MIT
#include "tunnel/failed_attempts.h"

#include <utility>

#include "base/text.h"

namespace tunnel {

void FailedAttempts::add(std::string target, DialFailure failure) {
  attempts_.push_back({std::move(target), std::move(failure)});
}

std::string FailedAttempts::kinds() const {
  std::string kinds;
  for (const Attempt& attempt : attempts_) {
    if (!kinds.empty()) kinds += ", ";
    kinds += attempt.target + "=" + std::string(word(attempt.failure.kind));
  }
  return kinds;
}

std::string FailedAttempts::sentences() const {
  std::string sentences;
  for (const Attempt& attempt : attempts_) {
    if (!sentences.empty()) sentences += "; ";
    sentences += attempt.failure.text;
  }
  return sentences;
}

Outcome FailedAttempts::outcome() const {
  const DialFailure& last = attempts_.back().failure;
  return {last.kind, last.is_local ? Side::tunnel : Side::server, last.text};
}

std::string FailedAttempts::summary() const {
  switch (attempts_.size()) {
    case 0:
      return "not connected: no target could be tried";
    case 1:
      return "not connected: " + attempts_.front().target + " failed";
    default:
      return "not connected: each of " + std::to_string(attempts_.size()) + " targets failed";
  }
}

DialFailure gave_up_on(std::string_view target, Phase phase, Millis limit) {
  DialFailure failure{{Kind::connect_timeout, "", phase == Phase::resolving}};
  if (phase == Phase::resolving) failure.kind = Kind::resolve_failed;
  if (phase >= Phase::preamble) failure.kind = Kind::tls_timeout;
  // Three kinds for one deadline: what it ran out in is where to look.
  failure.text = "gave up on " + std::string(target) + " when " + format_duration(limit) +
                 " were over (timeouts.dial)";
  return failure;
}

}  // namespace tunnel
