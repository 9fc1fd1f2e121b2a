// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/failure.h"
#include "base/kind.h"
#include "tls/context.h"
#include "tls/secrets.h"
#include "tls/tickets.h"
#include "x509/peer.h"

namespace tunnel::x509 {
struct CertificateFacts;
struct TrustedPath;
}  // namespace tunnel::x509

namespace tunnel::tls {

struct Evidence;
class Remembered;

// Would-block is an ordinary result, not an error.
enum class [[nodiscard]] Io : std::uint8_t{
    done,    // finished what was asked
    again,   // all input is used up: feed more
    closed,  // the peer sent close_notify
    failed,  // see failure(); the output may hold an alert that should still be sent
};

// What was agreed on. Views of static text.
struct Negotiated {
  std::string_view version;  // "TLS1.3"
  std::string_view cipher;   // IANA name, "TLS_AES_128_GCM_SHA256"
  std::string_view group;    // "X25519", "" when there is none
  bool resumed = false;
  // Until when a stapled OCSP answer, which was checked, calls the certificate good; 0: there is
  // none.
  std::time_t ocsp_until = 0;
};
// The last, for people and logs: "good until 2026-01-31T13:05:00Z", "none".
[[nodiscard]] std::string ocsp_text(const Negotiated& negotiated);

// Client TLS as a byte transformer without I/O (RFC 8446, RFC 5246): ciphertext in by feed(),
// ciphertext out through the OutBuffer of each call, plaintext through seal() and open().
// Loop-bound. Holds no buffer at rest but for a record of which only a part has come.
//
// The life of a session: handshake() with an empty feed makes the ClientHello; feed() and
// handshake() until it is done or failed (verification happens inside); then seal() and open() in
// any order; close() sends close_notify, after which open() still works (half-close).
class Session {
 public:
  // `remembered` makes it cheaper: tickets are taken from it and put into it, also after the
  // handshake, and certificates that were just verified are not verified again. It must outlive the
  // session. Null: a full handshake, from which nothing is kept.
  // `evidence` gets what is seen, if it is not null, and outlives the session, too.
  Session(const Context& context, x509::Peer peer, Remembered* remembered = nullptr,
          Tickets tickets = Tickets::welcome, Evidence* evidence = nullptr);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Before the handshake: tells `secrets`, which must outlive the session, what decrypts it.
  void tell(Secrets& secrets);

  // Lends ciphertext from the transport. It must stay valid until the calls that follow have said
  // `again` (then all of it is used up), `closed` or `failed`. Only one feed at a time.
  void feed(Bytes ciphertext);

  // done: established and verified. Unused input stays for open().
  Io handshake(OutBuffer& out);

  // Decrypts into `into` as much as fits. done: `size` bytes, call again for more (there may be
  // input left). again: `size` bytes (possibly 0) and all input used up. Tickets, KeyUpdates and
  // empty records are swallowed, and so are warnings and TLS 1.2's HelloRequest.
  // closed, failed: `size` is 0; all that came before the end was handed out by earlier calls. A
  // fatal alert before the first byte of data may be the server's late answer to our certificate
  // (TLS 1.3): Kind::client_cert_rejected.
  struct Opened {
    Io io = Io::again;
    std::size_t size = 0;
  };
  [[nodiscard]] Opened open(MutableBytes into, OutBuffer& out);

  // Encrypts all of `plaintext` into records appended to `out`, which must have room for
  // sealed_size(plaintext.size()). Writes to `plaintext` while it works, and restores it.
  Io seal(MutableBytes plaintext, OutBuffer& out);
  [[nodiscard]] static std::size_t sealed_size(std::size_t plaintext_size);

  Io close(OutBuffer& out);  // close_notify; at most once, seal() no more after it

  // What the transport's end means now. During the handshake: tls_closed. Afterwards: ok when
  // close_notify was received (by open()), else truncated or reset_by_server.
  enum class End : std::uint8_t { eof, reset };
  [[nodiscard]] Failure transport_ended(End end) const;
  // What the expiry of the handshake timeout means: tls_timeout, with a hint when the port or the
  // silence suggests a protocol that wants STARTTLS.
  [[nodiscard]] Failure handshake_timed_out(Millis after) const;

  // The handshake has failed, and the ticket that it offered may be why: the server has not begun a
  // full one. Worth another attempt with Tickets::suspected.
  [[nodiscard]] bool is_ticket_suspected() const;
  // There is no other attempt, or the resumed session was broken off later: tickets rest for a
  // while.
  void rest_tickets();

  [[nodiscard]] const Failure& failure() const;  // after `failed`
  // After a handshake that ended in a failure of this kind: what to set as Peer::attempt of another
  // session with the same server, on a new connection, which may do better. Nothing when there is
  // no point in it. Ends after a few.
  [[nodiscard]] std::optional<std::size_t> next_attempt(Kind failed);
  [[nodiscard]] Negotiated negotiated() const;  // after the handshake
  // When the server's own certificate expires; 0 without one. Reads the certificate.
  [[nodiscard]] std::time_t certificate_not_after() const;
  // What it says; nothing without one. Reads it.
  [[nodiscard]] std::optional<x509::CertificateFacts> certificate() const;
  // What it was verified with; null: no path was verified.
  [[nodiscard]] const std::shared_ptr<const x509::TrustedPath>& trusted_path() const;
  // The SHA-256 of that certificate, "sha256:..."; "" without one. Hashes.
  [[nodiscard]] std::string certificate_fingerprint() const;
  // What is worth a word in the log although the session went well; "" for nothing.
  [[nodiscard]] std::string remark() const;
  [[nodiscard]] bool has_received_data() const;  // any application byte was opened
  [[nodiscard]] std::string_view alpn_selected() const;

  struct Impl;  // gnutls types, for session*.cc and its tests
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tunnel::tls
