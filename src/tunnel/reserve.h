// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "tunnel/spare.h"

namespace tunnel {

// The connections that a service keeps established for clients to come (`preconnect`), those of one
// worker. Each serves one client and is made anew at once; when that fails, or servers end them
// soon, in growing intervals. Loop-bound; owned by its Service.
class Reserve final : private Spare::Owner {
 public:
  static constexpr Millis kFirstDelay{250};
  static constexpr Millis kLongestDelay{30'000};

  struct Settings {
    Spare::Setting setting;
    std::size_t size = 0;
    std::uint64_t bit = 0;  // the worker's in ServiceLife::ready_workers
    std::function<void(balance::Claim&)> on_established;
    std::function<void(balance::Claim&, const DialFailure&)> on_failed;
  };
  using Layout = std::shared_ptr<const balance::Layout>;
  explicit Reserve(Settings settings);
  ~Reserve();
  Reserve(const Reserve&) = delete;
  Reserve& operator=(const Reserve&) = delete;

  // The service has targets, or other ones than before.
  void set_layout(Layout layout);
  // One of them is ejected, or restored.
  void on_target_changed();
  // For good: they are closed in order.
  void stop();

  // One that serves a client from now on; the one that has waited longest.
  [[nodiscard]] std::optional<Spare::Handed> take();

 private:
  // Spare::Owner
  [[nodiscard]] const Layout& layout() const override { return layout_; }
  void report_established(balance::Claim& claim) override {
    return settings_.on_established(claim);
  }
  void report_failed(balance::Claim& claim, const DialFailure& failure) override {
    return settings_.on_failed(claim, failure);
  }
  [[nodiscard]] Millis back_off() override;
  void note_good() override { failures_ = 0; }
  void on_changed() override;

  [[nodiscard]] std::size_t ready() const;

  const Settings settings_;
  Layout layout_;
  std::vector<std::unique_ptr<Spare>> spares_;
  std::size_t told_ = 0;   // how many of them the service's life counts
  unsigned failures_ = 0;  // in a row
  bool is_stopped_ = false;
};

}  // namespace tunnel
