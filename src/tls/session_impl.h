// SPDX-License-Identifier: MIT
// What is behind Session, for session*.cc and the tests of this room.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tls/context_impl.h"
#include "tls/failure_text.h"
#include "tls/handles.h"
#include "tls/record_border.h"
#include "tls/record_gate.h"
#include "tls/resumption.h"
#include "tls/session.h"

namespace tunnel::tls {

// As much as tells the version in a ServerHello: record header, type, length, version.
inline constexpr std::size_t kFirstBytes = 11;

// Warnings (TLS 1.2) in a row, without anything else in between.
inline constexpr int kMaxWarnings = 16;

// HelloRequests (TLS 1.2) in a row: 128 KiB of them.
inline constexpr int kMaxHelloRequests = 32768;

// Lends an OutBuffer to the push callback for the length of one call.
class Lending {
 public:
  Lending(OutBuffer*& slot, OutBuffer& out) : slot_(slot) { slot_ = &out; }
  ~Lending() { slot_ = nullptr; }
  Lending(const Lending&) = delete;
  Lending& operator=(const Lending&) = delete;

 private:
  OutBuffer*& slot_;
};

// Loop-bound, like Session. `session`'s pointer is this object.
struct Session::Impl : SessionOwner {
  Impl(const Context::Impl& its_context, x509::Peer its_peer, Remembered* remembered,
       Evidence* its_evidence)
      : SessionOwner{its_context, its_evidence},
        target(its_peer.target),
        peer(std::make_unique<const x509::Peer>(std::move(its_peer))),
        resumption(its_context, remembered),
        remembered_offers(remembered) {}

  const std::string target;                // as sentences name it
  std::unique_ptr<const x509::Peer> peer;  // until established: a resting session keeps little
  Resumption resumption;
  Remembered* const remembered_offers;  // null: it begins with the first offer, every time
  SessionHandle session;
  Secrets* secrets = nullptr;              // is told them; may be null
  std::unique_ptr<const Failure> failure;  // the first one

  // The transport's two ends, during a call.
  Bytes input;               // what feed() lent and GnuTLS has not taken
  OutBuffer* out = nullptr;  // where its ciphertext goes
  RecordBorder border;       // in what GnuTLS has taken
  // After the handshake, what looks at every record in GnuTLS's place; null for CBC suites.
  std::unique_ptr<RecordGate> gate;
  std::unique_ptr<TrafficSecret> secret;  // for it, until it is there (TLS 1.3)

  // What came first, for what GnuTLS does not tell: a peer without TLS, a version we do not accept.
  std::array<std::byte, kFirstBytes> first{};
  std::uint8_t first_size = 0;

  std::size_t handshake_size = 0;  // of all that came until it is established

  // The largest record that the server takes, once GnuTLS has shown it by cutting what it was to
  // send. 0: GnuTLS must send the next record, which shows this.
  std::uint16_t record_limit = 0;
  std::uint8_t warnings = 0;         // in a row
  std::uint16_t hello_requests = 0;  // in a row, of a session without a gate
  bool overflowed = false;           // `out` was too small
  bool established = false;
  bool received_data = false;
  bool closed = false;                 // by the peer's close_notify
  bool hello_requested = false;        // in a session without a gate
  bool is_unlisted = false;            // the server has chosen what was offered and is not accepted
  bool is_attempt_remembered = false;  // it is not the first one, and no session before says why
  std::size_t attempt = 0;             // which offer is made
  // Under which it is remembered; with several offers only.
  std::optional<x509::Fingerprint> offers_key;
  // GnuTLS lets the key usage of the server's certificate pass, from Certificate to Finished.
  bool is_lenient = false;
  bool takes_tickets = false;
  std::time_t ocsp_until = 0;                     // Verdict::ocsp_until
  std::shared_ptr<const x509::TrustedPath> path;  // Verdict::path

  void choose_attempt();
  void start(Tickets tickets);
  void set_server_name();
  Io fail(Failure why);
  Io fail_with_alert(Failure why, gnutls_alert_description_t alert);
  Io fail_handshake(int error);
  Io fail_record(int error);
  Io fail_established(std::uint8_t alert);  // by the server
  Io finish_handshake();
  bool set_up_gate();
  Opened open_at_gate(MutableBytes into);
  Opened open_by_gnutls(MutableBytes into);
  [[nodiscard]] Failure refused() const;  // by the gate
  // Whole records past GnuTLS's record layer: how many bytes of plaintext they took. 0: the next
  // one is for GnuTLS.
  std::size_t seal_records(MutableBytes plaintext);
  // False when what came first cannot be TLS; the session has failed then.
  bool looks_like_tls();
  [[nodiscard]] AlertContext alert_context() const;
  [[nodiscard]] Renegotiation renegotiation() const;
  [[nodiscard]] unsigned server_version() const;
  // The body of a Certificate message, before GnuTLS has read it: an error of GnuTLS ends the
  // handshake.
  int certificates_came(std::string_view message);
  void end_leniency();
  [[nodiscard]] Failure key_usage_failure() const;

  static Impl* of(gnutls_session_t session);
  static ssize_t push(gnutls_transport_ptr_t self, const void* data, std::size_t size);
  static ssize_t pull(gnutls_transport_ptr_t self, void* data, std::size_t size);
  static int verify(gnutls_session_t session);
  static int on_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                        const gnutls_datum_t* message);
  static int on_secret(gnutls_session_t session, gnutls_record_encryption_level_t level,
                       const void* read, const void* write, std::size_t size);
  static int log_key(gnutls_session_t session, const char* label, const gnutls_datum_t* secret);
};

}  // namespace tunnel::tls
