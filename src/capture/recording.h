// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "capture/composer.h"
#include "capture/lane.h"
#include "capture/sink.h"
#include "config/model.h"

namespace tunnel::capture {

// One capture in force: what it is of, the lanes on which the workers bring its events, and the
// thread that makes a file of them. Shared by the supervisor, the workers, and the taps of
// connections; immutable but for what locks by itself.
class Recording : public std::enable_shared_from_this<Recording> {
 public:
  struct Settings {
    std::uint64_t id = 0;               // in the process, never used again
    config::Capture what;               // its file apart, which the sink knows
    std::vector<std::string> services;  // empty: all
    std::string by;                     // for people: "the configuration", "uid 0, pid 12"
    std::string to;                     // for people: where the packets go
    std::string program;                // "tunnel 0.1.0"
    // Lanes that are to be there before the first octet is written: whoever sees it may rely on it
    // that what passes from then on is in the capture. A second at most is waited for them.
    std::size_t lanes = 0;
  };
  // On the writing thread.
  struct Events {
    // Once, when it is over: all is written that will be. Why is a sentence for people, and empty
    // when it was told to leave.
    std::function<void(std::uint64_t id, const std::string& why)> on_over;
    // Once, when the first packets are missing.
    std::function<void(std::uint64_t id)> on_dropping;
  };
  Recording(Settings settings, Events events);
  ~Recording();  // ends it
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // Begins to write. `prologue` goes in front of everything. Once. After an error it is over, and
  // no event comes.
  [[nodiscard]] Result<void> start(std::unique_ptr<Sink> sink, std::string prologue = {});
  // It is to write what has come and the end of the file, and to say on_over: a moment for files, a
  // second at most for a client that does not read. One that is over by itself is not in a hurry.
  void leave();
  void finish();  // the same, and waits for it

  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] bool is_of(const std::string& service) const;
  [[nodiscard]] bool is_of(const SocketAddress& client) const;
  // No event is wanted any more.
  [[nodiscard]] bool is_over() const { return is_over_.load(std::memory_order_relaxed); }
  [[nodiscard]] const std::atomic<bool>& is_leaving() const { return is_leaving_; }
  // When its duration is over, if it has one.
  [[nodiscard]] const std::optional<TimePoint>& until() const { return until_; }
  [[nodiscard]] std::uint32_t next_flow() { return flows_.fetch_add(1) + 1; }

  // A worker's way to it.
  [[nodiscard]] std::shared_ptr<Lane> make_lane(uv::Loop& loop);  // held by a shared_ptr

  struct Totals {
    std::uint64_t packets = 0, dropped = 0, octets = 0;
  };
  [[nodiscard]] Totals totals() const;
  [[nodiscard]] std::chrono::system_clock::time_point since() const { return since_; }

 private:
  void wake();
  void write_on();
  void await_lanes();
  [[nodiscard]] Result<std::string> write_until_over();
  [[nodiscard]] bool wait();
  [[nodiscard]] Result<void> write_what_came();
  [[nodiscard]] Result<void> write_the_rest();
  [[nodiscard]] std::vector<std::shared_ptr<Lane>> lanes();
  void count_dropped();
  [[nodiscard]] Result<void> write_out();
  [[nodiscard]] std::uint64_t worth_writing() const;
  [[nodiscard]] Result<void> flush();
  [[nodiscard]] Result<void> go_on_in_next_file();

  const Settings settings_;
  const Events events_;
  const std::chrono::system_clock::time_point since_ = std::chrono::system_clock::now();
  const std::optional<TimePoint> until_;
  std::atomic<std::uint32_t> flows_{0};
  std::atomic<bool> is_over_{false};
  std::atomic<bool> is_leaving_{false};
  std::atomic<std::uint64_t> packets_{0}, dropped_{0}, octets_{0};

  std::mutex mutex_;
  std::condition_variable has_come_;
  bool is_awake_ = false;
  std::vector<std::shared_ptr<Lane>> lanes_;

  // The writing thread's.
  std::unique_ptr<Sink> sink_;
  Composer composer_;
  std::string out_;
  std::size_t prologue_ = 0;            // how much of `out_` is none of the capture's octets
  std::uint64_t packets_of_files_ = 0;  // when this file was begun
  std::uint64_t unwritten_ = 0;         // packets that the sink did not take
  bool is_full_ = false;

  std::thread thread_;
};

// The time of an event.
[[nodiscard]] std::uint64_t stamp();

}  // namespace tunnel::capture
