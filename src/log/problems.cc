// SPDX-License-Identifier: MIT
#include "log/problems.h"

#include <string>
#include <utility>

#include "base/text.h"

namespace tunnel::log {
namespace {

// A dial_failed line may name every target.
constexpr std::size_t kLongest = 1024;

std::string kind_of(const Line& line) {
  for (const Field& field : line.fields) {
    const auto* text = std::get_if<std::string_view>(&field.value);
    if (field.key == "kind" && text != nullptr) return std::string(*text);
  }
  return {};
}

}  // namespace

void Problems::note(const Line& line) {
  if (line.level > Level::warning) return;
  Problem problem{.time = line.time,
                  .level = line.level,
                  .event = line.event,
                  .service = std::string(line.subject.service),
                  .conn = line.subject.conn,
                  .kind = kind_of(line),
                  .text = printable(line.message, kLongest)};
  const std::lock_guard lock(mutex_);
  problems_.push_back(std::move(problem));
  if (problems_.size() > kMost) problems_.pop_front();
}

std::vector<Problem> Problems::list() const {
  const std::lock_guard lock(mutex_);
  return {problems_.begin(), problems_.end()};
}

}  // namespace tunnel::log
