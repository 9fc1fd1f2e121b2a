// SPDX-License-Identifier: MIT
#include "log/log.h"

#include <signal.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "log/line.h"
#include "log/sink.h"

namespace tunnel::log {
namespace {

// How a line becomes the sink's payload.
struct Format {
  Options::Sink sink;
  bool json;

  [[nodiscard]] std::string operator()(const Line& line) const {
    switch (sink) {
      case Options::Sink::standard_error:
      case Options::Sink::file:
        return json ? format_json(line) : format_text(line);
      case Options::Sink::syslog:
        return json ? format_json(line) : format_body(line);
      case Options::Sink::journal:
        return format_journal(line, json ? format_json(line) : format_body(line));
    }
    return {};
  }
};

// No line of ours is critical: this level carries the numbered markers of flush() and reopen(), in
// order with the lines. (spdlog's own flush request has no number, so nobody could tell whose it
// was, or that an overflow dropped it.)
constexpr auto kMarkerLevel = spdlog::level::critical;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::error:
      return spdlog::level::err;
    case Level::warning:
      return spdlog::level::warn;
    case Level::info:
      return spdlog::level::info;
    case Level::debug:
      return spdlog::level::debug;
  }
  return spdlog::level::info;
}

Level from_spdlog(spdlog::level::level_enum level) {
  if (level >= spdlog::level::err) return Level::error;
  if (level == spdlog::level::warn) return Level::warning;
  return level == spdlog::level::info ? Level::info : Level::debug;
}

// The end of the queue, on the writing thread: gives the lines to the sink, says what was lost, and
// reopens the file when asked.
class Writer final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  Writer(std::unique_ptr<Sink> to, Format format, spdlog::details::thread_pool& pool)
      : sink_(std::move(to)), format_(format), pool_(pool) {}

  void request_reopen() { reopen_.store(true, std::memory_order_release); }

  [[nodiscard]] bool wait_for_marker(std::uint64_t marker, std::chrono::milliseconds limit) {
    std::unique_lock lock(marker_mutex_);
    return reached_.wait_for(lock, limit, [&] { return last_marker_ >= marker; });
  }

 private:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    reopen_if_asked();
    say_overflow();
    const std::string_view payload(msg.payload.data(), msg.payload.size());
    if (msg.level == kMarkerLevel) return pass(payload);
    say_lost();
    put(from_spdlog(msg.level), payload);
  }

  void flush_() override {}  // nothing is held back

  void pass(std::string_view marker) {
    std::uint64_t number = 0;
    (void)std::from_chars(marker.data(), marker.data() + marker.size(), number);
    {
      const std::lock_guard lock(marker_mutex_);
      last_marker_ = std::max(last_marker_, number);
    }
    reached_.notify_all();
  }

  void reopen_if_asked() {
    if (!reopen_.exchange(false, std::memory_order_acq_rel)) return;
    const Result<void> reopened = sink_->reopen();
    if (!reopened) say(Level::error, reopened.error().text + "; the old one stays in use", {});
  }

  void say_overflow() {
    const std::uint64_t overrun = pool_.overrun_counter();
    if (overrun == overrun_) return;
    const std::uint64_t dropped = overrun - std::exchange(overrun_, overrun);
    say(Level::warning, "log lines came faster than they could be written; the oldest were dropped",
        {{"dropped", dropped}});
  }

  // After a full disk or an absent syslog daemon: one line says how many are missing. It goes out
  // once a line could be written again, that is, it is tried before each line.
  void say_lost() {
    if (lost_ == 0) return;
    const std::uint64_t lost = std::exchange(lost_, 0);
    const std::string why = std::exchange(lost_why_, {});
    say(Level::warning, "log lines could not be written", {{"lost", lost}, {"reason", why}});
    if (lost_ != 0) lost_ = lost;  // this one was lost as well: it does not count
  }

  void say(Level level, std::string_view message, std::initializer_list<Field> fields) {
    put(level, format_({.time = std::chrono::system_clock::now(),
                        .level = level,
                        .event = Event::notice,
                        .subject = {},
                        .message = message,
                        .fields = fields}));
  }

  void put(Level level, std::string_view payload) {
    const Result<void> written = sink_->write(level, payload);
    if (written) return;
    ++lost_;
    lost_why_ = written.error().text;
  }

  // Constant after construction.
  const std::unique_ptr<Sink> sink_;
  const Format format_;
  spdlog::details::thread_pool& pool_;
  // Touched by the writing thread only.
  std::uint64_t overrun_ = 0;
  std::uint64_t lost_ = 0;
  std::string lost_why_;
  // Shared.
  std::atomic<bool> reopen_{false};
  std::mutex marker_mutex_;
  std::condition_variable reached_;
  std::uint64_t last_marker_ = 0;  // under marker_mutex_
};

class AsyncLog final : public Log {
 public:
  AsyncLog(const Options& options, std::unique_ptr<Sink> sink)
      : level_(options.level),
        format_{.sink = options.sink, .json = options.json},
        pool_(
            std::make_shared<spdlog::details::thread_pool>(options.queue_lines, 1, block_signals)),
        writer_(std::make_shared<Writer>(std::move(sink), format_, *pool_)),
        logger_(std::make_shared<spdlog::async_logger>(
            "tunnel", writer_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_level(spdlog::level::trace);  // the level is judged here, before formatting
  }

  // The pool's destructor lets the thread finish the queue and joins it; the writer outlives it.
  ~AsyncLog() override {
    flush();
    pool_.reset();
  }

  bool enabled(Level level) const override { return level <= level_; }

  void write(Level level, Event event, Subject subject, std::string_view message,
             std::initializer_list<Field> fields) override {
    if (!enabled(level)) return;
    const std::string payload = format_({.time = std::chrono::system_clock::now(),
                                         .level = level,
                                         .event = event,
                                         .subject = subject,
                                         .message = message,
                                         .fields = fields});
    logger_->log(to_spdlog(level), spdlog::string_view_t(payload.data(), payload.size()));
  }

  // The marker wakes the thread; were it dropped by an overflow, the lines that pushed it out would
  // wake it just as well.
  void reopen() override {
    writer_->request_reopen();
    post_marker(next_marker());
  }

  // Lines written before this call are ahead of its marker in the queue, and ahead of every marker
  // with a larger number, so reaching any of those will do.
  void flush() override {
    const std::uint64_t marker = next_marker();
    do {
      post_marker(marker);  // again each time: an overflow may have dropped it
    } while (!writer_->wait_for_marker(marker, std::chrono::milliseconds(200)));
  }

 private:
  // Signals belong to the supervisor's thread.
  static void block_signals() {
    sigset_t all;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, nullptr);
  }

  std::uint64_t next_marker() { return markers_.fetch_add(1, std::memory_order_acq_rel) + 1; }
  void post_marker(std::uint64_t marker) { logger_->log(kMarkerLevel, std::to_string(marker)); }

  const Level level_;
  const Format format_;
  std::atomic<std::uint64_t> markers_{0};
  std::shared_ptr<spdlog::details::thread_pool> pool_;  // shared as spdlog wants it
  const std::shared_ptr<Writer> writer_;
  const std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace

Result<void> Log::find_syslog(const std::string& socket) { return log::find_syslog(socket); }

Result<std::unique_ptr<Log>> Log::open(const Options& options) {
  Result<std::unique_ptr<Sink>> sink = Sink::open(options);
  if (!sink) return tl::unexpected(std::move(sink.error()));
  return std::make_unique<AsyncLog>(options, std::move(*sink));
}

}  // namespace tunnel::log
