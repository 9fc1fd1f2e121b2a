// SPDX-License-Identifier: MIT
#include "log/writer.h"

#include <chrono>
#include <utility>

#include "base/thread.h"

namespace tunnel::log {

Result<std::shared_ptr<const Destination>> Destination::open(const Options& options) {
  Result<std::unique_ptr<Sink>> sink = Sink::open(options);
  if (!sink) return tl::unexpected(std::move(sink.error()));
  return std::make_shared<const Destination>(options, std::shared_ptr<Sink>(std::move(*sink)));
}

Result<std::shared_ptr<const Destination>> Destination::open(const Options& options,
                                                             const Destination& previous) {
  // What both name stays open: the process may no longer have the rights to open it.
  if (!options.has_sink_of(previous.options_)) return open(options);
  return std::make_shared<const Destination>(options, previous.sink_);
}

std::string Destination::format(const Line& line) const {
  switch (options_.sink) {
    case Options::Sink::standard_error:
      if (options_.is_stderr_journal) return options_.json ? format_json(line) : format_body(line);
      [[fallthrough]];
    case Options::Sink::file:
      return options_.json ? format_json(line) : format_text(line);
    case Options::Sink::syslog:
      return options_.json ? format_json(line) : format_body(line);
    case Options::Sink::journal:
      return format_journal(line, options_.json ? format_json(line) : format_body(line));
  }
  return {};
}

Writer::Writer(To to, std::size_t queue_lines)
    : queue_lines_(queue_lines), destination_(std::move(to)) {}

Result<void> Writer::begin() {
  auto thread = start_thread("log", [this] { run(); });
  if (!thread) return tl::make_unexpected(std::move(thread.error()));
  thread_ = std::move(*thread);
  return {};
}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  work_came_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  } else {
    run();  // writes what waits, and returns
  }
}

Writer::To Writer::destination() const {
  const std::lock_guard lock(mutex_);
  return destination_;
}

void Writer::use(To to) {
  const std::lock_guard lock(mutex_);
  std::swap(destination_, to);  // the old one may end in `to`, and close its file: unlocked
}

void Writer::push(To to, Level level, std::string payload) {
  Entry oldest;  // destroyed after the lock is released
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= queue_lines_) {
      oldest = std::move(queue_.front());
      queue_.pop_front();
      ++dropped_;
      all_dropped_.fetch_add(1, std::memory_order_relaxed);
    }
    queue_.push_back({std::move(to), level, std::move(payload)});
    ++pushed_;
  }
  work_came_.notify_one();
}

void Writer::reopen() {
  {
    const std::lock_guard lock(mutex_);
    ++reopens_wanted_;
  }
  work_came_.notify_one();
}

// A dropped line needs no care: only a later one can have dropped it, and that one will be written.
void Writer::flush() {
  std::unique_lock lock(mutex_);
  work_done_.wait(lock, [this, lines = pushed_, reopens = reopens_wanted_] {
    return written_ >= lines && reopens_done_ >= reopens;
  });
}

// What the thread does in one go, without the lock.
struct Writer::Work {
  Entry line;                 // to == null: none
  To reopen;                  // null: no
  std::uint64_t written = 0;  // what written_ and reopens_done_ become
  std::uint64_t reopens = 0;
  std::uint64_t dropped = 0;
};

// One line at a time: take() moves it out under the lock, perform() writes it without, and only
// then do the numbers advance that flush() waits for. Workers are never kept waiting for the disk:
// they need the lock only to push.
void Writer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_came_.wait(lock, [this] { return is_closing_ || has_work(); });
    if (!has_work()) return;
    std::uint64_t written = 0;
    std::uint64_t reopens = 0;
    {
      // Ends before the lock is taken again: the last line of an old destination may close its
      // file.
      const Work work = take();
      written = work.written;
      reopens = work.reopens;
      lock.unlock();
      perform(work);
    }
    lock.lock();
    written_ = written;
    reopens_done_ = reopens;
    work_done_.notify_all();
  }
}

Writer::Work Writer::take() {
  Work work{
      .line = {}, .reopen = {}, .written = written_, .reopens = reopens_wanted_, .dropped = 0};
  if (reopens_done_ != reopens_wanted_) work.reopen = destination_;
  if (!queue_.empty()) {
    work.dropped = std::exchange(dropped_, 0);
    // The number of the line in front; those before it were written or dropped.
    work.written = pushed_ - queue_.size() + 1;
    work.line = std::move(queue_.front());
    queue_.pop_front();
  }
  return work;
}

void Writer::perform(const Work& work) {
  // First, so that the line goes to the new file: reopen() promises that for every line after it.
  // Lines that waited already go there, too.
  if (work.reopen) {
    const Result<void> reopened = work.reopen->sink().reopen();
    if (!reopened) {
      report(*work.reopen, Level::error, reopened.error().text + "; the old one stays in use", {});
    }
  }
  if (!work.line.to) return;
  const Destination& to = *work.line.to;
  // Before the line, where the gap is.
  report_dropped(to, work.dropped);
  report_lost(to);
  put(to, work.line.level, work.line.payload);
}

// Lines are dropped only when others come, so there is always one to write afterwards.
void Writer::report_dropped(const Destination& to, std::uint64_t dropped) {
  if (dropped == 0) return;
  report(to, Level::warning,
         "log lines came faster than they could be written; the oldest were dropped",
         {{"dropped", dropped}});
}

// After a full disk or an absent syslog daemon: tried before each line, so it is written as soon as
// a line can be.
void Writer::report_lost(const Destination& to) {
  if (lost_ == 0) return;
  const std::uint64_t lost = std::exchange(lost_, 0);
  const std::string why = std::exchange(lost_why_, {});
  report(to, Level::warning, "log lines could not be written", {{"lost", lost}, {"reason", why}});
  if (lost_ != 0) lost_ = lost;  // this report was lost as well: it does not count
}

void Writer::report(const Destination& to, Level level, std::string_view message,
                    std::initializer_list<Field> fields) {
  put(to, level,
      to.format({.time = std::chrono::system_clock::now(),
                 .level = level,
                 .event = Event::notice,
                 .subject = {},
                 .message = message,
                 .fields = fields}));
}

void Writer::put(const Destination& to, Level level, std::string_view payload) {
  const Result<void> written = to.sink().write(level, payload);
  if (written) return;
  ++lost_;
  lost_why_ = written.error().text;
}

}  // namespace tunnel::log
