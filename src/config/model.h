// SPDX-License-Identifier: MIT
// The typed configuration: plain structs with the defaults inline, produced by the front ends
// (TOML, stunnel.conf) and read by everybody else. Values only, immutable once built, any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "log/level.h"

namespace tunnel::config {

using std::chrono::minutes;
using std::chrono::seconds;

// A timeout; nullopt is "off".
using Timeout = std::optional<Millis>;

// One place to listen at, already expanded: "389" becomes two of these.
struct Accept {
  enum class Form { tcp, unix_socket, stdio, passed };
  Form form = Form::tcp;
  // tcp and unix_socket; empty for stdio, for a name under System::leave_alone, and for a socket
  // that the service manager passes, until it is looked at
  SocketAddress address;
  // Of the optional addresses that one entry was expanded to ("*:389", "389", a name), one that the
  // machine does not have is no error, but at least one of the same `entry` must be bound.
  bool optional = false;
  int entry = 0;     // which element of `accept` this is part of
  std::string text;  // as written, paths made absolute
  // passed: the name that follows "fd:".
  [[nodiscard]] std::string passed_name() const { return text.substr(3); }
  friend bool operator==(const Accept&, const Accept&) = default;
};

// One entry of `connect`.
struct Target {
  enum class Form { ip, name, unix_socket, srv };
  Form form = Form::name;
  std::string host;        // name, IP address without brackets, socket path, or SRV owner name
  std::uint16_t port = 0;  // ip and name
  std::string text;        // as written, paths made absolute: what logs call this target
  std::string name;        // the name its certificate must carry, instead of tls.name; may be empty
  int weight = 1;          // 0 drains
  std::optional<std::uint32_t> max_connections;
  bool expand = false;  // every address of the name is a target of its own
  friend bool operator==(const Target&, const Target&) = default;
};

// Groups in order of preference; targets of one group share the load.
using TargetGroups = std::vector<std::vector<Target>>;

enum class Balance { round_robin, least_connections, random, hash, first };

// The plaintext conversation before TLS (the `starttls` key).
enum class Starttls {
  none,
  ldap,
  smtp,
  lmtp,
  imap,
  pop3,
  nntp,
  pgsql,
  mysql,
  ftp,
  xmpp,
  sieve,
};

// A proxy that targets are reached through; it resolves their names.
struct Proxy {
  enum class Form { http, socks5 };
  Form form = Form::http;
  std::string host;  // name or IP address without brackets
  std::uint16_t port = 0;
  std::string user, password;        // user empty: no login
  std::vector<std::string> headers;  // `proxy_headers`: whole lines added to CONNECT
  friend bool operator==(const Proxy&, const Proxy&) = default;
};

enum class SendProxy { none, v1, v2 };

// A login that the tunnel makes inside TLS before the client is served (stunnel's protocolUsername
// with protocol = smtp).
struct SmtpLogin {
  enum class Method { plain, login };
  Method method = Method::plain;
  std::string user, password;
  friend bool operator==(const SmtpLogin&, const SmtpLogin&) = default;
};

enum class Verify { full, chain, pin, none };
enum class OcspMode { soft, require, off };
enum class TlsVersion { tls1_0, tls1_1, tls1_2, tls1_3 };
// Of whatever has keys: cipher suites, groups, certificates.
enum class MinStrength { bits112, bits128, bits192, bits256 };

struct Tls {
  Verify verify = Verify::full;
  std::vector<std::string> ca;  // empty: the system's trust store
  std::vector<std::string> peer_certs;
  std::vector<std::string> crl;
  OcspMode ocsp = OcspMode::soft;
  std::vector<std::string> name;   // empty: the target's host. DNS, IP, "email:...", "uri:..."
  std::optional<std::string> sni;  // nullopt: the first name that is no IP address; "": none
  std::vector<std::string> pin;    // "sha256:<hex or base64>", checked by the front end
  std::string cert, key;           // path or pkcs11: URI
  std::string key_password_file;
  std::string psk_identity, psk_file;
  TlsVersion min_version = TlsVersion::tls1_2;
  TlsVersion max_version = TlsVersion::tls1_3;
  MinStrength min_strength = MinStrength::bits112;
  std::vector<std::string> ciphers;  // IANA names; empty: the default
  std::vector<std::string> groups;
  std::string priority;  // a whole GnuTLS priority string; excludes the five keys above
  std::vector<std::string> alpn;
  bool resumption = true;
  bool allow_key_usage_violation = false;
  std::string keylog;
  friend bool operator==(const Tls&, const Tls&) = default;
};

struct Timeouts {
  Timeout resolve = seconds(5);
  Timeout connect = seconds(5);  // per address
  Timeout handshake = seconds(10);
  Timeout dial = seconds(30);  // all targets together
  Timeout idle;
  Timeout half_close = minutes(5);
  friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

struct Keepalive {
  bool enabled = true;
  Millis idle = seconds(60);
  Millis interval = seconds(10);
  int count = 6;
  friend bool operator==(const Keepalive&, const Keepalive&) = default;
};

enum class OnTruncation { reset, eof };

// What becomes of the open connections of a target that its checks have found dead.
enum class OnEjected { keep, close_idle, close };
// What becomes of connections on later groups when an earlier one is usable again.
enum class BalanceBack { keep, close_idle };

// What becomes of the open connections of a target or service that a reload removes.
enum class OnRemoved { keep, close_idle, close };

enum class Check { none, tcp, tls, ldap, smtp, imap, pop3, pgsql, mysql, redis };

struct Health {
  Millis eject_time = seconds(5);
  Millis eject_max = seconds(60);
  Check check = Check::none;
  std::string user, database;  // of a check's start-up; empty: none is made
  Millis interval = seconds(5);
  Millis timeout = seconds(3);
  int fall = 3;
  int rise = 2;
  OnEjected on_ejected = OnEjected::keep;
  std::optional<Tls> tls;  // how checks of a `tls = false` service speak TLS
  friend bool operator==(const Health&, const Health&) = default;
};

// An option of a socket, as setsockopt(2) takes it.
struct SocketOption {
  std::string name;   // "SO_SNDBUF"
  std::string text;   // the value as it is written in TOML
  std::string value;  // the bytes
  int level = 0;
  int number = 0;
  friend bool operator==(const SocketOption&, const SocketOption&) = default;
};

struct SocketOptions {
  std::vector<SocketOption> listen;  // set before the address is bound
  std::vector<SocketOption> client;  // on each accepted connection
  std::vector<SocketOption> target;  // before a connection to a target begins
  friend bool operator==(const SocketOptions&, const SocketOptions&) = default;
};

struct UnixOwner {
  std::optional<std::uint32_t> uid, gid;
  friend bool operator==(const UnixOwner&, const UnixOwner&) = default;
};

// What a capture writes down: what the application sees, or what goes over the network, with the
// keys to decrypt it.
enum class CaptureLayer { plain, wire };

struct Capture {
  std::string file;  // stands for a ring of files
  CaptureLayer layer = CaptureLayer::plain;
  std::vector<Cidr> clients;              // empty: all
  std::optional<std::uint64_t> snaplen;   // octets of each segment; nullopt: all
  std::uint64_t max_size = 64ULL << 20U;  // of one file
  std::uint32_t files = 4;
  Timeout duration;                   // from its start; nullopt: as long as the process
  std::optional<std::uint16_t> port;  // of the target in layer "plain"
  friend bool operator==(const Capture&, const Capture&) = default;
};

struct Service {
  std::string name;
  std::vector<Accept> accept;
  bool allow_remote = false;
  std::vector<Cidr> allow;  // empty: everyone
  std::uint32_t unix_mode = 0600;
  UnixOwner unix_owner;
  std::string exec;                    // instead of `accept`: a program's path
  std::string exec_name;               // its argument 0; empty: the path
  std::vector<std::string> exec_args;  // its other arguments
  Timeout retry;                       // until it is run again; nullopt: once only
  TargetGroups connect;
  Balance balance = Balance::round_robin;
  BalanceBack balance_back = BalanceBack::keep;
  std::optional<Tls> tls = Tls{};  // nullopt: `tls = false`
  Starttls starttls = Starttls::none;
  std::string helo = "localhost";       // how EHLO and LHLO introduce us (stunnel's protocolHost)
  std::optional<SmtpLogin> smtp_login;  // only with starttls = smtp
  std::vector<Proxy> proxies;           // in the order to try; empty: none
  SendProxy send_proxy = SendProxy::none;
  std::optional<SocketAddress> bind;  // port 0
  std::optional<std::uint32_t> max_connections;
  std::optional<std::uint32_t> max_tries;  // targets for one connection
  std::uint32_t preconnect = 0;            // established before there is a client
  Millis preconnect_age = seconds(30);     // after which such a connection is replaced
  bool defer_accept = false;               // TCP_DEFER_ACCEPT: accepted when it has said something
  bool fast_open = false;                  // TCP_FASTOPEN_CONNECT towards targets
  Timeouts timeouts;
  Keepalive keepalive;
  SocketOptions socket_options;
  OnTruncation on_truncation = OnTruncation::reset;
  OnRemoved on_removed = OnRemoved::keep;
  Health health;
  std::optional<Capture> capture;
  friend bool operator==(const Service&, const Service&) = default;
};

enum class LogFormat { text, json };

enum class Captures { allowed, never };

// How much of the process's own sandbox there has to be.
enum class Sandbox { automatic, require, off };

struct Global {
  bool foreground = false;
  log::Level log_level = log::Level::info;
  // Empty: stderr in the foreground, else "syslog". Two entries are a file and "stderr".
  std::vector<std::string> log_file;
  LogFormat log_format = LogFormat::text;
  std::string pid_file;
  std::optional<unsigned> workers;         // nullopt: "auto"
  std::vector<SocketAddress> dns_servers;  // empty: resolv.conf; port 53 unless given
  Millis dns_min_ttl = seconds(1);
  Millis dns_max_stale = std::chrono::hours(1);
  std::string user, group;  // as written; process::find_identity knows who that is
  Timeout shutdown_timeout = seconds(30);
  std::string control;         // path of the control socket; "off"; empty: the default place
  std::vector<Accept> status;  // where status, metrics and health are served over HTTP; no stdio
  bool status_allow_remote = false;
  std::vector<std::string> status_hosts;  // names that a Host header may carry
  Captures capture = Captures::allowed;
  Timeout certificate_poll = seconds(30);  // nullopt: changed files wait for a reload
  Sandbox sandbox = Sandbox::automatic;
  friend bool operator==(const Global&, const Global&) = default;
};

struct Config {
  Global global;
  std::vector<Service> services;  // in the order of the file
  std::string path;               // the file it came from
  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace tunnel::config
