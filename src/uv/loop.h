// SPDX-License-Identifier: MIT
#pragma once

#include <uv.h>

#include <cstddef>
#include <memory>
#include <thread>

#include "base/bytes.h"
#include "base/clock.h"

namespace tunnel::uv {

// Something that wants to be called once, at the end of the current turn of the loop: this is how
// objects are deleted that may still be on the stack. Intrusive; must outlive its call.
class Deferred {
 public:
  virtual void on_end_of_turn() = 0;

 protected:
  ~Deferred() = default;

 private:
  friend class Loop;
  Deferred* next_deferred_ = nullptr;
  bool is_queued_ = false;
};

// One event loop; belongs to the thread that runs it. Lends two scratch buffers to the byte path
// (DESIGN section 3), valid until the callback that borrowed them returns to the loop.
class Loop final : public Clock {
 public:
  static constexpr std::size_t kInputSize = 256 * 1024;
  // What sealing kInputSize bytes may become: records of 16 KiB with header, tag and inner type,
  // and room for what a TLS session says of its own accord (alerts, KeyUpdate).
  static constexpr std::size_t kOutputSize = kInputSize + (kInputSize / 16384 + 1) * 512 + 16384;

  Loop();
  ~Loop() override;  // every handle must be closed: runs the loop until their callbacks are done
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // until stop(), or until no handle is active
  void stop();  // from the loop's own thread

  // Runs `what` after the callbacks of this turn; at most one entry per object.
  void at_end_of_turn(Deferred& what);

  [[nodiscard]] TimePoint now() const override;  // the loop's cached time; cheap
  [[nodiscard]] MutableBytes input_scratch() { return {input_.get(), kInputSize}; }
  [[nodiscard]] MutableBytes output_scratch() { return {output_.get(), kOutputSize}; }

  // Debug builds: aborts when called from another thread than the one that runs the loop.
  void assert_here() const;

  [[nodiscard]] uv_loop_t* raw() { return &loop_; }

 private:
  void run_deferred();

  uv_loop_t loop_{};
  uv_check_t check_{};
  uv_idle_t idle_{};
  Deferred* first_deferred_ = nullptr;
  std::thread::id thread_{};
  std::unique_ptr<std::byte[]> input_;
  std::unique_ptr<std::byte[]> output_;
};

}  // namespace tunnel::uv
