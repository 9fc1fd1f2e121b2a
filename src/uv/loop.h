// SPDX-License-Identifier: MIT
#pragma once

#include <uv.h>

#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"

namespace tunnel::uv {

class Deferred;

// The loop's part of a Deferred.
class DeferredLink {
  friend class Loop;
  Deferred* next_ = nullptr;
  bool is_queued_ = false;
};

// Something that wants to be called once, at the end of the current turn of the loop: this is how
// objects are deleted that may still be on the stack. Intrusive; must outlive its call, in which it
// may delete itself. Never called from within at_end_of_turn.
class Deferred : public DeferredLink {
 public:
  virtual void on_end_of_turn() = 0;

 protected:
  ~Deferred() = default;
};

// One event loop; belongs to the thread that runs it. Lends two scratch buffers to the byte path,
// so that a connection at rest holds none; they are valid until the callback that borrowed them
// returns to the loop.
class Loop final : public Clock {
 public:
  static constexpr std::size_t kInputSize = 384 * 1024;
  // What sealing kInputSize bytes may become (tls::Session::sealed_size): records as small as a
  // server may ask for, each with all that a record of any version can have around it. What is
  // never touched costs no memory.
  static constexpr std::size_t kOutputSize = kInputSize + (kInputSize / 512 + 2) * 160;

  // Without descriptors or memory for it the process ends, and says so: for what it cannot start
  // without.
  Loop();
  // The same for a loop that is made while others serve: null then.
  [[nodiscard]] static std::unique_ptr<Loop> make();
  ~Loop() override;  // every handle must be closed: runs the loop until their callbacks are done
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // until stop(), or until no handle is active
  void stop();  // from the loop's own thread

  // Runs `what` after the callbacks of this turn, in order; at most one entry per object. What is
  // queued meanwhile runs in the same turn.
  void at_end_of_turn(Deferred& what);

  // The loop's cached time: cheap, and the same during one callback. This thread only.
  [[nodiscard]] TimePoint now() const override;
  [[nodiscard]] MutableBytes input_scratch() { return {input_.get(), kInputSize}; }
  [[nodiscard]] MutableBytes output_scratch() { return {output_.get(), kOutputSize}; }

  // What lives as long as the loop and belongs to it, but is made at the first need, by code that
  // the loop does not know. Only one kind has asked so far (Coalescing), so there is room for one.
  class Extension {
   public:
    Extension() = default;
    Extension(const Extension&) = delete;
    Extension& operator=(const Extension&) = delete;
    virtual ~Extension() = default;
  };
  [[nodiscard]] Extension* extension() const { return extension_.get(); }
  void extend(std::unique_ptr<Extension> extension) { extension_ = std::move(extension); }

  // Whether the sockets have been looked at lately. Not on a turn that comes much later than it
  // should, because the process was stopped or a callback took long: bytes may have come meanwhile.
  static constexpr Millis kLate{50};
  [[nodiscard]] bool has_looked_lately() const { return now() - looked_at_ <= kLate; }

  // Debug builds: aborts when called from another thread than the one that runs the loop.
  void assert_here() const;

  [[nodiscard]] uv_loop_t* raw() { return &loop_; }

 private:
  enum class Raw { yes };
  explicit Loop(Raw raw);
  [[nodiscard]] int init();
  void before_poll();
  void after_poll();
  void run_deferred();

  uv_loop_t loop_{};
  bool is_made_ = false;  // libuv has undone what it had begun
  uv_prepare_t prepare_{};
  uv_check_t check_{};
  uv_idle_t idle_{};
  Deferred* first_deferred_ = nullptr;
  Deferred** last_deferred_ = &first_deferred_;  // where the next one is linked
  TimePoint poll_due_{};   // when the poll that is under way returns at the latest
  TimePoint looked_at_{};  // when a poll last returned in time
  std::thread::id thread_{};
  std::unique_ptr<std::byte[]> input_;
  std::unique_ptr<std::byte[]> output_;
  std::unique_ptr<Extension> extension_;
};

}  // namespace tunnel::uv
