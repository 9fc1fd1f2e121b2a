// SPDX-License-Identifier: MIT
#include "tunnel/reserve.h"

#include <algorithm>
#include <utility>

namespace tunnel {

Reserve::Reserve(Settings settings) : settings_(std::move(settings)) {
  Spare::Owner& owner = *this;
  for (std::size_t i = 0; i < settings_.size; ++i) {
    spares_.push_back(std::make_unique<Spare>(settings_.setting, owner));
  }
}

Reserve::~Reserve() = default;

void Reserve::set_layout(Layout layout) {
  const bool is_first = layout_ == nullptr;
  layout_ = std::move(layout);
  if (is_stopped_) return;
  for (const auto& spare : spares_) is_first ? spare->start() : spare->reconsider();
}

void Reserve::on_target_changed() {
  if (is_stopped_) return;
  for (const auto& spare : spares_) spare->reconsider();
}

void Reserve::stop() {
  if (is_stopped_) return;
  is_stopped_ = true;
  for (const auto& spare : spares_) spare->stop();
}

std::optional<Spare::Handed> Reserve::take() {
  if (is_stopped_) return std::nullopt;
  std::vector<Spare*> waiting;
  for (const auto& spare : spares_) {
    if (spare->is_ready()) waiting.push_back(spare.get());
  }
  std::sort(waiting.begin(), waiting.end(), [](const Spare* a, const Spare* b) {
    return a->established_at() < b->established_at();
  });
  for (Spare* spare : waiting) {
    // One that fails the check is already on its way to a new connection.
    if (spare->check()) return spare->hand_over();
  }
  return std::nullopt;
}

Millis Reserve::back_off() {
  // One count for all spares: they dial the same targets, and each on its own would ask a dead one
  // as often as there are spares.
  Millis delay = kFirstDelay;
  for (unsigned i = 0; i < failures_ && delay < kLongestDelay; ++i) delay *= 2;
  ++failures_;
  constexpr double kJitter = 0.2;
  const double jittered = static_cast<double>(std::min(delay, kLongestDelay).count()) *
                          settings_.setting.surroundings.random.between(1 - kJitter, 1);
  return Millis(static_cast<std::int64_t>(jittered));
}

std::size_t Reserve::ready() const {
  return static_cast<std::size_t>(std::count_if(
      spares_.begin(), spares_.end(), [](const auto& spare) { return spare->is_ready(); }));
}

// Tells the process: clients go to a worker that has one.
void Reserve::on_changed() {
  const std::size_t now = ready();
  ServiceLife& life = *settings_.setting.service.life;
  // Several workers write it, so each adds its own difference.
  life.preconnected.fetch_add(static_cast<std::uint32_t>(now - told_));  // modulo 2^32
  told_ = now;
  if (now > 0) {
    life.ready_workers.fetch_or(settings_.bit);
  } else {
    life.ready_workers.fetch_and(~settings_.bit);
  }
}

}  // namespace tunnel
