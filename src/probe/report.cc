// SPDX-License-Identifier: MIT
#include "probe/report.h"

#include <algorithm>

namespace tunnel::probe {
namespace {

constexpr long kDay = 24 * 60 * 60;

void take_earlier(std::optional<Ending>& earliest, const std::optional<Ending>& other) {
  if (other && (!earliest || other->not_after < earliest->not_after)) earliest = other;
}

}  // namespace

std::string_view word(Step step) {
  switch (step) {
    case Step::dns:
      return "dns";
    case Step::tcp:
      return "tcp";
    case Step::preamble:
      return "preamble";
    case Step::tls:
      return "tls";
    case Step::check:
      return "check";
  }
  return "";
}

std::size_t TargetReport::usable_addresses() const {
  return static_cast<std::size_t>(std::ranges::count_if(addresses, &AddressReport::is_usable));
}

bool TargetReport::is_usable() const { return usable_addresses() > 0; }

bool Report::is_usable() const {
  return std::ranges::all_of(services, [](const ServiceReport& service) {
    return std::ranges::all_of(service.targets, &TargetReport::is_usable);
  });
}

std::optional<Ending> earliest_ending(const ServiceReport& service) {
  std::optional<Ending> earliest;
  for (const TargetReport& target : service.targets) {
    for (const AddressReport& address : target.addresses) {
      // Of what is in use only: an address that fails has its own line for that.
      if (!address.is_usable() || !address.certificates) continue;
      for (const x509::CertificateFacts& certificate : address.certificates->path) {
        if (certificate.not_after < 0) continue;
        take_earlier(earliest, Ending{certificate.not_after, short_name(certificate)});
      }
    }
  }
  return earliest;
}

std::optional<Ending> earliest_ending(const Report& report) {
  std::optional<Ending> earliest;
  for (const ServiceReport& service : report.services) {
    take_earlier(earliest, earliest_ending(service));
  }
  return earliest;
}

long days_left(std::time_t not_after, std::time_t now) {
  const long seconds = static_cast<long>(not_after) - static_cast<long>(now);
  // Rounded down on both sides of zero: what ended an hour ago has -1 days, not 0.
  return seconds >= 0 ? seconds / kDay : -((-seconds + kDay - 1) / kDay);
}

std::string short_name(const x509::CertificateFacts& certificate) {
  const std::string& subject = certificate.subject;
  const std::size_t at = subject.starts_with("CN=") ? 0 : subject.find(",CN=");
  if (at != std::string::npos) {
    const std::size_t begin = subject.find('=', at) + 1;
    std::size_t end = begin;
    // RFC 4514 puts a backslash in front of a comma that belongs to the name.
    while (end < subject.size() && subject[end] != ',') end += subject[end] == '\\' ? 2 : 1;
    return subject.substr(begin, end - begin);
  }
  if (!subject.empty()) return subject;
  return certificate.names.empty() ? "a certificate without a name" : certificate.names.front();
}

}  // namespace tunnel::probe
