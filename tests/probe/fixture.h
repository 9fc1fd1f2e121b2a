// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "probe/report.h"

namespace tunnel::probe::testing {

inline constexpr std::time_t kNow = 1'800'000'000;  // 2027-01-15T08:00:00Z
inline constexpr std::time_t kDay = 24 * 60 * 60;

inline x509::CertificateFacts certificate(std::string subject, long days) {
  x509::CertificateFacts facts;
  facts.subject = std::move(subject);
  facts.issuer = "CN=Root";
  facts.names = {"DNS:dc1.example.com"};
  facts.key = "RSA 2048";
  facts.not_before = kNow - 100 * kDay;
  facts.not_after = kNow + days * kDay;
  facts.spki = std::string(43, 'A') + "=";
  facts.der = facts.subject;
  return facts;
}

// An address that works, with a certificate that has so many days left.
inline AddressReport usable(std::string address, long days) {
  AddressReport report;
  report.address = std::move(address);
  report.times[Step::tcp] = Seconds(0.0008);
  report.times[Step::tls] = Seconds(0.0064);
  report.times.total = Seconds(0.0072);
  report.speaks_tls = true;
  report.version = "TLS1.3";
  report.cipher = "TLS_AES_128_GCM_SHA256";
  report.group = "X25519";
  report.is_resumable = true;
  x509::Examination examined;
  examined.shown = {certificate("CN=dc1.example.com,O=Example", days)};
  examined.path = {examined.shown.front(), certificate("CN=Root", 4000)};
  examined.is_used = {true};
  examined.is_trusted = true;
  examined.anchor = "tls.ca (/etc/ca.pem)";
  report.certificates = examined;
  report.rounds = {{.times = report.times, .is_ok = true}};
  return report;
}

enum class Cause { theirs, ours };

inline AddressReport failed(std::string address, Kind kind, Cause cause = Cause::theirs) {
  AddressReport report;
  report.address = std::move(address);
  report.times[Step::tcp] = Seconds(5);
  report.times.total = Seconds(5);
  report.problems = {{.step = Step::tcp,
                      .kind = kind,
                      .text = "a sentence | with a pipe",
                      .fix = "what to do",
                      .is_local = cause == Cause::ours}};
  report.rounds = {{.times = report.times}};
  return report;
}

inline TargetReport target(std::string host, std::vector<AddressReport> addresses) {
  return {.group = 1, .target = host + ":636", .host = host, .addresses = std::move(addresses)};
}

inline Report report(std::vector<TargetReport> targets) {
  return {.now = kNow, .services = {{.name = "ldap", .targets = std::move(targets)}}};
}

}  // namespace tunnel::probe::testing
