// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <ctime>
#include <unordered_map>

#include "x509/fingerprint.h"

namespace tunnel::tls {

// Which servers give tickets that they do not take back: those whose tickets are switched off by
// half (nginx's ssl_session_tickets off still sends some), or that share an address but no key.
// Offering and storing what is always refused costs a twentieth of a handshake and half a KiB of
// each connection, so there is a pause after so many refusals in a row that they are no bad luck:
// where one machine in ten takes a ticket, once in thousands of handshakes. One that breaks off
// when it sees a ticket has its pause at once. Bounded. Part of a Remembered, which locks it.
class RefusedTickets {
 public:
  static constexpr unsigned kInARow = 64;
  static constexpr std::time_t kPause = 600;  // seconds; then it is tried again
  static constexpr unsigned kAgain = 16;      // so many refusals then begin the next pause
  static constexpr std::size_t kInAll = 64;

  void refused(const x509::Fingerprint& key, std::time_t now);
  void broke_off(const x509::Fingerprint& key, std::time_t now);
  void accepted(const x509::Fingerprint& key) { servers_.erase(key); }
  // Tickets are neither worth offering nor keeping now.
  [[nodiscard]] bool is_hopeless(const x509::Fingerprint& key, std::time_t now) const;

 private:
  struct Server {
    unsigned in_a_row = 0;
    std::time_t since = 0;  // of the last refusal; a clock that was set back ends the pause
  };
  [[nodiscard]] Server& server_of(const x509::Fingerprint& key);

  std::unordered_map<x509::Fingerprint, Server, x509::FingerprintHash> servers_;
};

}  // namespace tunnel::tls
