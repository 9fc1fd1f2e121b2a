// SPDX-License-Identifier: MIT
// What a section says about TLS: whom it trusts, what it shows, and which versions and suites.
#include <unistd.h>

#include <array>
#include <vector>

#include "base/address.h"
#include "base/text.h"
#include "import/openssl_names.h"
#include "import/stunnel_address.h"
#include "import/stunnel_options.h"
#include "import/stunnel_service.h"

namespace tunnel::import {
namespace {

class TlsConversion {
 public:
  TlsConversion(StunnelReport& report, const StunnelSection& section, StunnelTree& tree)
      : report_(report), section_(section), tree_(tree) {}

  void run() {
    convert_trust();
    convert_revocation();
    convert_sni();
    convert_own();
    convert_openssl();
    tree_.set("tls.allow_key_usage_violation", flag_at(section_.header, true));
    report_.remark(section_.name, "tls.allow_key_usage_violation",
                   "stunnel does not look at the key usage of the server's certificate");
    if (section_.session_resume != nullptr && !is_yes(section_.session_resume->value)) {
      tree_.set("tls.resumption", flag_at(section_.session_resume->value_at, false));
    }
  }

 private:
  [[nodiscard]] bool is_verified() const { return section_.verify_chain || section_.verify_peer; }
  [[nodiscard]] config::Position verification_at() const {
    return section_.verification != nullptr ? section_.verification->value_at : section_.header;
  }

  // verifyChain stands for the chain, with a checkHost and its like also for the name; verifyPeer
  // for a key that is known. Neither is stunnel's default: then nothing is checked, which the
  // result says in so many words, because here the default is the opposite.
  void convert_trust() {
    check_trust();
    if (section_.verify_chain) {
      const char* word = section_.checks.empty() ? "chain" : "full";
      tree_.set("tls.verify", text_at(verification_at(), word));
      if (section_.checks.empty()) warn_no_name();
    } else if (section_.verify_peer) {
      tree_.set("tls.verify", text_at(verification_at(), "pin"));
    } else if (section_.psk_secrets == nullptr) {
      tree_.set("tls.verify", text_at(verification_at(), "none"));
      warn_unverified();
    }
    if (section_.verify_peer) set_trusted("tls.peer_certs");
    if (!section_.verify_peer || section_.verify_chain) set_trusted("tls.ca");
    if (section_.verify_chain) convert_names();
  }

  // What stunnel refuses, too: a check that nothing would come of.
  void check_trust() {
    const bool has_authority = section_.ca_file != nullptr || section_.ca_path != nullptr;
    if (is_verified() && !has_authority) {
      report_.error(verification_at(), "there is nothing to verify the server's certificate with",
                    "CAfile = /etc/ssl/certs/ca-certificates.crt is the system's trust store");
    }
    if (!is_verified() && !section_.checks.empty()) {
      const StunnelGiven& check = *section_.checks.front();
      report_.error(check.name_at,
                    "\"" + std::string(check.option->name) +
                        "\" is not checked without "
                        "verifyChain or verifyPeer",
                    "verifyChain = yes, and CAfile");
    }
    if (!section_.verify_chain && section_.verify_peer && !section_.checks.empty()) {
      const StunnelGiven& check = *section_.checks.front();
      report_.warning(check.name_at,
                      "the server's key decides alone, as with verify = \"pin\": the name in its "
                      "certificate is not checked",
                      "with verifyChain = yes it is");
    }
  }

  void warn_unverified() {
    report_.warning(verification_at(),
                    "service \"" + printable(section_.name, 60) +
                        "\" does not check who answers: anyone on the way can pose as the server",
                    "verifyChain = yes, CAfile = /etc/ssl/certs/ca-certificates.crt and checkHost "
                    "= NAME, each in a line of its own");
    report_.remark(section_.name, "tls.verify",
                   "stunnel checks nothing by default: anyone on the way can pose as "
                   "the server. Without this line the chain and the name are checked");
  }

  void warn_no_name() {
    report_.warning(verification_at(),
                    "service \"" + printable(section_.name, 60) +
                        "\" does not check the name in the certificate: anyone who has one of the "
                        "same authorities can pose as the server",
                    "checkHost = NAME");
    report_.remark(
        section_.name, "tls.verify",
        "the name is not checked: anyone who has a certificate of the same authorities can "
        "pose as the server. Without this line it is");
  }

  // Without verification stunnel starts without them, too.
  [[nodiscard]] bool is_missed(const StunnelGiven& given, const config::Value& path) {
    if (is_verified() || !report_.reader.may_use_system()) return false;
    const std::string absolute = report_.reader.absolute(path, *path.as<std::string>());
    if (::access(absolute.c_str(), R_OK) == 0) return false;
    report_.warning(given.value_at, "cannot read " + printable(absolute, 4096) +
                                        ", which does not matter until something is verified");
    return true;
  }

  // stunnel looks for the server's certificate in both, and for authorities too.
  void set_trusted(const std::string& key) {
    config::Array paths;
    for (const StunnelGiven* given : {section_.ca_file, section_.ca_path}) {
      if (given == nullptr) continue;
      config::Value path = text_at(given->value_at, stunnel_path(given->value));
      if (!is_missed(*given, path)) paths.push_back(std::move(path));
    }
    if (paths.empty()) return;  // reported
    const config::Position at = paths.front().position;
    tree_.set(key, paths.size() == 1 ? paths.front() : list_at(at, std::move(paths)));
  }

  void convert_names() {
    config::Array names;
    for (const StunnelGiven* check : section_.checks) {
      const bool is_email = check->option->name == "checkEmail";
      names.push_back(text_at(check->value_at, (is_email ? "email:" : "") + check->value));
    }
    if (names.empty()) return;
    const config::Position at = names.front().position;
    tree_.set("tls.name", names.size() == 1 ? names.front() : list_at(at, std::move(names)));
  }

  void convert_revocation() {
    config::Array lists;
    for (const StunnelGiven* list : {section_.crl_file, section_.crl_path}) {
      if (list == nullptr) continue;
      // stunnel checks them there, too, so to leave them out would widen what is accepted. Without
      // any verification it checks nothing.
      if (!section_.verify_chain && section_.verify_peer) {
        report_.error(list->name_at,
                      "revocation lists are not checked when the server's key decides alone",
                      "verifyChain = yes in addition to verifyPeer");
      } else if (!is_verified()) {
        report_.warning(list->name_at, "\"" + std::string(list->option->name) +
                                           "\" is not checked without verifyChain");
      } else {
        lists.push_back(text_at(list->value_at, stunnel_path(list->value)));
      }
    }
    if (lists.empty()) return;
    const config::Position at = lists.front().position;
    tree_.set("tls.crl", lists.size() == 1 ? lists.front() : list_at(at, std::move(lists)));
  }

  // stunnel sends one name to every target: that of the first, unless it is told another. It would
  // send addresses, too, which RFC 6066 section 3 forbids.
  void convert_sni() {
    if (section_.sni != nullptr) {
      return tree_.set("tls.sni", text_at(section_.sni->value_at, section_.sni->value));
    }
    std::vector<std::string> hosts = target_hosts();
    if (hosts.empty()) return;
    const bool is_address = SocketAddress::parse_ip(hosts.front(), 0).has_value();
    const bool has_names = section_.verify_chain && !section_.checks.empty();
    bool is_usual = !has_names;
    for (const std::string& host : hosts) is_usual = is_usual && host == hosts.front();
    if (is_usual) return;
    tree_.set("tls.sni", text_at(section_.header, is_address ? "" : hosts.front()));
  }

  // What our own default would be made of, the first being stunnel's. A unix socket has no name of
  // its own, and is "localhost" for stunnel.
  [[nodiscard]] std::vector<std::string> target_hosts() const {
    std::vector<std::string> hosts;
    const bool is_proxied =
        section_.protocol != nullptr && equal_ignoring_case(section_.protocol->value, "connect");
    if (is_proxied) {
      const auto target = section_.protocol_host != nullptr
                              ? parse_stunnel_address(section_.protocol_host->value)
                              : tl::make_unexpected(Error{});
      if (target) hosts.push_back(target->host);
      return hosts;
    }
    for (const StunnelGiven* given : section_.connect) {
      const auto address = parse_stunnel_address(given->value);
      if (!address) continue;
      if (address->is_path) hosts.insert(hosts.end(), {"localhost", ""});
      if (!address->is_path) {
        hosts.push_back(address->is_port_alone ? "localhost" : address->host);
      }
    }
    return hosts;
  }

  void convert_own() {
    own("tls.cert", section_.cert);
    if (section_.key != nullptr && section_.cert == nullptr) {
      report_.warning(section_.key->name_at, "\"key\" has no effect without cert");
    } else {
      own("tls.key", section_.key);
    }
    own("tls.psk_file", section_.psk_secrets);
    if (const StunnelGiven* identity = section_.psk_identity) {
      tree_.set("tls.psk_identity", text_at(identity->value_at, identity->value));
    }
  }

  void own(const char* key, const StunnelGiven* given) {
    if (given == nullptr) return;
    const bool is_uri = given->value.starts_with("pkcs11:");
    tree_.set(key, text_at(given->value_at, is_uri ? given->value : stunnel_path(given->value)));
  }

  void convert_openssl() {
    std::vector<OpensslSetting> settings;
    for (const StunnelGiven* given : section_.openssl) {
      settings.push_back({given->option->name, given->value});
    }
    const OpensslTranslation translation = translate_openssl(settings, proof());
    for (const OpensslNote& note : translation.notes) say(note);
    constexpr auto kVersions = std::to_array<const char*>({"1.0", "1.1", "1.2", "1.3"});
    constexpr auto kStrengths = std::to_array<const char*>({"112", "128", "192", "256"});
    if (translation.min_version) {
      set_openssl("min_version", kVersions[static_cast<std::size_t>(*translation.min_version)]);
    }
    if (translation.max_version) {
      set_openssl("max_version", kVersions[static_cast<std::size_t>(*translation.max_version)]);
    }
    if (translation.min_strength) {
      set_openssl("min_strength", kStrengths[static_cast<std::size_t>(*translation.min_strength)]);
    }
    set_list("ciphers", translation.ciphers);
    set_list("groups", translation.groups);
    if (translation.no_resumption) {
      tree_.set("tls.resumption", flag_at(openssl_at("resumption"), false));
    }
  }

  // Without verification, certificates are worth nothing to the section, but the key proves the
  // server.
  [[nodiscard]] OpensslProof proof() const {
    if (section_.psk_secrets == nullptr) return OpensslProof::certificates;
    return is_verified() ? OpensslProof::both : OpensslProof::psk;
  }

  // Once for the person at the terminal, once as a comment in what `tunnel convert` prints.
  void say(const OpensslNote& note) {
    const StunnelGiven& given = *section_.openssl[note.setting];
    if (note.severity == OpensslNote::Severity::error) {
      return report_.error(given.value_at, note.text, note.hint);
    }
    report_.warning(given.value_at, note.text, note.hint);
    report_.remark(section_.name, "",
                   std::string(given.option->name) + " = " + given.value + ": " + note.text);
  }

  void set_openssl(const std::string& key, const std::string& word) {
    tree_.set("tls." + key, text_at(openssl_at(key), word));
  }

  void set_list(const std::string& key, const std::vector<std::string>& names) {
    if (names.empty()) return;
    const config::Position at = openssl_at(key);
    config::Array list;
    for (const std::string& name : names) list.push_back(text_at(at, name));
    tree_.set("tls." + key, list_at(at, std::move(list)));
  }

  // The last setting that becomes this key, or the last one at all.
  [[nodiscard]] config::Position openssl_at(const std::string& key) const {
    config::Position at =
        section_.openssl.empty() ? section_.header : section_.openssl.back()->value_at;
    for (const StunnelGiven* given : section_.openssl) {
      if (given->option->key == "tls." + key) at = given->value_at;
    }
    return at;
  }

  StunnelReport& report_;
  const StunnelSection& section_;
  StunnelTree& tree_;
};

}  // namespace

void convert_stunnel_tls(StunnelReport& report, const StunnelSection& section, StunnelTree& tree) {
  TlsConversion(report, section, tree).run();
}

}  // namespace tunnel::import
