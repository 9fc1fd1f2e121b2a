// SPDX-License-Identifier: MIT
#include "cli/glossary.h"

#include <array>

namespace tunnel::cli {
namespace {

constexpr auto kKinds = std::to_array<Term>({
    {"ok", "The connection ended in order: each side said that it was done."},
    {"resolve_failed",
     "The target's name could not be resolved. Ask for it yourself (getent ahosts NAME); "
     "`dns_servers` names other servers to ask."},
    {"connect_refused",
     "The target's machine answered, and nothing listens at that port. Check the port, and whether "
     "the server runs."},
    {"connect_timeout",
     "The target did not answer within timeouts.connect, or the dial as a whole took longer than "
     "timeouts.dial. A firewall that drops packets looks like this."},
    {"unreachable",
     "There is no route to the target from this machine: `ip route get ADDRESS` shows what the "
     "system thinks. `bind` may have chosen an address that cannot reach it."},
    {"proxy_refused",
     "The proxy did not let the connection through. Its answer is in the message: a login that is "
     "missing, a rule, or a target that it cannot reach itself."},
    {"starttls_refused",
     "The server would not begin TLS when it was asked to. Check that `starttls` names its "
     "protocol "
     "and that TLS is enabled at the server."},
    {"not_tls",
     "Something other than TLS answered; the message says what it looks like. Either the port is "
     "the plaintext one, or the server wants `starttls`."},
    {"tls_timeout",
     "The handshake, with all that is said before it, took longer than timeouts.handshake: a "
     "server "
     "that is overloaded, or that waits for something else than TLS."},
    {"tls_alert",
     "The server ended the handshake with an alert, which the message names. Its own log says "
     "more."},
    {"tls_failed", "The handshake failed in another way, which the message describes."},
    {"cert_untrusted",
     "No trusted authority has issued the server's certificate. Put the certificate of the "
     "authority that did into tls.ca; a server that does not send its intermediate certificates "
     "has to be mended."},
    {"cert_expired",
     "A certificate of the server's is past its end. Renew it there, or check this machine's "
     "clock."},
    {"cert_not_yet_valid",
     "A certificate of the server's begins in the future. This machine's clock may be slow."},
    {"cert_name_mismatch",
     "The certificate is for other names than the one expected. If that is the server you mean, "
     "set "
     "tls.name to a name that the certificate has."},
    {"cert_revoked", "A certificate of the server's was revoked by its issuer."},
    {"crl_unusable",
     "No current revocation list in tls.crl covers the server's certificate: it is missing, "
     "expired, or from another issuer. Fetch a new one."},
    {"pin_mismatch",
     "The server's key is none of those in tls.pin or tls.peer_certs. It may have been renewed, or "
     "this is another server."},
    {"client_cert_rejected",
     "The server did not accept our certificate, or wanted one and was shown none. Set tls.cert "
     "and "
     "tls.key to one that its authorities have issued."},
    {"tls_version",
     "There is no version of TLS that both sides speak. tls.min_version allows older ones, at a "
     "risk."},
    {"tls_closed",
     "The server closed or reset the connection during the handshake without a word. Usual causes: "
     "it wants another name (tls.sni), a client certificate (tls.cert), or the port is not for "
     "TLS."},
    {"ocsp_failed",
     "The server stapled no valid answer about the revocation of its certificate, and tls.ocsp "
     "asks "
     "for one; or the answer was bad."},
    {"cert_weak",
     "A key or a signature in the server's chain is weaker than tls.min_strength allows, or a key "
     "is so long that it would hold up all other connections."},
    {"cert_key_usage",
     "The key usage in the server's certificate does not fit the key exchange. Have it issued anew "
     "with digitalSignature, or set tls.allow_key_usage_violation."},
    {"truncated",
     "The server closed the connection without TLS's goodbye (close_notify), so bytes may be "
     "missing at the end. on_truncation says what the client is shown."},
    {"reset_by_client", "The client reset the connection, or left before it was made."},
    {"reset_by_server", "The server reset the connection."},
    {"idle_timeout", "No byte moved for timeouts.idle."},
    {"half_close_timeout", "One side had ended, and the other was silent for timeouts.half_close."},
    {"connection_lost",
     "A machine, or the way to it, is gone: keepalive probes were not answered, the system gave "
     "up, "
     "or health checks found the target dead (health.on_ejected)."},
    {"client_denied", "`allow` does not name the client's address."},
    {"stopped", "The process was told to stop, and reset what was left."},
    {"no_target",
     "Every target was at its max_connections until timeouts.dial was over, or there is none."},
    {"check_failed",
     "An active check (health.check) got an answer that no healthy server gives. Only in `ejected` "
     "lines."},
    {"closed_by_operator",
     "An operator ended the connection with `tunnel close`, or moved it off its target with "
     "`tunnel target ... kick`."},
});

constexpr auto kEvents = std::to_array<Term>({
    {"ready", "Every address is bound and every file loaded: clients are served from now on."},
    {"listening", "One address that is listened at, with its real port in `address`."},
    {"connected", "A target was established for a client. Logged at debug."},
    {"closed",
     "A connection has ended; one line for each, with its `kind`, the bytes both ways and the time "
     "of each phase. After `dial_failed` it does not repeat the reason."},
    {"dial_failed",
     "No target could be established for a client, which was reset. The line names every target "
     "that was tried and says why it failed. Repeats are counted, not written."},
    {"ejected",
     "A target failed and is left out for a while (health.eject_time), or until its checks pass. "
     "The only target is tried all the same."},
    {"restored", "A target that was ejected serves again."},
    {"reloaded", "A changed configuration is in force; the line says what has changed."},
    {"reload_failed",
     "A changed configuration has errors, which the line names. Nothing has changed: the old one "
     "serves on."},
    {"certificates_reloaded",
     "Changed files of certificates, keys, CAs, CRLs or PSKs are in force for a service."},
    {"capture_started", "Decrypted traffic is being written to a file or to an operator."},
    {"capture_stopped", "A capture has ended; the line says why, and how many packets it dropped."},
    {"control", "An operator changed something through the control socket: what, and who it was."},
    {"draining", "The process was told to stop, and lets connections finish."},
    {"worker_stalled",
     "A thread has not turned its event loop for a minute; the process resets its connections and "
     "ends with 1, to be started again."},
    {"stopped", "The process ends; `failed` of its `connections` did not end in order."},
    {"notice", "Anything without a word of its own."},
});

constexpr auto kFields = std::to_array<Term>({
    {"kind", "Why a connection ended or a dial failed; `tunnel explain kinds` lists the words."},
    {"side", "Who ended the connection: client, server or tunnel."},
    {"client", "The client's address."},
    {"target", "The target, as it is written in `connect`."},
    {"targets", "In `dial_failed`: every target that was tried, with its kind."},
    {"bytes_up", "Plaintext from the client to the server."},
    {"bytes_down", "Plaintext from the server to the client."},
    {"resolve_ms", "Milliseconds until the name was resolved; -1: this phase was never reached."},
    {"connect_ms", "Milliseconds until TCP was connected; -1: never reached."},
    {"preamble_ms",
     "Milliseconds of what is said before TLS (proxy, STARTTLS); -1: never reached."},
    {"tls_ms", "Milliseconds of the TLS handshake; -1: never reached."},
    {"total_ms", "Milliseconds from accepting the client to its end."},
    {"tls", "The TLS version, the cipher suite and the group in use."},
    {"resumed", "Whether an earlier TLS session was resumed."},
    {"ocsp",
     "What the server stapled about the revocation of its certificate: `good until` a time, or "
     "`none`: nothing, or nothing that tls.ocsp and tls.verify ask for."},
    {"tries", "How many targets were dialled for this connection."},
    {"preconnected", "The connection was established before its client came (preconnect)."},
    {"eject_ms", "In `ejected`: for how long the target is left out."},
    {"repeats", "How many lines like this one were not written since the last."},
});

constexpr auto kSignals = std::to_array<Term>({
    {"SIGTERM",
     "Stops: no new clients, and connections may finish within shutdown_timeout. A second one "
     "resets what is left at once."},
    {"SIGINT", "The same as SIGTERM."},
    {"SIGQUIT", "The same as SIGTERM."},
    {"SIGHUP",
     "Reads the configuration again and puts it in force, all of it or nothing, as `tunnel reload` "
     "does. With accept = \"stdio\" it stops like SIGTERM."},
    {"SIGUSR1", "Opens the log file again, after it was rotated."},
    {"SIGUSR2",
     "Starts the program again, as it is installed now, hands it the listeners, and stops like "
     "SIGTERM when it serves. If it does not come to that, goes on and says why."},
});

constexpr auto kUpgrade = std::to_array<Term>({
    {"upgrade_refused",
     "SIGUSR2 came when no other process could take over: during an upgrade or a stop, to process "
     "1 "
     "of a container, under a supervisor that would start the service again. The line says which."},
    {"upgrade_not_started", "SIGUSR2: the program could not be started. The old process goes on."},
    {"upgrade_exited",
     "SIGUSR2: the new process ended before it served; the line has its last words. The old one "
     "goes "
     "on."},
    {"upgrade_timeout",
     "SIGUSR2: the new process did not serve within a minute and was killed. The old one goes on."},
});

constexpr auto kStatus = std::to_array<Term>({
    {"0", "Ended as asked, with every connection over."},
    {"1",
     "Failed at run time: an address could not be bound, or connections had to be reset at the "
     "end. With accept = \"stdio\": the connection did not end in order."},
    {"2", "The command line or the configuration is wrong. Nothing was started."},
});

constexpr auto kChapters = std::to_array<Chapter>({
    {"kinds", "why a connection ended, `kind` in the log", "The words of `kind` in the log",
     kKinds},
    {"events", "an event of the log", "The events of the log", kEvents},
    {"fields", "a field of the log", "The fields of the log", kFields},
    {"signals", "a signal", "Signals", kSignals},
    {"upgrade", "why SIGUSR2 led to nothing, `kind` in the log", "Why SIGUSR2 led to nothing",
     kUpgrade},
    {"exit", "an exit status", "Exit status", kStatus},
});

}  // namespace

std::span<const Chapter> glossary() { return kChapters; }

}  // namespace tunnel::cli
