// SPDX-License-Identifier: MIT
#include "probe/text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <optional>

#include "base/text.h"
#include "x509/x509_text.h"

namespace tunnel::probe {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kMostNames = 3;  // of a certificate, in its line
constexpr Step kAllSteps[] = {Step::dns, Step::tcp, Step::preamble, Step::tls, Step::check};

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string milliseconds(Seconds duration) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.1f", duration.count() * 1000);
  return text.data();
}

std::string date(std::time_t when) { return x509::timestamp(when).substr(0, 10); }

std::string days(std::time_t not_after, std::time_t now) {
  if (not_after < 0) return "-";
  const long left = days_left(not_after, now);
  if (left < 0) return "ended " + std::to_string(-left) + " d ago";
  return std::to_string(left) + " d";
}

// ---- one address

std::string verdict(const AddressReport& address) {
  return address.is_usable() ? "ok" : std::string(word(address.problems.front().kind));
}

// "dns 2.1  tcp 0.8  tls 6.4  total 9.3 ms"
std::string times_line(const AddressReport& address) {
  std::string line;
  for (const Step step : kAllSteps) {
    if (const auto& took = address.times[step]) {
      line += std::string(word(step)) + " " + milliseconds(*took) + "  ";
    }
  }
  if (address.times.total) line += "total " + milliseconds(*address.times.total) + " ms";
  return line;
}

std::string tls_line(const AddressReport& address) {
  std::string line = address.version + "  " + address.cipher;
  if (!address.group.empty()) line += "  " + address.group;
  line += "  ALPN " + (address.alpn.empty() ? "-" : printable(address.alpn));
  line += std::string("  resumable ") + (address.is_resumable ? "yes" : "no");
  line += "  OCSP " + (address.ocsp_until > 0 ? "good until " + x509::timestamp(address.ocsp_until)
                                              : std::string("none"));
  return line;
}

std::string statistics(const std::vector<Round>& rounds, const std::string& name,
                       const std::function<std::optional<Seconds>(const Times&)>& part) {
  std::vector<Seconds> values;
  Seconds sum{0};
  for (const Round& round : rounds) {
    if (const auto took = part(round.times)) {
      values.push_back(*took);
      sum += *took;
    }
  }
  if (values.empty()) return {};
  return "  " + name + " " + milliseconds(*std::ranges::min_element(values)) + "/" +
         milliseconds(sum / static_cast<double>(values.size())) + "/" +
         milliseconds(*std::ranges::max_element(values));
}

// Smallest, mean and largest of all rounds.
std::string rounds_line(const std::vector<Round>& rounds) {
  std::string line = std::to_string(std::ranges::count_if(rounds, &Round::is_ok)) + " of " +
                     std::to_string(rounds.size()) + " rounds ok, min/mean/max ms:";
  for (const Step step : kAllSteps) {
    line += statistics(rounds, std::string(word(step)),
                       [step](const Times& times) { return times[step]; });
  }
  line += statistics(rounds, "total", [](const Times& times) { return times.total; });
  // There are two at least, or there is no such line.
  return line + "  second resumed " + (rounds[1].is_resumed ? "yes" : "no");
}

std::string problem_lines(const Problem& problem) {
  return "    " + std::string(word(problem.step)) + ": " + std::string(word(problem.kind)) + ": " +
         problem.text + "\n    fix: " + problem.fix + "\n";
}

std::string address_lines(const AddressReport& address, std::size_t width) {
  const std::string name = address.address.empty() ? "no address" : address.address;
  std::string text =
      "  " + padded(name, width) + "  " + times_line(address) + "  " + verdict(address) + "\n";
  const std::string indent(width + 4, ' ');
  if (address.speaks_tls) text += indent + tls_line(address) + "\n";
  if (address.rounds.size() > 1) text += indent + rounds_line(address.rounds) + "\n";
  for (const Problem& problem : address.problems) text += problem_lines(problem);
  return text;
}

// ---- certificates

std::string names_of(const x509::CertificateFacts& certificate) {
  std::string text;
  for (std::size_t i = 0; i < certificate.names.size(); ++i) {
    if (i == kMostNames) return text + ", ...";
    text += (i == 0 ? "" : ", ") + certificate.names[i];
  }
  return text;
}

// One line a certificate, in columns; the anchor says where it is from.
std::string chain_lines(const x509::Examination& examined, std::time_t now) {
  std::vector<std::array<std::string, 5>> rows;
  for (std::size_t i = 0; i < examined.path.size(); ++i) {
    const auto& certificate = examined.path[i];
    const bool is_anchor = examined.is_trusted && i + 1 == examined.path.size();
    rows.push_back({short_name(certificate), certificate.key,
                    certificate.not_after < 0 ? "-" : date(certificate.not_after),
                    days(certificate.not_after, now),
                    is_anchor ? "trusted: " + examined.anchor : names_of(certificate)});
  }
  std::array<std::size_t, 4> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string line = std::string(i == 0 ? "  chain  " : "         ") + std::to_string(i) + "  ";
    for (std::size_t column = 0; column < widths.size(); ++column) {
      line += padded(rows[i][column], widths[column]) + "  ";
    }
    line += rows[i].back();
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string certificate_lines(const x509::Examination& examined, std::time_t now) {
  std::string text = chain_lines(examined, now);
  for (std::size_t i = 0; i < examined.shown.size(); ++i) {
    if (!examined.is_used[i]) {
      text += "         sent and not needed: " + examined.shown[i].subject + "\n";
    }
  }
  if (examined.is_out_of_order) text += "         sent in the wrong order\n";
  if (!examined.missing_issuer.empty() && !examined.is_self_signed) {
    text += "         missing: " + examined.missing_issuer + "\n";
  }
  if (!examined.shown.empty()) {
    text += "  pin    sha256:" + examined.shown.front().spki + "   (for tls.pin)\n";
  }
  return text;
}

bool has_same_chain(const AddressReport& a, const AddressReport& b) {
  const auto ders = [](const AddressReport& address) {
    std::vector<std::string> list;
    // What was sent, octet by octet: two certificates may have one name.
    for (const auto& certificate : address.certificates->shown) list.push_back(certificate.der);
    return list;
  };
  return a.certificates && b.certificates && ders(a) == ders(b) &&
         a.certificates->is_trusted == b.certificates->is_trusted;
}

// Those of all addresses: the servers behind one name need not have the same.
std::string all_certificates(const TargetReport& target, std::time_t now) {
  std::string text;
  std::vector<const AddressReport*> told;
  for (const AddressReport& address : target.addresses) {
    if (!address.certificates || address.certificates->shown.empty()) continue;
    const bool is_told = std::ranges::any_of(
        told, [&](const AddressReport* other) { return has_same_chain(*other, address); });
    if (is_told) continue;
    if (!told.empty()) text += "  of " + address.address + ":\n";
    told.push_back(&address);
    text += certificate_lines(*address.certificates, now);
  }
  return text;
}

std::string head(const std::string& service, const TargetReport& target) {
  const std::size_t usable = target.usable_addresses();
  const std::size_t count = target.addresses.size();
  std::string state = "OK";
  if (usable == 0) {
    state = verdict(target.addresses.front());
  } else if (usable < count) {
    state = "OK at " + std::to_string(usable) + " of " + std::to_string(count) + " addresses";
  }
  const std::string name =
      service + "  group " + std::to_string(target.group) + "  " + target.target;
  return padded(name, kWidth - std::min(kWidth, state.size() + 2)) + "  " + state + "\n";
}

}  // namespace

std::string to_text(const std::string& service, const TargetReport& target, std::time_t now) {
  std::string text = head(service, target);
  std::size_t width = 0;
  for (const AddressReport& address : target.addresses) {
    width = std::max(width, address.address.empty() ? 10 : address.address.size());
  }
  for (const AddressReport& address : target.addresses) text += address_lines(address, width);
  return text + all_certificates(target, now);
}

std::string last_line(const Report& report) {
  std::size_t usable = 0;
  std::size_t count = 0;
  for (const ServiceReport& service : report.services) {
    for (const TargetReport& target : service.targets) {
      usable += target.usable_addresses();
      count += target.addresses.size();
    }
  }
  std::string line = std::to_string(count) + (count == 1 ? " address: " : " addresses: ") +
                     std::to_string(usable) + " ok, " + std::to_string(count - usable) + " failed.";
  if (const auto ending = earliest_ending(report)) {
    line += "  Earliest end of a certificate in use: " + days(ending->not_after, report.now) +
            " (" + ending->whose + ")";
  }
  return line + "\n";
}

std::string to_text(const Report& report) {
  std::string text;
  for (const ServiceReport& service : report.services) {
    for (const TargetReport& target : service.targets) {
      text += to_text(service.name, target, report.now);
    }
  }
  return text + last_line(report);
}

}  // namespace tunnel::probe
