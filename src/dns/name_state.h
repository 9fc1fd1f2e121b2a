// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "dns/answer.h"

namespace tunnel::dns {

enum class Kind : std::uint8_t { addresses, services };  // A and AAAA, or SRV

// What is known about a watched name. A value, for handing on to other threads.
struct Update {
  std::string name;
  Kind kind = Kind::addresses;
  Status status = Status::failed;        // of the last lookup
  bool is_stale = false;                 // it failed: this is the last good answer
  std::vector<SocketAddress> addresses;  // families interleaved, IPv6 first (RFC 8305); port 0
  std::vector<Service> services;         // by priority, then weight (the heavier first)
  std::uint64_t generation = 0;          // grows when addresses or services change
  TimePoint answered_at{};               // when a lookup last worked
  std::string error;                     // a sentence when the lookup failed, else empty
};

// One name's life: when to ask, what to believe, what to say. Pure: time is told, questions are
// asked by Names, which owns it. All rules of the cache are in here.
class NameState {
 public:
  struct Limits {
    Millis min_ttl = std::chrono::seconds(1);  // between two lookups
    Millis max_stale = std::chrono::hours(1);  // after the TTL's end, while lookups fail
  };
  // For the log; each is told once per change.
  enum class Event : std::uint8_t { none, began_to_fail, recovered, gave_up };

  static constexpr Millis kResolutionDelay{50};  // RFC 8305, section 3
  static constexpr Millis kFirstRetry{1000};     // doubling
  static constexpr Millis kLastRetry{30'000};

  NameState(std::string name, Kind kind, TimePoint now);

  // Asking: when it is due, begin, ask for each of types(), and take what comes under that round.
  [[nodiscard]] bool is_due(TimePoint now) const;
  [[nodiscard]] std::vector<RecordType> types() const;
  std::uint64_t begin(TimePoint now);
  void take(std::uint64_t round, RecordType type, Answer answer, TimePoint now, Limits limits);
  // Instead of asking: the hosts file knows the name, or it is an address itself.
  void take_local(const std::vector<SocketAddress>& addresses, Millis ttl, TimePoint now);
  // A dial failed: ask soon, but not more often than min_ttl.
  void refresh(TimePoint now, Limits limits);
  // The questions under way will not be answered.
  void forget_questions(TimePoint now);

  // Believing: drops answers that are older than allowed.
  void expire(TimePoint now, Limits limits);

  // Saying: true when there is something new, which then is in published().
  bool publish(TimePoint now);
  [[nodiscard]] const Update& published() const { return published_; }
  [[nodiscard]] std::uint64_t publications() const { return publications_; }
  [[nodiscard]] Event take_event();

  // When is_due, expire or publish may next have an effect.
  [[nodiscard]] std::optional<TimePoint> next_deadline(Limits limits) const;

 private:
  struct Part {
    RecordType type = RecordType::a;
    bool is_asked = false;           // a question is under way
    Status status = Status::failed;  // of the last answer
    std::vector<SocketAddress> addresses;
    std::vector<Service> services;
    TimePoint valid_until;  // of addresses and services
    [[nodiscard]] bool empty() const { return addresses.empty() && services.empty(); }
    void clear() {
      addresses.clear();
      services.clear();
    }
  };
  [[nodiscard]] bool is_asking() const;
  [[nodiscard]] bool is_empty() const;
  void end_round(TimePoint now, Limits limits);
  void note_success(TimePoint now);
  void publish_by(TimePoint when);

  std::vector<Part> parts_;  // aaaa and a, or srv
  std::uint64_t round_ = 0;
  TimePoint asked_at_;
  TimePoint ask_at_;                 // while no question is under way
  int failures_ = 0;                 // in a row
  Status failure_ = Status::failed;  // while failures_ > 0
  TimePoint answered_at_{};

  std::optional<TimePoint> publish_at_;
  Update published_;
  std::uint64_t publications_ = 0;
  Event event_ = Event::none;
};

}  // namespace tunnel::dns
