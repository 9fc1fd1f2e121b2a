// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "tunnel/address_history.h"

namespace tunnel {

// What one worker knows about names: the newest answers, sent by the supervisor (the only one that
// asks DNS), and the dials that wait for a first one; and its way to what all workers know about
// how addresses have done. Loop-bound to its worker; owned by it.
class AddressBook {
 public:
  struct Answer {
    std::vector<SocketAddress> addresses;  // port 0, in the order to try
    std::string error;                     // why there are none, a sentence for people
  };

  // A dial that waits for a name; cancelled by destroying it. Owned by the dial.
  class Waiter {
   public:
    Waiter(AddressBook& book, std::string_view name, std::function<void()> on_answered);
    ~Waiter();
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

   private:
    friend class AddressBook;
    AddressBook& book_;
    std::string name_;
    std::function<void()> on_answered_;  // may destroy the Waiter as its last action
  };

  // `ask` tells the supervisor that somebody needs the name now, or that its answer did not serve.
  // `history` must outlive the book.
  AddressBook(const Clock& clock, AddressHistory& history,
              std::function<void(const std::string& name)> ask);

  [[nodiscard]] const Answer* find(std::string_view name) const;  // nullptr: no answer yet
  void ask_again(const std::string& name) { ask_(name); }
  void update(const std::string& name, Answer answer);
  void forget(const std::string& name);  // nothing names it any more

  // See AddressHistory.
  void note_failed(const SocketAddress& address) { history_.failed(address, clock_.now()); }
  void note_won(const SocketAddress& winner, std::span<const SocketAddress> silent) {
    history_.won(winner, silent, clock_.now());
  }
  void note_worked(const SocketAddress& address) { history_.worked(address); }
  [[nodiscard]] bool has_failed(const SocketAddress& address) {
    return history_.has_failed(address, clock_.now());
  }
  void order(std::vector<SocketAddress>& addresses) { history_.order(addresses, clock_.now()); }

 private:
  const Clock& clock_;
  AddressHistory& history_;
  std::function<void(const std::string&)> ask_;
  std::map<std::string, Answer, std::less<>> answers_;
  std::vector<Waiter*> waiting_;
};

}  // namespace tunnel
