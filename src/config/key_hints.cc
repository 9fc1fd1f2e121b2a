// SPDX-License-Identifier: MIT
#include "config/key_hints.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "config/schema.h"

namespace tunnel::config {
namespace {

// Keys by the names that other programs have for them: HAProxy, nginx, ghostunnel, curl, Go.
struct Synonym {
  std::string_view elsewhere;
  std::string_view here;  // with its table
};
constexpr auto kSynonyms = std::to_array<Synonym>({
    {"address", "accept"},
    {"backend", "connect"},
    {"backends", "connect"},
    {"ca_cert", "tls.ca"},
    {"ca_certs", "tls.ca"},
    {"ca_certificate", "tls.ca"},
    {"ca_file", "tls.ca"},
    {"ca_path", "tls.ca"},
    {"cacert", "tls.ca"},
    {"cert_file", "tls.cert"},
    {"certfile", "tls.cert"},
    {"certificate", "tls.cert"},
    {"cipher_suites", "tls.ciphers"},
    {"client_cert", "tls.cert"},
    {"client_key", "tls.key"},
    {"crl_file", "tls.crl"},
    {"curves", "tls.groups"},
    {"daemon", "foreground"},
    {"hostname", "tls.name"},
    {"insecure", "tls.verify"},
    {"key_file", "tls.key"},
    {"keyfile", "tls.key"},
    {"keyfile_password", "tls.key_password_file"},
    {"listen", "accept"},
    {"local", "accept"},
    {"logfile", "log_file"},
    {"loglevel", "log_level"},
    {"maxconn", "max_connections"},
    {"mode", "unix_mode"},
    {"nameservers", "dns_servers"},
    {"owner", "unix_owner"},
    {"pidfile", "pid_file"},
    {"port", "accept"},
    {"private_key", "tls.key"},
    {"protocol", "starttls"},
    {"remote", "connect"},
    {"server", "connect"},
    {"server_name", "tls.name"},
    {"servername", "tls.name"},
    {"servers", "connect"},
    {"skip_verify", "tls.verify"},
    {"target", "connect"},
    {"targets", "connect"},
    {"threads", "workers"},
    {"trust", "tls.ca"},
    {"truststore", "tls.ca"},
    {"upstream", "connect"},
    {"verify_hostname", "tls.verify"},
    {"verify_mode", "tls.verify"},
    {"verify_peer", "tls.verify"},
    {"verify_server", "tls.verify"},
});

bool contains(std::span<const std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// "max-conn" and "MaxConn" are "maxconn" and "max_conn" as well.
bool is_same_word(std::string_view typed, std::string_view known) {
  const auto letters = [](std::string_view text) {
    std::string result;
    for (const char c : text) {
      if (c != '_' && c != '-') result += lower(c);
    }
    return result;
  };
  return letters(typed) == letters(known);
}

class Hint {
 public:
  Hint(std::string_view key, std::span<const std::string_view> known, std::string_view service,
       const Foreign& foreign)
      : key_(key), known_(known), service_(service), foreign_(foreign), all_(all_options()) {}

  [[nodiscard]] std::string find() const {
    // What is known comes before what only looks similar.
    for (const auto question : {&Hint::singular, &Hint::elsewhere, &Hint::stunnel, &Hint::synonym,
                                &Hint::similar_here, &Hint::similar_elsewhere}) {
      if (std::string hint = (this->*question)(); !hint.empty()) return hint;
    }
    return "";
  }

 private:
  // Where a key is written: "[web.tls]".
  [[nodiscard]] std::string home_of(const Named& named) const {
    if (named.group == "global") return "before the first table";
    // Among the global keys no service is at hand, so one of the file's is an example.
    const std::string in = contains(known_, "foreground") ? "in a service, such as " : "in ";
    if (named.group == "service") return in + header_of(service_);
    if (named.group == "connect") {
      return "in the table of a target: connect = [{ address = \"...\", " +
             std::string(named.option->key) + " = ... }]";
    }
    return in + header_of(service_, named.group);
  }

  // "is "ca" here", with its place where that is another one.
  [[nodiscard]] std::string called(std::string_view name) const {
    const std::string_view last = name.substr(name.rfind('.') + 1);
    if (contains(known_, last)) return " is " + in_quotes(last) + " here";
    for (const Named& named : all_) {
      if (named.name != name) continue;
      return " is " + in_quotes(last) + " here, and belongs " + home_of(named);
    }
    return " is " + in_quotes(name) + " here";
  }

  // "timeout" is a key of another table, but what is wanted is the table of this name.
  [[nodiscard]] std::string singular() const {
    const std::string plural = std::string(key_) + "s";
    if (!contains(known_, plural)) return "";
    std::string hint = "did you mean " + in_quotes(plural) + "?";
    if (plural == "timeouts") {
      hint += " It has a key for each phase: timeouts = { connect = \"5s\", idle = \"1h\" }";
    }
    return hint;
  }

  [[nodiscard]] std::string elsewhere() const {
    std::string homes;
    bool is_global = false;
    for (const Named& named : all_) {
      // "listen" is more often another program's word for accept.
      if (named.option->key != key_ || named.group == "socket_options") continue;
      is_global = is_global || named.group == "global";
      std::string home = home_of(named);
      constexpr std::string_view kService = "in a service, such as ";
      if (homes.starts_with(kService) && home.starts_with(kService)) home.erase(0, kService.size());
      homes += (homes.empty() ? "" : ", or ") + home;
    }
    if (homes.empty()) return "";
    return in_quotes(key_) + (is_global ? " is a global key: it" : "") + " belongs " + homes;
  }

  [[nodiscard]] std::string stunnel() const {
    const auto option = foreign_.find_stunnel_option(key_);
    if (!option) return "";
    const std::string theirs = "stunnel's " + in_quotes(option->name);
    if (!option->verdict.empty()) return theirs + " " + option->verdict;
    return option->key.empty() ? "" : theirs + called(option->key);
  }

  [[nodiscard]] std::string synonym() const {
    for (const Synonym& synonym : kSynonyms) {
      if (is_same_word(key_, synonym.elsewhere)) return in_quotes(key_) + called(synonym.here);
    }
    return "";
  }

  [[nodiscard]] std::string similar_here() const {
    const std::string_view meant = did_you_mean(key_, known_);
    return meant.empty() ? "" : "did you mean " + in_quotes(meant) + "?";
  }

  [[nodiscard]] std::string similar_elsewhere() const {
    std::vector<std::string_view> others;
    for (const Named& named : all_) others.push_back(named.option->key);
    const std::string_view meant = did_you_mean(key_, others);
    for (const Named& named : all_) {
      if (meant.empty() || named.option->key != meant) continue;
      return "did you mean " + in_quotes(meant) + "? It belongs " + home_of(named);
    }
    return "";
  }

  const std::string_view key_;
  const std::span<const std::string_view> known_;
  const std::string_view service_;
  const Foreign& foreign_;
  const std::vector<Named> all_;
};

}  // namespace

std::string key_hint(std::string_view key, std::span<const std::string_view> known,
                     std::string_view service, const Foreign& foreign) {
  return Hint(key, known, service, foreign).find();
}

std::string header_of(std::string_view service, std::string_view table) {
  const bool is_bare = !service.empty() && std::all_of(service.begin(), service.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  const std::string name = is_bare ? std::string(service) : in_quotes(service);
  return "[" + name + (table.empty() ? "" : "." + std::string(table)) + "]";
}

}  // namespace tunnel::config
