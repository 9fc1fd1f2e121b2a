// SPDX-License-Identifier: MIT
#include "cli/summary.h"

#include <algorithm>
#include <vector>

#include "balance/describe.h"
#include "base/text.h"

namespace tunnel::cli {
namespace {

using config::Accept;
using config::Service;
using config::Tls;
using config::Verify;

// A sentence may name many targets; no line of a summary is longer.
constexpr std::size_t kLongest = 65'536;

std::string joined(const std::vector<std::string>& parts, std::string_view separator = ", ") {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

std::string version_word(config::TlsVersion version) {
  switch (version) {
    case config::TlsVersion::tls1_0:
      return "1.0";
    case config::TlsVersion::tls1_1:
      return "1.1";
    case config::TlsVersion::tls1_2:
      return "1.2";
    case config::TlsVersion::tls1_3:
      return "1.3";
  }
  return "";
}

std::string program_words(const Service& service) {
  std::string text = "runs " + service.exec;
  for (const std::string& argument : service.exec_args) text += " " + argument;
  text += ", whose standard input and output are the plaintext side";
  if (service.retry) text += "; again " + format_duration(*service.retry) + " after it has ended";
  return printable(text, kLongest);
}

std::string accept_words(const Service& service) {
  if (!service.exec.empty()) return program_words(service);
  if (service.accept.size() == 1 && service.accept[0].form == Accept::Form::stdio) {
    return "serves one connection, plaintext on standard input and output";
  }
  std::vector<std::string> places;
  for (const Accept& accept : service.accept) {
    if (accept.form == Accept::Form::passed) {
      places.push_back("the sockets that the service manager passes as \"" + accept.passed_name() +
                       "\"");
      continue;
    }
    const bool is_free = accept.form == Accept::Form::tcp && accept.address.port() == 0;
    places.push_back(is_free ? accept.address.ip() + " (a free port)" : accept.address.to_string());
  }
  std::string text = "accepts plaintext at " + joined(places);
  if (!service.allow.empty()) {
    std::vector<std::string> ranges;
    for (const Cidr& range : service.allow) ranges.push_back(range.to_string());
    text += ", from " + joined(ranges) + " only";
  }
  return text;
}

// A token's URI may hold a PIN behind its question mark.
std::string without_query(const std::string& path) {
  return path.starts_with("pkcs11:") ? path.substr(0, path.find_first_of("?")) : path;
}

std::string psk_name(const Tls& tls) {
  return (tls.psk_identity.empty() ? "the first identity" : "\"" + tls.psk_identity + "\"") +
         " in " + tls.psk_file;
}

// What the server must be, whoever issued its certificate; "" when that does not matter.
std::string pinned(const Tls& tls) {
  std::string text;
  if (tls.pin.size() == 1) text = "the pinned one";
  if (tls.pin.size() > 1) text = "one of " + std::to_string(tls.pin.size()) + " pinned ones";
  if (!tls.peer_certs.empty()) {
    text += (text.empty() ? "" : " or ") + ("that of a certificate in " + joined(tls.peer_certs));
  }
  return text;
}

std::string verify_words(const Tls& tls) {
  const bool accepts_certificates = !tls.ca.empty() || !tls.pin.empty() || !tls.peer_certs.empty();
  if (!tls.psk_file.empty() && !accepts_certificates) {
    return "; the server must know the pre-shared key of " + psk_name(tls);
  }
  const std::string authorities = tls.ca.empty() ? "the system's trust store" : joined(tls.ca);
  const std::string pins = pinned(tls).empty() ? "" : ", with a key that is " + pinned(tls);
  switch (tls.verify) {
    case Verify::full:
      return "; the server's certificate must be trusted by " + authorities + ", for " +
             (tls.name.empty() ? "the host of the target" : joined(tls.name, " or ")) + pins;
    case Verify::chain:
      return "; the server's certificate must be trusted by " + authorities +
             ", whatever its name" + pins;
    case Verify::pin:
      return "; the server's key must be " + pinned(tls);
    case Verify::none:
      return "; the server's certificate is NOT checked";
  }
  return {};
}

std::string option_words(const config::SocketOptions& options) {
  std::vector<std::string> parts;
  const auto add = [&](std::string_view where, const std::vector<config::SocketOption>& list) {
    for (const config::SocketOption& option : list) {
      parts.push_back(std::string(where) + " " + option.name + " = " + option.text);
    }
  };
  add("listen", options.listen);
  add("client", options.client);
  add("target", options.target);
  return joined(parts);
}

std::string tls_words(const Tls& tls) {
  std::string text = "speaks TLS";
  if (tls.priority.empty()) {
    const std::string low = version_word(tls.min_version);
    const std::string high = version_word(tls.max_version);
    text += " " + (low == high ? low + " only" : low + " to " + high);
  } else {
    text += " by the priority string " + tls.priority;
  }
  text += verify_words(tls);
  if (!tls.psk_file.empty() && !text.ends_with(psk_name(tls))) {
    text += ", or it must know the pre-shared key of " + psk_name(tls);
  }
  if (!tls.cert.empty()) {
    text += "; it is shown the client certificate in " + without_query(tls.cert);
  }
  return text;
}

}  // namespace

std::string summary(const config::Config& config) {
  const std::size_t count = config.services.size();
  std::string text = printable(config.path, 4096) + ": " + std::to_string(count) +
                     (count == 1 ? " service" : " services") + ", no errors\n";
  for (const Service& service : config.services) {
    text += "\n[" + service.name + "]\n";
    text += "  " + accept_words(service) + "\n";
    for (const std::string& sentence : balance::describe(service)) {
      text += "  " + printable(sentence, kLongest) + "\n";
    }
    if (const std::string options = option_words(service.socket_options); !options.empty()) {
      text += "  sets socket options: " + printable(options, kLongest) + "\n";
    }
    text += "  " + (service.tls ? tls_words(*service.tls) : "relays plain TCP, without TLS") + "\n";
  }
  return text;
}

}  // namespace tunnel::cli
