// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/clock.h"

namespace tunnel {

// What one worker knows about names: the newest answers, sent by the supervisor (the only one that
// asks DNS), the dials that wait for a first one, and which addresses failed lately. Loop-bound to
// its worker; owned by it.
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
  AddressBook(const Clock& clock, std::function<void(const std::string& name)> ask);

  [[nodiscard]] const Answer* find(std::string_view name) const;  // nullptr: no answer yet
  void ask_again(const std::string& name) { ask_(name); }
  void update(const std::string& name, Answer answer);

  // RFC 8305 section 4: history decides last. An address that failed within kMemory is tried after
  // the others.
  static constexpr Millis kMemory = std::chrono::minutes(2);
  void note_failed(const SocketAddress& address);
  void note_worked(const SocketAddress& address);
  // Moves what failed lately behind the rest, keeping the order otherwise.
  void order(std::vector<SocketAddress>& addresses) const;

 private:
  const Clock& clock_;
  std::function<void(const std::string&)> ask_;
  std::map<std::string, Answer, std::less<>> answers_;
  std::vector<Waiter*> waiting_;
  std::map<SocketAddress, TimePoint> failed_;
};

}  // namespace tunnel
