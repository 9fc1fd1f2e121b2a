// SPDX-License-Identifier: MIT
#include "tunnel/address_book.h"

#include <algorithm>
#include <utility>

namespace tunnel {

AddressBook::Waiter::Waiter(AddressBook& book, std::string_view name,
                            std::function<void()> on_answered)
    : book_(book), name_(name), on_answered_(std::move(on_answered)) {
  book_.waiting_.push_back(this);
  book_.ask_(name_);
}

AddressBook::Waiter::~Waiter() { std::erase(book_.waiting_, this); }

AddressBook::AddressBook(const Clock& clock, std::function<void(const std::string&)> ask)
    : clock_(clock), ask_(std::move(ask)) {}

const AddressBook::Answer* AddressBook::find(std::string_view name) const {
  const auto found = answers_.find(name);
  return found == answers_.end() ? nullptr : &found->second;
}

void AddressBook::update(const std::string& name, Answer answer) {
  answers_[name] = std::move(answer);
  std::vector<Waiter*> answered;
  for (Waiter* waiter : waiting_) {
    if (waiter->name_ == name) answered.push_back(waiter);
  }
  // A callback may destroy its own waiter and others: look each one up again before calling it.
  for (Waiter* waiter : answered) {
    const auto found = std::find(waiting_.begin(), waiting_.end(), waiter);
    if (found == waiting_.end()) continue;
    waiting_.erase(found);
    const auto on_answered = std::move(waiter->on_answered_);
    on_answered();
  }
}

void AddressBook::note_failed(const SocketAddress& address) {
  // Targets are few; the bound only guards against a name whose addresses change all the time.
  if (failed_.size() >= 1024) {
    std::erase_if(failed_,
                  [&](const auto& entry) { return clock_.now() - entry.second > kMemory; });
    if (failed_.size() >= 1024) failed_.clear();
  }
  failed_[address] = clock_.now();
}

void AddressBook::note_worked(const SocketAddress& address) {
  if (!failed_.empty()) failed_.erase(address);
}

void AddressBook::order(std::vector<SocketAddress>& addresses) const {
  if (failed_.empty()) return;
  const TimePoint now = clock_.now();
  std::stable_partition(addresses.begin(), addresses.end(), [&](const SocketAddress& address) {
    const auto found = failed_.find(address);
    return found == failed_.end() || now - found->second > kMemory;
  });
}

}  // namespace tunnel
