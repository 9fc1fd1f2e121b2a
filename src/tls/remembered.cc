// SPDX-License-Identifier: MIT
#include "tls/remembered.h"

namespace tunnel::tls {

// The last byte: the tables inside hash by the first ones.
Remembered::Locked Remembered::at(const x509::Fingerprint& key) {
  Slot& slot = slots_[std::to_integer<std::size_t>(key.back()) % kParts];
  return {slot.mutex, slot.part};
}

void Remembered::drop_orphans() {
  for (Slot& slot : slots_) {
    const std::lock_guard lock(slot.mutex);
    slot.part.tickets.drop_orphans();
  }
}

// One part after the other: a number to be shown, which other threads may change meanwhile.
std::size_t Remembered::ticket_count() const {
  std::size_t count = 0;
  for (const Slot& slot : slots_) {
    const std::lock_guard lock(slot.mutex);
    count += slot.part.tickets.size();
  }
  return count;
}

std::size_t Remembered::chain_count() const {
  std::size_t count = 0;
  for (const Slot& slot : slots_) {
    const std::lock_guard lock(slot.mutex);
    count += slot.part.chains.size();
  }
  return count;
}

}  // namespace tunnel::tls
