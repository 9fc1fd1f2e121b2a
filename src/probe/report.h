// SPDX-License-Identifier: MIT
// What a probe has found, apart from how it was found and how it is printed. Values; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/kind.h"
#include "x509/examination.h"

namespace tunnel::probe {

using Seconds = std::chrono::duration<double>;

// The parts of a visit, in their order.
enum class Step : std::uint8_t { dns, tcp, preamble, tls, check };
inline constexpr std::size_t kSteps = 5;
[[nodiscard]] std::string_view word(Step step);

// How long each took; nothing: it was not reached, or there was nothing to do.
struct Times {
  std::optional<Seconds> steps[kSteps];
  std::optional<Seconds> total;  // of all of them, without the goodbye

  [[nodiscard]] std::optional<Seconds>& operator[](Step step) {
    return steps[static_cast<std::size_t>(step)];
  }
  [[nodiscard]] const std::optional<Seconds>& operator[](Step step) const {
    return steps[static_cast<std::size_t>(step)];
  }
};

// A reason why an address cannot be used.
struct Problem {
  Step step = Step::dns;
  Kind kind = Kind::ok;
  std::string text;  // the sentence of the log
  std::string fix;
  bool is_local = false;  // the cause is on this side
};

struct Round {
  Times times;
  bool is_ok = false;
  bool is_resumed = false;
};

struct AddressReport {
  std::string address;  // "10.1.1.1:636"; "": there is none
  Times times;          // of the first round
  bool speaks_tls = false;
  std::string version, cipher, group, alpn;
  bool is_resumable = false;
  std::time_t ocsp_until = 0;
  std::optional<x509::Examination> certificates;
  bool is_client_certificate_requested = false;
  std::vector<std::string> authorities;        // that client certificates are wanted of
  std::vector<std::string> accepted_versions;  // after tls_version: what the server would take
  std::vector<Problem> problems;               // of the first round that had any
  std::vector<Round> rounds;                   // one, or --repeat of them

  [[nodiscard]] bool is_usable() const { return problems.empty(); }
};

struct TargetReport {
  std::size_t group = 0;  // counted from 1
  std::string target;     // as the log calls it
  std::string host;       // without the port
  std::vector<AddressReport> addresses;

  [[nodiscard]] bool is_usable() const;  // at one address at least, as for a connection
  [[nodiscard]] std::size_t usable_addresses() const;
};

struct ServiceReport {
  std::string name;
  std::vector<TargetReport> targets;
};

struct Report {
  std::time_t now = 0;
  std::vector<ServiceReport> services;

  [[nodiscard]] bool is_usable() const;  // every target
};

// The certificate in use that ends first: of the verified paths of usable addresses.
struct Ending {
  std::time_t not_after = 0;
  std::string whose;
};
[[nodiscard]] std::optional<Ending> earliest_ending(const ServiceReport& service);
[[nodiscard]] std::optional<Ending> earliest_ending(const Report& report);
// Whole days; negative when it is over.
[[nodiscard]] long days_left(std::time_t not_after, std::time_t now);
// "dc1.example.com" of "CN=dc1.example.com,O=Example"; else the subject itself, or what is said of
// one without.
[[nodiscard]] std::string short_name(const x509::CertificateFacts& certificate);

}  // namespace tunnel::probe
