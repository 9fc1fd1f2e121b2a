// SPDX-License-Identifier: MIT
#include "runtime/inquiries.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tunnel::runtime {

void Inquiries::ask(ConnectionsOrder order, TimePoint now, OnComplete on_complete) {
  order.request = ++last_request_;
  Pending& pending = pending_[order.request];
  for (std::size_t index = 0; index < workers_; ++index) pending.answers.silent.insert(index);
  pending.until = now + kPatience;
  pending.on_complete = std::move(on_complete);
  return send_(order);
}

void Inquiries::on_answer(ConnectionsAnswer answer) {
  const auto found = pending_.find(answer.request);
  // It comes too late: who asked has been answered without it.
  if (found == pending_.end()) return;
  Answers& answers = found->second.answers;
  answers.silent.erase(answer.worker);
  answers.ended += answer.ended;
  std::move(answer.connections.begin(), answer.connections.end(),
            std::back_inserter(answers.connections));
  std::move(answer.closed.begin(), answer.closed.end(), std::back_inserter(answers.closed));
  if (answers.silent.empty()) return complete(answer.request);
}

void Inquiries::expire(TimePoint now) {
  // First collected: complete() erases, and an answer may lead to the next question.
  std::vector<std::uint64_t> late;
  for (const auto& [request, pending] : pending_) {
    if (pending.until <= now) late.push_back(request);
  }
  for (const std::uint64_t request : late) complete(request);
}

std::optional<TimePoint> Inquiries::next_end() const {
  std::optional<TimePoint> next;
  for (const auto& [request, pending] : pending_) {
    next = std::min(next.value_or(pending.until), pending.until);
  }
  return next;
}

void Inquiries::complete(std::uint64_t request) {
  const auto found = pending_.find(request);
  // Out of the table before the call, which may come back to ask().
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  return pending.on_complete(pending.answers);
}

}  // namespace tunnel::runtime
