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

AddressBook::AddressBook(const Clock& clock, AddressHistory& history,
                         std::function<void(const std::string&)> ask)
    : clock_(clock), history_(history), ask_(std::move(ask)) {}

const AddressBook::Answer* AddressBook::find(std::string_view name) const {
  const auto found = answers_.find(name);
  return found == answers_.end() ? nullptr : &found->second;
}

void AddressBook::update(const std::string& name, Answer answer) {
  Answer& known = answers_[name];
  std::erase_if(known.addresses, [&](const SocketAddress& address) {
    return std::find(answer.addresses.begin(), answer.addresses.end(), address) !=
           answer.addresses.end();
  });
  history_.forget(known.addresses);  // what is left of them has left the answer
  known = std::move(answer);
  std::vector<Waiter*> answered;
  for (Waiter* waiter : waiting_) {
    if (waiter->name_ == name) answered.push_back(waiter);
  }
  // A callback may destroy its own waiter and others: look each one up again before calling it.
  for (Waiter* waiter : answered) {
    const auto found = std::find(waiting_.begin(), waiting_.end(), waiter);
    if (found == waiting_.end()) continue;
    waiting_.erase(found);
    // Moved out of the waiter, which may be gone before the function returns.
    const auto on_answered = std::move(waiter->on_answered_);
    on_answered();
  }
}

void AddressBook::forget(const std::string& name) {
  const auto known = answers_.find(name);
  if (known == answers_.end()) return;
  history_.forget(known->second.addresses);
  answers_.erase(known);
}

}  // namespace tunnel
