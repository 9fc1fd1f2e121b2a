// SPDX-License-Identifier: MIT
#include "import/stunnel_options.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace tunnel::import {
namespace {

using Given = StunnelGiven;
using Section = StunnelSection;
using Scope = StunnelOption::Scope;
using Fate = StunnelOption::Fate;
using Form = StunnelOption::Form;

template <auto Member>
void last(Section& section, const Given& given) {
  section.*Member = &given;
}

// An empty value takes back what was said before.
template <auto Member>
void last_unless_empty(Section& section, const Given& given) {
  section.*Member = given.value.empty() ? nullptr : &given;
}

template <auto Member>
void append(Section& section, const Given& given) {
  (section.*Member).push_back(&given);
}

void verify(Section& section, const Given& given) {
  const char level = given.value.empty() ? '0' : given.value.front();
  section.verify_chain = level >= '1' && level <= '3';
  section.verify_peer = level >= '3';
  section.verification = &given;
}

void verify_chain(Section& section, const Given& given) {
  section.verify_chain = is_yes(given.value);
  section.verification = &given;
}

void verify_peer(Section& section, const Given& given) {
  section.verify_peer = is_yes(given.value);
  section.verification = &given;
}

constexpr StunnelOption implemented(std::string_view name, void (*apply)(Section&, const Given&),
                                    std::string_view key, std::string_view why) {
  return {.name = name, .key = key, .why = why, .apply = apply};
}
constexpr StunnelOption ignored(std::string_view name, std::string_view why,
                                std::string_view harmless = {}) {
  return {.name = name, .fate = Fate::ignored, .harmless = harmless, .why = why};
}
constexpr StunnelOption refused(std::string_view name, std::string_view why,
                                std::string_view harmless = {}) {
  return {.name = name, .fate = Fate::refused, .harmless = harmless, .why = why};
}
constexpr StunnelOption global(StunnelOption option) {
  option.scope = Scope::global;
  return option;
}
constexpr StunnelOption of(Form form, StunnelOption option, std::string_view words = {}) {
  option.form = form;
  option.words = words;
  return option;
}

constexpr std::string_view kRandom = "the system's random numbers need no help";
constexpr std::string_view kScreen = "is for a window";
constexpr std::string_view kEngine =
    "GnuTLS has no engines; keys in hardware are named by a pkcs11: URI in cert and key";
constexpr std::string_view kOtherTickets = "is for servers, which make tickets; this is a client";
constexpr std::string_view kStapled =
    "no responder is asked: only the answer that the server itself sends with its certificate is "
    "checked";
constexpr std::string_view kResponder = "is for asking responders, and none is asked";

// Sorted by name, without regard to case.
constexpr auto kOptions = std::to_array<StunnelOption>({
    implemented("accept", append<&Section::accept>, "accept",
                "where plaintext clients connect; a port alone is every address of the machine"),
    refused("CAengine", kEngine),
    implemented("CAfile", last_unless_empty<&Section::ca_file>, "tls.ca",
                "trusted certificates; with verifyPeer, those that the server may have"),
    implemented("CApath", last_unless_empty<&Section::ca_path>, "tls.ca",
                "a folder of trusted certificates, whatever their names are; with verifyPeer, of "
                "those that the server may have"),
    refused("CAstore", "certificates are read from files; name a PEM file in CAfile"),
    implemented("cert", last_unless_empty<&Section::cert>, "tls.cert",
                "the client certificate: a PEM or PKCS#12 file, or a pkcs11: URI"),
    implemented("checkEmail", append<&Section::checks>, "tls.name",
                "an address that the certificate may carry; one match of any kind will do"),
    implemented("checkHost", append<&Section::checks>, "tls.name",
                "a name that the certificate may carry; one match of any kind will do"),
    implemented("checkIP", append<&Section::checks>, "tls.name",
                "an address that the certificate may carry; one match of any kind will do"),
    {.name = "chroot",
     .scope = Scope::global,
     .fate = Fate::ignored,
     .why =
         "no folder becomes the root; RootDirectory= of a systemd unit does that. The paths that "
         "stunnel takes inside of it are found there",
     .apply = last_unless_empty<&Section::chroot>},
    implemented("ciphers", append<&Section::openssl>, "tls.ciphers",
                "the suites up to TLS 1.2, in OpenSSL's words"),
    implemented("ciphersuites", append<&Section::openssl>, "tls.ciphers", "the suites of TLS 1.3"),
    of(Form::yes_no, implemented("client", last<&Section::client>, "client",
                                 "must be yes: this is a client tunnel")),
    global(ignored("compression", "TLS compression gives secrets away and is never offered")),
    implemented("config", append<&Section::openssl>, "tls.min_version",
                "OpenSSL's commands about versions, suites, groups and options"),
    implemented("connect", append<&Section::connect>, "connect",
                "the targets; their names are resolved again while the tunnel runs"),
    implemented("CRLfile", last_unless_empty<&Section::crl_file>, "tls.crl",
                "revocation lists, which must cover the server's certificate"),
    implemented("CRLpath", last_unless_empty<&Section::crl_path>, "tls.crl",
                "a folder of revocation lists, whatever their names are"),
    implemented("curve", append<&Section::openssl>, "tls.groups", "another name of curves"),
    implemented("curves", append<&Section::openssl>, "tls.groups",
                "the groups for the key exchange, in OpenSSL's words"),
    implemented("debug", last<&Section::debug>, "log_level",
                "0 to 3 are error, 4 is warning, 5 and 6 are info, 7 is debug; one level holds for "
                "all services, and syslog's facility is daemon"),
    of(Form::yes_no, implemented("delay", last<&Section::delay>, "balance",
                                 "names are always resolved while the tunnel runs; as there, it "
                                 "means failover = prio")),
    global(ignored("EGD", kRandom)),
    global(ignored("engine", kEngine)),
    global(ignored("engineCtrl", kEngine)),
    global(ignored("engineDefault", kEngine)),
    refused("engineId", kEngine),
    refused("engineNum", kEngine),
    implemented("exec", last<&Section::exec>, "exec",
                "with connect and without accept: a program whose standard input and output are "
                "the plaintext side"),
    implemented("execArgs", last<&Section::exec_args>, "exec_args",
                "its arguments, the first of which is its own name"),
    of(Form::words,
       implemented("failover", last<&Section::failover>, "balance",
                   "prio: the first target that works; rr: all addresses take turns"),
       "prio|rr"),
    global(of(Form::yes_no, refused("fips",
                                    "GnuTLS is in FIPS mode when the system says so, not when a "
                                    "program asks for it",
                                    "no"))),
    global(of(Form::words,
              implemented("foreground", last<&Section::foreground>, "foreground",
                          "yes, no, or quiet: yes without the log on standard error"),
              "yes|no|quiet")),
    global(ignored("iconActive", kScreen)),
    global(ignored("iconError", kScreen)),
    global(ignored("iconIdle", kScreen)),
    refused("ident",
            "nobody asks the local machine who its clients are; limit them with allow and "
            "unix_mode after tunnel convert"),
    implemented("include", nullptr, "include",
                "a folder whose files are read here, in the order of their names"),
    implemented("key", last_unless_empty<&Section::key>, "tls.key",
                "the private key, if it is not in cert"),
    of(Form::yes_no,
       refused("libwrap",
               "hosts.allow and hosts.deny are not read; after tunnel convert, allow = [...] "
               "limits who may connect",
               "no")),
    implemented("local", last_unless_empty<&Section::local>, "bind",
                "the source address of connections to targets"),
    global(of(Form::words, ignored("log", "the log file is always appended to", "append"),
              "append|overwrite")),
    ignored("logId", "connections are numbered, service by service", "sequential"),
    ignored("OCSP", kStapled),
    of(Form::yes_no, ignored("OCSPaia", kStapled, "no")),
    ignored("OCSPflag", kResponder),
    of(Form::yes_no, ignored("OCSPnonce", kResponder, "no")),
    of(Form::yes_no, ignored("OCSPrequire",
                             "a stapled answer that is not good fails the connection, and one that "
                             "is not there does not",
                             "yes")),
    implemented("options", append<&Section::openssl>, "tls.min_version",
                "OpenSSL's options: those about versions become min_version and max_version"),
    global(implemented(
        "output", last_unless_empty<&Section::output>, "log_file",
        "the log file; with foreground = yes, standard error, too; without it syslog, or "
        "standard error in the foreground")),
    global(implemented("pid", last_unless_empty<&Section::pid>, "pid_file",
                       "the file with the process id")),
    implemented("protocol", last<&Section::protocol>, "starttls",
                "smtp, pop3, imap, nntp, ldap and pgsql become starttls, connect becomes proxy; "
                "socks, cifs, proxy, capwin and capwinctrl are refused"),
    implemented("protocolAuthentication", last<&Section::protocol_authentication>, "smtp_login",
                "plain or login for smtp, basic for connect; ntlm is refused"),
    ignored("protocolDomain", "is for NTLM, which is refused"),
    implemented("protocolHeader", append<&Section::protocol_header>, "proxy_headers",
                "a line that is added to CONNECT"),
    implemented("protocolHost", last_unless_empty<&Section::protocol_host>, "connect",
                "with protocol = connect the target behind the proxy, with smtp the name in EHLO"),
    implemented("protocolPassword", last<&Section::protocol_password>, "proxy",
                "the password for the proxy or for SMTP AUTH; both are needed"),
    implemented("protocolUsername", last<&Section::protocol_username>, "proxy",
                "the user for the proxy or for SMTP AUTH; both are needed"),
    global(ignored("provider",
                   "OpenSSL is not used; a token is found by the pkcs11: URI in cert and key")),
    global(ignored("providerParameter",
                   "OpenSSL is not used; a token is found by the pkcs11: URI in cert and key")),
    implemented("PSKidentity", last_unless_empty<&Section::psk_identity>, "tls.psk_identity",
                "which of the pre-shared keys to use"),
    implemented("PSKsecrets", last_unless_empty<&Section::psk_secrets>, "tls.psk_file",
                "the file of pre-shared keys; without verifyChain or verifyPeer no certificate is "
                "accepted instead"),
    of(Form::yes_no, refused("pty",
                             "programs are run with pipes, not with a terminal; script(1) gives "
                             "them one",
                             "no")),
    refused("redirect", "is for servers; a list of targets in connect is tried until one works"),
    of(Form::yes_no, ignored("renegotiation", "is never offered, and no client needs it", "no")),
    of(Form::yes_no, ignored("requireCert", "is for servers, which may require one of clients")),
    of(Form::yes_no,
       ignored("reset", "what went wrong is always passed on as a reset, never as an orderly end",
               "yes")),
    implemented("retry", last<&Section::retry>, "retry",
                "exec is run again; yes is after a second, a number is milliseconds"),
    global(ignored("RNDbytes", kRandom)),
    global(ignored("RNDfile", kRandom)),
    global(of(Form::yes_no, ignored("RNDoverwrite", kRandom))),
    implemented("securityLevel", append<&Section::openssl>, "tls.min_strength",
                "how strong keys, signatures and suites must be"),
    implemented("service", last<&Section::service>, "",
                "in a section its name; before the first one it has no effect, and syslog's lines "
                "are from \"tunnel\""),
    ignored("session", "session tickets are used within the life that the server gives them"),
    ignored("sessionCacheSize", "is for servers; a few tickets are kept for each target"),
    ignored("sessionCacheTimeout",
            "session tickets are used within the life that the server gives them"),
    ignored("sessiond", "is for servers that share their sessions"),
    of(Form::yes_no, implemented("sessionResume", last<&Section::session_resume>, "tls.resumption",
                                 "whether session tickets are kept")),
    global(ignored("setEnv",
                   "no variable is set; Environment= of a systemd unit, or env(1) in front of the "
                   "program, does that")),
    implemented("setgid", last<&Section::setgid>, "group",
                "the group of the process; in a section, of the unix socket in accept"),
    implemented("setuid", last<&Section::setuid>, "user",
                "the user of the process; in a section, of the unix socket in accept"),
    implemented("sni", last<&Section::sni>, "tls.sni",
                "the name in the handshake; default the host of the first target"),
    implemented("socket", append<&Section::socket>, "socket_options",
                "a: becomes listen, l: client, r: target"),
    implemented("sslVersion", append<&Section::openssl>, "tls.min_version",
                "min_version and max_version"),
    implemented("sslVersionMax", append<&Section::openssl>, "tls.max_version",
                "the newest version"),
    implemented("sslVersionMin", append<&Section::openssl>, "tls.min_version",
                "the oldest version; default TLS 1.2"),
    ignored("stack", "connections have no threads of their own"),
    global(of(Form::yes_no, implemented("syslog", last<&Section::syslog>, "log_file",
                                        "no: where there is no other log, nothing is logged"))),
    global(ignored("taskbar", kScreen)),
    ignored("ticketKeySecret", kOtherTickets),
    ignored("ticketMacSecret", kOtherTickets),
    of(Form::number, implemented("TIMEOUTbusy", last<&Section::timeout_busy>, "timeouts.handshake",
                                 "all of what is said before TLS, and the handshake; 300 s")),
    of(Form::number,
       implemented("TIMEOUTclose", last<&Section::timeout_close>, "timeouts.half_close",
                   "silence after one side has ended; 60 s, and at least one")),
    of(Form::number, implemented("TIMEOUTconnect", last<&Section::timeout_connect>,
                                 "timeouts.connect", "a TCP connection, for each address; 10 s")),
    of(Form::number, implemented("TIMEOUTidle", last<&Section::timeout_idle>, "timeouts.idle",
                                 "silence on an open connection; 43200 s")),
    of(Form::number, ignored("TIMEOUTocsp", kResponder)),
    of(Form::words,
       refused("transparent",
               "clients' addresses are not taken over; send_proxy tells them to the target after "
               "tunnel convert",
               "no|none"),
       "no|none|yes|source|destination|both"),
    of(Form::words,
       implemented("verify", verify, "tls.verify",
                   "0 is none, 1 and 2 are verifyChain, 3 is verifyChain and "
                   "verifyPeer, 4 is verifyPeer"),
       "0|1|2|3|4"),
    of(Form::yes_no, implemented("verifyChain", verify_chain, "tls.verify",
                                 "the chain is checked against CAfile and CApath; with checkHost, "
                                 "checkIP or checkEmail the name, too")),
    of(Form::yes_no, implemented("verifyPeer", verify_peer, "tls.peer_certs",
                                 "the server's subject and public key must be those of a "
                                 "certificate in CAfile or CApath")),
});

constexpr bool comes_before(std::string_view a, std::string_view b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return lower(x) < lower(y); });
}

constexpr bool by_name(const StunnelOption& a, const StunnelOption& b) {
  return comes_before(a.name, b.name);
}
static_assert(std::is_sorted(kOptions.begin(), kOptions.end(), by_name));

}  // namespace

std::span<const StunnelOption> stunnel_options() { return kOptions; }

const StunnelOption* find_stunnel_option(std::string_view name) {
  const auto found = std::lower_bound(
      kOptions.begin(), kOptions.end(), name,
      [](const StunnelOption& option, std::string_view n) { return comes_before(option.name, n); });
  return found != kOptions.end() && equal_ignoring_case(found->name, name) ? &*found : nullptr;
}

bool is_one_of(std::string_view value, std::string_view words) {
  while (!words.empty()) {
    const std::size_t bar = std::min(words.find('|'), words.size());
    if (equal_ignoring_case(value, words.substr(0, bar))) return true;
    words.remove_prefix(std::min(bar + 1, words.size()));
  }
  return false;
}

std::optional<std::string> stunnel_form_error(const StunnelOption& option, std::string_view value) {
  const std::string start = std::string(option.name) + " is ";
  switch (option.form) {
    case Form::text:
      return std::nullopt;
    case Form::yes_no:
      if (is_one_of(value, "yes|no")) return std::nullopt;
      return start + "yes or no";
    case Form::words: {
      if (is_one_of(value, option.words)) return std::nullopt;
      std::string words(option.words);
      for (std::size_t bar = words.find('|'); bar != std::string::npos; bar = words.find('|')) {
        words.replace(bar, 1, words.find('|', bar + 1) == std::string::npos ? " or " : ", ");
      }
      return start + words;
    }
    case Form::number: {
      int number = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      const bool is_whole = error == std::errc() && end == value.data() + value.size();
      if (is_whole && number >= 0) return std::nullopt;
      return start + "a whole number of seconds";
    }
  }
  return std::nullopt;
}

}  // namespace tunnel::import
