// SPDX-License-Identifier: MIT
// The option table: keys of a service.
#include <array>

#include "config/codec_service.h"
#include "config/row.h"

namespace tunnel::config {

template <>
struct Words<Balance> {
  static constexpr auto kWords = std::to_array<Word>({
      {"round-robin", static_cast<int>(Balance::round_robin)},
      {"least-connections", static_cast<int>(Balance::least_connections)},
      {"random", static_cast<int>(Balance::random)},
      {"hash", static_cast<int>(Balance::hash)},
      {"first", static_cast<int>(Balance::first)},
      // HAProxy's and nginx's.
      {"leastconn", static_cast<int>(Balance::least_connections), Availability::elsewhere},
      {"least_conn", static_cast<int>(Balance::least_connections), Availability::elsewhere},
      {"source", static_cast<int>(Balance::hash), Availability::elsewhere},
      {"ip_hash", static_cast<int>(Balance::hash), Availability::elsewhere},
      {"rr", static_cast<int>(Balance::round_robin), Availability::elsewhere},
      {"prio", static_cast<int>(Balance::first), Availability::elsewhere},
      {"failover", static_cast<int>(Balance::first), Availability::elsewhere},
  });
};

template <>
struct Words<OnTruncation> {
  static constexpr auto kWords = std::to_array<Word>({
      {"reset", static_cast<int>(OnTruncation::reset)},
      {"eof", static_cast<int>(OnTruncation::eof)},
  });
};

template <>
struct Words<OnRemoved> {
  static constexpr auto kWords = std::to_array<Word>({
      {"keep", static_cast<int>(OnRemoved::keep)},
      {"close-idle", static_cast<int>(OnRemoved::close_idle)},
      {"close", static_cast<int>(OnRemoved::close)},
  });
};

template <>
struct Words<BalanceBack> {
  static constexpr auto kWords = std::to_array<Word>({
      {"keep", static_cast<int>(BalanceBack::keep)},
      {"close-idle", static_cast<int>(BalanceBack::close_idle)},
  });
};

template <>
struct Words<Starttls> {
  static constexpr auto kWords = std::to_array<Word>({
      {"ldap", static_cast<int>(Starttls::ldap)},
      {"smtp", static_cast<int>(Starttls::smtp)},
      {"lmtp", static_cast<int>(Starttls::lmtp)},
      {"imap", static_cast<int>(Starttls::imap)},
      {"pop3", static_cast<int>(Starttls::pop3)},
      {"nntp", static_cast<int>(Starttls::nntp)},
      {"pgsql", static_cast<int>(Starttls::pgsql)},
      {"mysql", static_cast<int>(Starttls::mysql)},
      {"ftp", static_cast<int>(Starttls::ftp)},
      {"xmpp", static_cast<int>(Starttls::xmpp)},
      {"sieve", static_cast<int>(Starttls::sieve)},
      {"postgres", static_cast<int>(Starttls::pgsql), Availability::elsewhere},
      {"postgresql", static_cast<int>(Starttls::pgsql), Availability::elsewhere},
      {"mariadb", static_cast<int>(Starttls::mysql), Availability::elsewhere},
      {"managesieve", static_cast<int>(Starttls::sieve), Availability::elsewhere},
  });
};

template <>
struct Words<SendProxy> {
  static constexpr auto kWords = std::to_array<Word>({
      {"v1", static_cast<int>(SendProxy::v1)},
      {"v2", static_cast<int>(SendProxy::v2)},
      {"true", static_cast<int>(SendProxy::v1), Availability::elsewhere},
      {"1", static_cast<int>(SendProxy::v1), Availability::elsewhere},
      {"2", static_cast<int>(SendProxy::v2), Availability::elsewhere},
  });
};

namespace {

constexpr auto kServiceRows = std::to_array<Row<Service>>({
    row<Type::accept, &Service::accept>(
        {.key = "accept",
         .stunnel = "accept",
         .help = "Where plaintext clients connect; an array for several places. "
                 "\"127.0.0.1:389\", \"[::1]:389\", a name with a port, a port alone "
                 "(loopback, both families), \"*:389\" (all addresses), or the path of a unix "
                 "socket, which has a slash in it. Port 0 takes a free port, which is logged. "
                 "\"stdio\" is one connection on standard input and output, as under inetd or "
                 "ssh's ProxyCommand. \"fd:NAME\" takes the sockets that systemd passes under "
                 "that name."}),
    row<Type::boolean, &Service::allow_remote>(
        {.key = "allow_remote",
         .standard = "false",
         .help = "Lets `accept` name an address that other machines can reach. Without it such "
                 "an address is an error: what clients send to it is plaintext."}),
    row<Type::ranges, &Service::allow>(
        {.key = "allow",
         .help = "Who may connect over TCP, as address ranges: [\"127.0.0.0/8\", \"10.1.0.0/16\"]. "
                 "The default is everyone who can reach the address."}),
    row<Type::unix_mode, &Service::unix_mode>(
        {.key = "unix_mode",
         .standard = "\"0600\"",
         .help = "The mode of the unix sockets in `accept`, which they have from the moment "
                 "they are made."}),
    row<Type::unix_owner, &Service::unix_owner>(
        {.key = "unix_owner",
         .help = "The owner of the unix sockets in `accept`: \"user\", \"user:group\" or "
                 "\":group\". The default is the process's user."}),
    row<Type::connect, &Service::connect>(
        {.key = "connect",
         .stunnel = "connect",
         .help =
             "The target: \"ldap.example.com:636\", a unix socket, or \"srv:NAME\". An array is "
             "a group of targets that share the load; an array of arrays is groups, of which "
             "the next serves only when those before it cannot."}),
    row<Type::choice, &Service::balance>(
        {.key = "balance",
         .standard = "\"round-robin\"",
         .help = "How a target is chosen within a group. \"random\" takes the better of two, "
                 "\"hash\" keeps a client address with its target, \"first\" takes the first that "
                 "works."}),
    row<Type::choice, &Service::balance_back>(
        {.key = "balance_back",
         .standard = "\"keep\"",
         .help =
             "What becomes of connections on later groups when an earlier one is usable again. "
             "\"keep\" leaves them; \"close-idle\" ends each as soon as it is idle, so that its "
             "client comes back to the earlier group."}),
    {{.key = "client",
      .stunnel = "client",
      .standard = "true",
      .help = "Accepted for those who come from stunnel. `false` is an error: this is a client "
              "tunnel.",
      .type = Type::boolean},
     read_client,
     print_client},
    row<Type::table_or_false, &Service::tls>(
        {.key = "tls",
         .help = "How TLS is spoken to the targets; see the keys under tls. `false` relays plain "
                 "TCP: the service is then a load balancer only."}),
    row<Type::source_address, &Service::bind>(
        {.key = "bind", .stunnel = "local", .help = "The source address of outgoing connections."}),
    row<Type::integer, &Service::max_connections>(
        {.key = "max_connections",
         .help = "Connections that the service has at a time. Beyond it they wait in the kernel's "
                 "backlog, unaccepted.",
         .min = 1}),
    row<Type::integer, &Service::max_tries>(
        {.key = "max_tries",
         .help = "How many targets are dialled for one connection before its client is reset. The "
                 "default is all of them, until timeouts.dial.",
         .min = 1}),
    row<Type::integer, &Service::preconnect>(
        {.key = "preconnect",
         .standard = "0",
         .help =
             "How many connections are kept established for clients to come. Each serves one at "
             "once, and is replaced; the number is for all workers together. Not with "
             "send_proxy, starttls = \"mysql\" or balance = \"hash\", which need the client "
             "first.",
         .max = 4096}),
    row<Type::duration, &Service::preconnect_age>(
        {.key = "preconnect_age",
         .standard = "\"30s\"",
         .help = "How old a connection of `preconnect` grows before it is replaced. It should "
                 "be shorter than what the server allows a silent client.",
         .min = 100,
         .max = kDay}),
    row<Type::boolean, &Service::defer_accept>(
        {.key = "defer_accept",
         .standard = "false",
         .help = "Accept a connection when the client's first bytes are there (TCP_DEFER_ACCEPT). "
                 "That saves a wake-up, where the client speaks first; one that says nothing is "
                 "accepted a second or more later."}),
    row<Type::boolean, &Service::fast_open>(
        {.key = "fast_open",
         .standard = "false",
         .help = "Send the first bytes with the SYN to a target that allows it (RFC 7413). That "
                 "saves a round trip, where the tunnel speaks first and the target has one "
                 "address (TCP_FASTOPEN_CONNECT)."}),
    row<Type::table, &Service::timeouts>(
        {.key = "timeouts", .help = "How long each phase may take; see the keys under timeouts."}),
    row<Type::table_or_false, &Service::keepalive>(
        {.key = "keepalive",
         .help = "TCP keepalive on both sides; see the keys under keepalive. `false` switches it "
                 "off."}),
    row<Type::choice, &Service::on_truncation>(
        {.key = "on_truncation",
         .standard = "\"reset\"",
         .help = "What the client sees when the server closes its connection without TLS's "
                 "close_notify. \"reset\", because the answer may have been cut off by an "
                 "attacker, or \"eof\", like an orderly end."}),
    row<Type::choice, &Service::on_removed>(
        {.key = "on_removed",
         .standard = "\"keep\"",
         .help = "What a reload that removes a target, or this service, does with its open "
                 "connections. \"keep\" lets them finish, \"close-idle\" ends each as soon as it "
                 "is idle, \"close\" resets them. The value that counts is the one in force before "
                 "the reload."}),
    row<Type::table, &Service::health>(
        {.key = "health",
         .help = "How failing targets are avoided and checked; see the keys under health."}),
    row<Type::table, &Service::capture>(
        {.key = "capture",
         .help = "Writes the traffic to files for Wireshark; see the keys under capture. `tunnel "
                 "capture` does the same live, without a change of the configuration."}),
    row<Type::choice, &Service::starttls>(
        {.key = "starttls",
         .stunnel = "protocol",
         .help = "The conversation in plaintext that comes before TLS. For servers that begin "
                 "in plaintext on the port and upgrade."}),
    row<Type::text, &Service::helo>(
        {.key = "helo",
         .stunnel = "protocolHost",
         .standard = "\"localhost\"",
         .help = "The name by which EHLO introduces the tunnel, with `starttls` for smtp, and LHLO "
                 "for lmtp."}),
    row<Type::table, &Service::smtp_login>(
        {.key = "smtp_login",
         .help = "A login that the tunnel makes for its clients at a mail server. It is made "
                 "inside TLS, before the client's first command (RFC 4954). Every client can "
                 "use the account; see the keys under smtp_login, and `starttls`."}),
    row<Type::proxy, &Service::proxies>(
        {.key = "proxy",
         .help =
             "How targets are reached. \"http://[user:password@]host:port\" (CONNECT) or "
             "\"socks5://[user:password@]host:port\". The proxy resolves the targets' names. Of "
             "several, the first that works serves."}),
    {{.key = "proxy_headers",
      .stunnel = "protocolHeader",
      .help = "Lines that are added to the CONNECT request of an http proxy, such as "
              "[\"User-Agent: tunnel\"].",
      .type = Type::texts},
     read_proxy_headers,
     print_proxy_headers},
    row<Type::choice, &Service::send_proxy>(
        {.key = "send_proxy",
         .help = "Sends a PROXY protocol header with the client's address to the target, before "
                 "TLS. \"v1\" is text, \"v2\" is binary."}),
    row<Type::program, &Service::exec>(
        {.key = "exec",
         .stunnel = "exec",
         .help = "Instead of `accept`: a program whose standard input and output are the "
                 "plaintext side. It is run once at the start; see `retry`."}),
    {{.key = "exec_args",
      .help = "The arguments of `exec`, without the program's own name.",
      .type = Type::texts},
     read_exec_args,
     print_exec_args},
    row<Type::text, &Service::exec_name>(
        {.key = "exec_name",
         .help = "The name by which `exec` is called, its argument 0. The default is its path."}),
    row<Type::timeout, &Service::retry>(
        {.key = "retry",
         .stunnel = "retry",
         .standard = "\"off\"",
         .help = "Runs `exec` again, this long after the program and its connection have ended.",
         .min = 1}),
    row<Type::table, &Service::socket_options>(
        {.key = "socket_options",
         .stunnel = "socket",
         .help = "Options of sockets, by the names of setsockopt(2); see the keys under "
                 "socket_options."}),
    {{.key = "capture", .availability = Availability::later}},
});

}  // namespace

template <>
std::span<const Row<Service>> rows<Service>() {
  return kServiceRows;
}

}  // namespace tunnel::config
