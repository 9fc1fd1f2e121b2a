// SPDX-License-Identifier: MIT
#include "keys/wrong_pins.h"

#include <algorithm>

namespace tunnel::keys {
namespace {

std::optional<x509::Fingerprint> hash(std::string_view token, std::string_view pin) {
  return x509::Fingerprinter().add(token).add(pin).finish();
}

}  // namespace

void WrongPins::add(std::string_view token, std::string_view pin) {
  if (const auto print = hash(token, pin)) known_.push_back(*print);
}

bool WrongPins::contains(std::string_view token, std::string_view pin) const {
  const auto print = hash(token, pin);
  return print && std::ranges::find(known_, *print) != known_.end();
}

}  // namespace tunnel::keys
