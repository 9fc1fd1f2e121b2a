// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/address.h"
#include "base/text.h"
#include "config/cross_checks.h"

namespace tunnel::config {
namespace {

class TlsChecks {
 public:
  TlsChecks(Document& document, const Service& service, const Tls& tls, std::string prefix)
      : document_(document), service_(service), tls_(tls), prefix_(std::move(prefix)) {}

  void run() {
    check_names();
    check_ciphers();
    check_verify();
    check_versions();
    check_priority();
    check_client_key();
    check_psk();
  }

 private:
  [[nodiscard]] std::string full(std::string_view key) const {
    return prefix_ + "." + std::string(key);
  }
  [[nodiscard]] bool is_set(std::string_view key) const {
    return document_.is_set(service_.name, full(key));
  }
  void problem(std::string_view key, std::string text, std::string hint = {}) {
    document_.problem(service_.name, full(key), -1, std::move(text), std::move(hint));
  }

  void warning(std::string_view key, std::string text, std::string hint = {}) {
    document_.warning(service_.name, full(key), -1, std::move(text), std::move(hint));
  }

  void check_names() {
    for (std::size_t i = 0; i < tls_.name.size(); ++i) {
      auto mistake = mistake_in_name(tls_.name[i]);
      if (!mistake) continue;
      document_.problem(service_.name, full("name"), static_cast<int>(i), std::move(mistake->text),
                        std::move(mistake->hint));
    }
  }

  // A key that would be ignored looks like protection that is not there.
  void check_verify() {
    const Verify verify = tls_.verify;
    // is_set(), here and below: a key that is written, and empty because it could not be read, has
    // an error of its own.
    if (verify == Verify::pin && tls_.pin.empty() && tls_.peer_certs.empty() && !is_set("pin") &&
        !is_set("peer_certs")) {
      problem("verify", "verify = \"pin\" needs \"pin\" or \"peer_certs\"",
              "pin = [\"sha256:...\"] with the hash of the server's public key");
    }
    // Both may come from [defaults.tls], and a name is still sent as SNI: worth a word, no error.
    if (verify != Verify::full && !tls_.name.empty() && !is_set("sni")) {
      warning("name", "\"name\" is only sent (as SNI): it is checked with verify = \"full\" alone");
    }
    if (verify == Verify::none && !tls_.pin.empty()) {
      problem("pin", "\"pin\" is not checked with verify = \"none\"",
              "verify = \"pin\" checks pins alone");
    }
    if (verify == Verify::none && !tls_.peer_certs.empty()) {
      problem("peer_certs", "\"peer_certs\" is not checked with verify = \"none\"",
              "verify = \"pin\" checks it alone");
    }
    if (verify == Verify::pin && !tls_.ca.empty()) {
      warning("ca", "\"ca\" is not used with verify = \"pin\"",
              "verify = \"full\" checks both the chain and the pins");
    }
    if (verify == Verify::none || verify == Verify::pin) {
      const std::string word = verify == Verify::none ? "\"none\"" : "\"pin\"";
      if (!tls_.crl.empty()) problem("crl", "\"crl\" is not checked with verify = " + word);
      if (tls_.ocsp == OcspMode::require) {
        problem("ocsp", "ocsp = \"require\" is not checked with verify = " + word);
      }
    }
  }

  // OpenSSL's names are the ones that people have at hand.
  void check_ciphers() {
    int index = -1;
    for (const std::string& name : tls_.ciphers) {
      ++index;
      const std::string_view iana = document_.foreign().standard_suite(name);
      if (!iana.empty()) {
        document_.problem(service_.name, full("ciphers"), index,
                          in_quotes(name) + " is OpenSSL's name of a cipher suite",
                          "its standard name is " + in_quotes(iana));
      } else if (is_openssl_list(name)) {
        document_.problem(
            service_.name, full("ciphers"), index,
            in_quotes(name) + " is a cipher list of OpenSSL's, and no name of a suite",
            "ciphers = [\"TLS_...\", ...] names each; `tunnel convert` translates the "
            "list of a stunnel.conf");
      }
    }
  }

  static bool is_openssl_list(const std::string& name) {
    constexpr std::array<std::string_view, 7> kWords = {
        "ALL", "COMPLEMENTOFDEFAULT", "DEFAULT", "HIGH", "MEDIUM", "LOW", "AESGCM"};
    return name.find_first_of(":!+@") != std::string::npos ||
           std::find(kWords.begin(), kWords.end(), name) != kWords.end();
  }

  void check_versions() {
    if (tls_.min_version <= tls_.max_version) return;
    // max_version is the one that the file must have set: by default it is the newest.
    problem("max_version", "min_version is newer than max_version, so no version is left");
  }

  // Half of a pair does nothing.
  void check_client_key() {
    if (!tls_.cert.empty() || is_set("cert")) return;
    if (!tls_.key.empty()) {
      problem("key", "\"key\" is the key of a certificate, and \"cert\" is not set",
              "cert = \"...\" names the client certificate; one file may hold both");
    }
    if (!tls_.key_password_file.empty()) {
      problem("key_password_file", "\"key_password_file\" opens a key, and \"cert\" is not set");
    }
  }

  void check_priority() {
    if (tls_.priority.empty()) return;
    constexpr std::array<std::string_view, 5> kExcluded = {"min_version", "max_version",
                                                           "min_strength", "ciphers", "groups"};
    for (const std::string_view key : kExcluded) {
      // By what is written: a key with its default value would be ignored like any other.
      if (!is_set(key)) continue;
      problem(key, "\"" + std::string(key) + "\" and \"priority\" exclude one another",
              "a priority string holds versions, ciphers and groups by itself");
    }
  }

  void check_psk() {
    if (tls_.psk_file.empty()) {
      if (!tls_.psk_identity.empty() && !is_set("psk_file")) {
        problem("psk_identity", "\"psk_identity\" names a key, and \"psk_file\" is not set",
                "psk_file = \"...\" names a file with lines of \"identity:hexkey\"");
      }
      return;
    }
    if (!tls_.ca.empty() || !tls_.pin.empty() || !tls_.peer_certs.empty()) return;
    const std::string why =
        " is about certificates, and with \"psk_file\" alone none is accepted from the server";
    if (!tls_.crl.empty()) problem("crl", "\"crl\"" + why, "\"ca\" accepts certificates, too");
    if (tls_.ocsp == OcspMode::require) {
      problem("ocsp", "ocsp = \"require\"" + why, "\"ca\" accepts certificates, too");
    }
  }

  Document& document_;
  const Service& service_;
  const Tls& tls_;
  const std::string prefix_;
};

}  // namespace

std::optional<NameMistake> mistake_in_name(std::string_view name) {
  const bool has_scheme = name.starts_with("email:") || name.starts_with("uri:");
  // Its zone is that of another machine, maybe, and not compared.
  const std::string_view address = name.substr(0, name.find('%'));
  if (has_scheme || SocketAddress::parse_ip(address, 0)) return std::nullopt;
  std::string text = "no certificate carries the name " + in_quotes(name);
  if (name.find("://") != std::string_view::npos) {
    return NameMistake{std::move(text), "write the host alone; a URI begins with \"uri:\""};
  }
  const bool has_brackets = name.starts_with('[') && name.ends_with(']');
  if (has_brackets) {
    return NameMistake{std::move(text), "write the address without brackets: " +
                                            in_quotes(name.substr(1, name.size() - 2))};
  }
  if (name.find(':') == std::string_view::npos) return std::nullopt;
  const auto parts = parse_host_port(name);
  return NameMistake{std::move(text), parts && !parts->host.empty()
                                          ? "write it without the port: " + in_quotes(parts->host)
                                          : "write a host name or an IP address"};
}

void cross_check_tls(Document& document, const Service& service, const Tls& tls,
                     const std::string& prefix) {
  TlsChecks(document, service, tls, prefix).run();
}

}  // namespace tunnel::config
