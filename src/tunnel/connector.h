// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/failure.h"
#include "base/result.h"
#include "config/model.h"
#include "uv/loop.h"
#include "uv/stream.h"
#include "uv/timer.h"

namespace tunnel {

// Races TCP (or unix) connects to the addresses of one target and reports the first that stands
// (RFC 8305 section 5: attempts 250 ms apart, or at once after a failure). The losers are closed
// and count as untried. Loop-bound; owned by a Dial for the time of one race.
class Connector {
 public:
  static constexpr Millis kAttemptDelay{250};

  struct Connected {
    std::unique_ptr<uv::Stream> stream;
    SocketAddress address;
    std::vector<SocketAddress> silent;  // began kAttemptDelay earlier or more, and had no answer
    bool is_unproven = false;           // by fast_open: nobody has answered yet
  };
  class Owner {
   public:
    virtual void on_connected(Connected connected) = 0;  // may destroy the Connector
    virtual void on_all_failed() = 0;                    // may destroy the Connector
    // An address is done with; the race goes on. The text ends a sentence: "connection refused".
    virtual void on_address_failed(const SocketAddress& address, const Failure& why) = 0;
    // A socket option was refused, as a sentence says; the race goes on without it.
    virtual void on_option_refused(const std::string& text) { (void)text; }

   protected:
    ~Owner() = default;
  };

  struct Race {
    std::vector<SocketAddress> addresses{};
    config::Timeout per_address{};        // limits each connect
    const SocketAddress* bind = nullptr;  // the source address; null: the kernel chooses
    // Set before each connect. They, and `bind`, must outlive the race.
    std::span<const config::SocketOption> options{};
    // The first write connects, where the target has allowed that before (RFC 7413): then
    // on_connected comes at once, and a refusal as an error of the stream. Only for one address:
    // with others, which of them answers first is to be seen.
    bool fast_open = false;
  };

  Connector(uv::Loop& loop, const Race& race, Owner& owner);
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  void start();  // reports later, never before it returned

 private:
  struct Attempt;

  void begin_next();
  [[nodiscard]] Result<std::unique_ptr<uv::Stream>> connect(Attempt& attempt, bool can_bind);
  void set_options(int fd, const SocketAddress& address);
  void schedule();
  void on_timer();
  void attempt_ended(Attempt& attempt, int uv_status);
  void attempt_failed(Attempt& attempt, const Failure& why);
  void report_if_over();

  uv::Loop& loop_;
  std::deque<SocketAddress> waiting_;
  config::Timeout per_address_;
  const SocketAddress* bind_;
  Owner& owner_;
  const std::span<const config::SocketOption> options_;
  const bool fast_open_;
  std::vector<std::unique_ptr<Attempt>> attempts_;
  TimePoint next_start_{};
  uv::Timer timer_;
};

// Why a connect failed; local: no descriptor, no route from here.
[[nodiscard]] Failure connect_failure(const SocketAddress& address, int uv_status);
// The one whose limit is timeouts.connect.
[[nodiscard]] Failure connect_timed_out(Millis limit);

}  // namespace tunnel
