// SPDX-License-Identifier: MIT
#include "import/openssl_wishes.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "import/openssl_ciphers.h"
#include "import/openssl_options.h"

namespace tunnel::import {
namespace {

class WishReader {
 public:
  WishReader(std::span<const OpensslSetting> settings, OpensslNotes& notes)
      : settings_(settings), notes_(notes) {}

  OpensslWishes run() && {
    read_settings();
    read_options();
    // Commands of `config` come last in OpenSSL, and hold against everything before them, but for
    // the groups, which stunnel sets after them.
    read_commands();
    // Last, for a command may have replaced the list; its @SECLEVEL is read after securityLevel.
    if (wishes_.ciphers) adopt_level(*wishes_.ciphers);
    return wishes_;
  }

 private:
  // Each line overwrites what the lines before it have set, as in stunnel: sslVersion both bounds,
  // the others one.
  void read_settings() {
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      const auto& [key, value] = settings_[i];
      const auto is = [name = key](std::string_view other) {
        return equal_ignoring_case(name, other);
      };
      if (is("ciphers")) wishes_.ciphers = OpensslText{i, value};
      if (is("ciphersuites")) wishes_.ciphersuites = OpensslText{i, value};
      if (is("curves") || is("curve")) wishes_.curves = OpensslText{i, value};
      if (is("securityLevel")) read_level(i, value);
      if (is("sslVersion") || is("sslVersionMin")) read_bound(i, value, Bound::min, "all");
      if (is("sslVersion") || is("sslVersionMax")) read_bound(i, value, Bound::max, "all");
    }
  }

  enum class Bound { min, max };

  void read_bound(std::size_t at, std::string_view value, Bound bound, std::string_view none) {
    wishes_.versions_at = at;
    const auto version = find_openssl_version(value);
    const bool is_sslv3 = equal_ignoring_case(value, "SSLv3");
    if (!version && !is_sslv3 && !equal_ignoring_case(value, none)) {
      return notes_.error(
          at, in_quotes(value) + " is not a version of TLS",
          "the versions are TLSv1, TLSv1.1, TLSv1.2, TLSv1.3 and " + std::string(none));
    }
    // With SSLv3 as the newest version nothing is left; as the oldest it only allows what is not
    // offered anyway.
    if (bound == Bound::max) {
      if (is_sslv3) return notes_.error(at, "SSLv3 is broken and not spoken here");
      wishes_.versions.set_max(version);
    } else {
      if (is_sslv3) {
        notes_.notice(at, "SSLv3 is broken and not spoken here: TLS 1.0 is the oldest version");
      }
      wishes_.versions.set_min(is_sslv3 ? config::TlsVersion::tls1_0 : version);
    }
  }

  void read_level(std::size_t at, std::string_view value) {
    int level = -1;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), level);
    if (failure != std::errc{} || end != value.data() + value.size() || level < 0 || level > 5) {
      return notes_.error(at, in_quotes(value) + " is not a security level, which is 0 to 5");
    }
    wishes_.level = level;
    wishes_.level_at = at;
  }

  // @SECLEVEL in the list comes after securityLevel.
  void adopt_level(const OpensslText& text) {
    const auto level = evaluate_openssl_ciphers(text.value).security_level;
    if (!level) return;
    wishes_.level = *level;
    wishes_.level_at = text.setting;
  }

  // What is cleared with '-' anywhere is clear.
  void read_options() {
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      if (equal_ignoring_case(settings_[i].key, "options") &&
          !settings_[i].value.starts_with('-')) {
        set_option(i, settings_[i].value);
      }
    }
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      if (equal_ignoring_case(settings_[i].key, "options") && settings_[i].value.starts_with('-')) {
        clear_option(i, settings_[i].value.substr(1));
      }
    }
  }

  std::optional<OpensslEffect> known_option(std::size_t at, std::string_view name) {
    const auto effect = find_openssl_option(name);
    if (!effect) {
      const auto meant = guess_openssl_option(name);
      notes_.error(at, in_quotes(name) + " is not an option of OpenSSL",
                   meant.empty() ? "" : "did you mean \"" + std::string(meant) + "\"?");
    }
    return effect;
  }

  static std::optional<config::TlsVersion> version_of(OpensslEffect effect) {
    switch (effect) {
      case OpensslEffect::no_tls1_0:
        return config::TlsVersion::tls1_0;
      case OpensslEffect::no_tls1_1:
        return config::TlsVersion::tls1_1;
      case OpensslEffect::no_tls1_2:
        return config::TlsVersion::tls1_2;
      case OpensslEffect::no_tls1_3:
        return config::TlsVersion::tls1_3;
      default:
        return std::nullopt;
    }
  }

  void set_option(std::size_t at, std::string_view name) {
    const auto effect = known_option(at, name);
    if (!effect) return;
    if (const auto version = version_of(*effect)) {
      wishes_.versions_at = at;
      return wishes_.versions.switch_off(*version);
    }
    obey(at, name, *effect);
  }

  void clear_option(std::size_t at, std::string_view name) {
    const auto effect = known_option(at, name);
    if (!effect) return;
    if (const auto version = version_of(*effect)) return wishes_.versions.switch_on(*version);
    switch (*effect) {
      case OpensslEffect::no_tickets:
        wishes_.no_tickets = false;
        break;
      case OpensslEffect::always:
        notes_.notice(at, "-" + std::string(name) + " has no effect: " + printable(name) +
                              " always holds here");
        break;
      default:
        notes_.notice(at, "-" + printable(name) + " has no meaning here");
    }
  }

  void obey(std::size_t at, std::string_view name, OpensslEffect effect) {
    const std::string subject = printable(name, 60);
    switch (effect) {
      case OpensslEffect::no_tickets:
        wishes_.no_tickets = true;
        return notes_.notice(at, subject + " switches resumption off, which lives on tickets here");
      case OpensslEffect::always:
        return notes_.notice(at, subject + " always holds here");
      case OpensslEffect::never:
        return notes_.notice(at, subject + " is not done here: it would weaken the connection");
      case OpensslEffect::server:
        return notes_.notice(at, subject + " means something for servers only");
      default:
        return notes_.notice(
            at, subject + " has no meaning here: it is about OpenSSL and its workarounds");
    }
  }

  // `config = COMMAND:PARAMETER`.
  void read_commands() {
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      if (!equal_ignoring_case(settings_[i].key, "config")) continue;
      const std::string_view value = settings_[i].value;
      const auto colon = value.find(':');
      if (colon == std::string_view::npos) {
        notes_.error(i, "\"config\" needs a command and its parameter, COMMAND:PARAMETER");
        continue;
      }
      run_command(i, value.substr(0, colon), value.substr(colon + 1));
    }
  }

  void run_command(std::size_t at, std::string_view command, std::string_view parameter) {
    const auto is = [command](std::string_view name) { return equal_ignoring_case(command, name); };
    if (is("CipherString")) {
      wishes_.ciphers = OpensslText{at, parameter};
    } else if (is("Ciphersuites")) {
      wishes_.ciphersuites = OpensslText{at, parameter};
    } else if (is("MinProtocol")) {
      read_bound(at, parameter, Bound::min, "None");
    } else if (is("MaxProtocol")) {
      read_bound(at, parameter, Bound::max, "None");
    } else if (is("Protocol")) {
      read_protocols(at, parameter);
    } else if (is("Groups") || is("Curves")) {
      if (wishes_.curves &&
          !equal_ignoring_case(settings_[wishes_.curves->setting].key, "config")) {
        return notes_.notice(at, "\"curves\" holds against this command, in stunnel, too");
      }
      notes_.notice(at,
                    "stunnel puts its own list of curves in the place of this one; it holds here");
      wishes_.curves = OpensslText{at, parameter};
    } else if (is("Options")) {
      read_switches(at, parameter);
    } else {
      notes_.error(
          at, "the command " + in_quotes(command) + " has no counterpart here",
          "the commands with one are CipherString, Ciphersuites, MinProtocol, MaxProtocol, "
          "Protocol, Groups, Curves and Options");
    }
  }

  template <class Each>
  static void for_each_word(std::string_view list, const Each& each) {
    while (!list.empty()) {
      const auto end = std::min(list.find(','), list.size());
      if (end > 0) each(list.substr(0, end));
      list.remove_prefix(std::min(end + 1, list.size()));
    }
  }

  // "-TLSv1.3", "ALL,-TLSv1.1"; without a sign a version is switched on.
  void read_protocols(std::size_t at, std::string_view list) {
    wishes_.versions_at = at;
    for_each_word(list, [&](std::string_view word) {
      const bool off = word.starts_with('-');
      if (off || word.starts_with('+')) word.remove_prefix(1);
      if (equal_ignoring_case(word, "ALL")) {
        if (!off) return wishes_.versions.switch_all_on();
        for (const auto version : {config::TlsVersion::tls1_0, config::TlsVersion::tls1_1,
                                   config::TlsVersion::tls1_2, config::TlsVersion::tls1_3}) {
          wishes_.versions.switch_off(version);
        }
        return;
      }
      if (equal_ignoring_case(word, "SSLv2") || equal_ignoring_case(word, "SSLv3")) return;
      const auto version = find_openssl_version(word);
      if (!version) return notes_.error(at, in_quotes(word) + " is not a version of TLS");
      off ? wishes_.versions.switch_off(*version) : wishes_.versions.switch_on(*version);
    });
  }

  void read_switches(std::size_t at, std::string_view list) {
    for_each_word(list, [&](std::string_view word) {
      const auto effect = find_openssl_conf_option(word);
      if (!effect) {
        return notes_.error(at, in_quotes(word) + " is not an option of OpenSSL's command Options");
      }
      obey(at, word, *effect);
    });
  }

  std::span<const OpensslSetting> settings_;
  OpensslNotes& notes_;
  OpensslWishes wishes_;
};

}  // namespace

OpensslWishes read_openssl_wishes(std::span<const OpensslSetting> settings, OpensslNotes& notes) {
  return WishReader(settings, notes).run();
}

}  // namespace tunnel::import
