// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "log/line.h"
#include "log/log.h"
#include "log/options.h"
#include "log/sink.h"

namespace tunnel::log {

// Where lines go and what they look like there. Constant; shared by the log and by every line that
// waits in the queue, so that a line never reaches a sink for which it was not formatted, and an
// old sink is closed when its last line has been written.
class Destination {
 public:
  static Result<std::shared_ptr<const Destination>> open(const Options& options);
  // The same, but with the sink of `previous` where both options name the same.
  static Result<std::shared_ptr<const Destination>> open(const Options& options,
                                                         const Destination& previous);
  Destination(Options options, std::shared_ptr<Sink> sink)
      : options_(std::move(options)), sink_(std::move(sink)) {}

  [[nodiscard]] std::string format(const Line& line) const;
  [[nodiscard]] Sink& sink() const { return *sink_; }
  [[nodiscard]] const Options& options() const { return options_; }

 private:
  const Options options_;
  const std::shared_ptr<Sink> sink_;
};

// The queue of formatted lines and the thread that writes them. When the queue is full its oldest
// line is dropped, and the number of those is logged. Any thread may call any method. The
// destructor writes what is left.
class Writer {
 public:
  using To = std::shared_ptr<const Destination>;

  Writer(To to, std::size_t queue_lines);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();

  // Starts the writing thread, once; lines wait until then. One thread at a time with flush().
  [[nodiscard]] Result<void> begin();

  // What lines are to be formatted for now.
  [[nodiscard]] To destination() const;
  void use(To to);
  void push(To to, Level level, std::string payload);
  // The writing thread reopens the sink in use before it writes the next line.
  void reopen();
  // Returns when every line pushed, and every reopening asked for, before this call is done.
  void flush();
  [[nodiscard]] std::uint64_t dropped() const {
    return all_dropped_.load(std::memory_order_relaxed);
  }

 private:
  struct Entry {
    To to;
    Level level = Level::info;
    std::string payload;
  };
  struct Work;
  void run();
  [[nodiscard]] bool has_work() const {
    return !queue_.empty() || reopens_wanted_ != reopens_done_;
  }
  [[nodiscard]] Work take();
  void perform(const Work& work);
  void report_dropped(const Destination& to, std::uint64_t dropped);
  void report_lost(const Destination& to);
  void report(const Destination& to, Level level, std::string_view message,
              std::initializer_list<Field> fields);
  void put(const Destination& to, Level level, std::string_view payload);

  const std::size_t queue_lines_;
  // Under the mutex.
  mutable std::mutex mutex_;
  std::condition_variable work_came_;
  std::condition_variable work_done_;
  To destination_;
  std::deque<Entry> queue_;
  std::uint64_t pushed_ = 0;   // the number of the line pushed last; lines count from 1
  std::uint64_t written_ = 0;  // the number of the line written last: smaller ones are done, too
  std::uint64_t dropped_ = 0;  // not reported yet
  std::uint64_t reopens_wanted_ = 0;
  std::uint64_t reopens_done_ = 0;
  bool is_closing_ = false;
  // Touched by the writing thread only.
  std::uint64_t lost_ = 0;
  std::string lost_why_;

  std::atomic<std::uint64_t> all_dropped_{0};

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tunnel::log
