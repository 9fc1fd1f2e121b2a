// SPDX-License-Identifier: MIT
#include "log/process_log.h"

#include <chrono>
#include <utility>

#include "log/line.h"
#include "log/sink.h"
#include "log/writer.h"

namespace tunnel::log {

Result<void> ProcessLog::find_syslog(const std::string& socket) { return log::find_syslog(socket); }

bool ProcessLog::is_standard_error_journal(int descriptor) { return is_journal(descriptor); }

Result<std::unique_ptr<ProcessLog>> ProcessLog::open(const Options& options, Writing writing) {
  auto destination = Destination::open(options);
  if (!destination) return tl::unexpected(std::move(destination.error()));
  auto log = std::make_unique<ProcessLog>(std::move(*destination));
  if (writing == Writing::begins) {
    if (auto begun = log->begin(); !begun) return tl::make_unexpected(std::move(begun.error()));
  }
  return log;
}

ProcessLog::ProcessLog(std::shared_ptr<const Destination> destination)
    : levels_(destination->options().level),
      writer_(std::make_unique<Writer>(destination, destination->options().queue_lines)) {}

ProcessLog::~ProcessLog() = default;

Result<void> ProcessLog::begin() { return writer_->begin(); }

Result<std::shared_ptr<const Destination>> ProcessLog::prepare(const Options& options) const {
  return Destination::open(options, *writer_->destination());
}

void ProcessLog::use(std::shared_ptr<const Destination> destination) {
  set_level(destination->options().level);
  writer_->use(std::move(destination));
}

void ProcessLog::write(Level level, Event event, Subject subject, std::string_view message,
                       std::initializer_list<Field> fields) {
  const Line line{.time = std::chrono::system_clock::now(),
                  .level = level,
                  .event = event,
                  .subject = subject,
                  .message = message,
                  .fields = fields};
  // Before the level is asked: the last problems are kept whatever is logged.
  problems_.note(line);
  if (!levels_.admit(level, subject)) return;
  // Format and sink of one and the same destination, even if use() puts another in force meanwhile.
  Writer::To to = writer_->destination();
  std::string payload = to->format(line);
  writer_->push(std::move(to), level, std::move(payload));
}

std::uint64_t ProcessLog::dropped_lines() const { return writer_->dropped(); }

void ProcessLog::reopen() { writer_->reopen(); }

void ProcessLog::flush() { writer_->flush(); }

}  // namespace tunnel::log
