// SPDX-License-Identifier: MIT
#pragma once

#include <gnutls/gnutls.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "tls/record_cipher.h"
#include "tls/traffic_secret.h"

namespace tunnel::tls {

// What the server says after the handshake, record by record, decided before GnuTLS sees it.
// GnuTLS's own reading loops forever over an empty fragment of a handshake message, takes messages
// of 16 MiB, breaks the session over the warning that Java's servers send before their
// close_notify, and allows eight updates of keys a second.
//
// So GnuTLS reads no record of an AEAD cipher once the handshake is done. Application data goes
// straight to where the caller wants it, alerts are told, TLS 1.2's HelloRequest is ignored (RFC
// 5246 section 7.4.1.1), TLS 1.3's KeyUpdate changes the keys that are kept here, and of everything
// else GnuTLS gets whole messages that it knows: session tickets. Writing stays GnuTLS's business.
//
// CBC suites, which TLS 1.2 and older may still have, have no gate.
//
// Loop-bound; part of a Session. At rest it owns no buffer; a record or message of which only a
// part has come is kept here.
class RecordGate {
 public:
  // Null for a session that has no gate. `session` and `provider` must outlive it, and the
  // handshake be done; `secret` is what the server's keys are made of, empty before TLS 1.3.
  [[nodiscard]] static std::unique_ptr<RecordGate> before(gnutls_session_t session,
                                                          const TrafficSecret& secret,
                                                          const AeadProvider& provider);
  RecordGate(const RecordGate&) = delete;
  RecordGate& operator=(const RecordGate&) = delete;

  enum class Met : std::uint8_t {
    end_of_input,  // all of it is used up
    full,          // there is more than `into` has room for
    close_notify,
    fatal_alert,  // see alert()
    refusal,      // see refusal()
  };
  struct Opened {
    Met met = Met::end_of_input;
    std::size_t used = 0;  // of the input
    std::size_t size = 0;  // of the plaintext: what came before what was met
  };
  // Decrypts as much as fits. Never again after close_notify, fatal_alert or refusal.
  [[nodiscard]] Opened open(Bytes input, MutableBytes into);

  // A number, as any may come.
  [[nodiscard]] std::uint8_t alert() const { return alert_; }
  // What the server did wrong, and the alert that it is to get for it.
  struct Refusal {
    std::string_view what;
    gnutls_alert_description_t alert = GNUTLS_A_UNEXPECTED_MESSAGE;
    bool is_renegotiation = false;  // began (TLS 1.2); it needs a sentence of its own
  };
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }

  // The server wants our keys updated before we write again; asked once each time.
  [[nodiscard]] bool take_key_request() { return std::exchange(is_key_requested_, false); }
  // A HelloRequest came (TLS 1.2).
  [[nodiscard]] bool was_asked_to_renegotiate() const { return was_asked_to_renegotiate_; }

 private:
  RecordGate(gnutls_session_t session, const RecordKeys& keys, const TrafficSecret& secret,
             const AeadProvider& provider)
      : session_(session), provider_(provider), keys_(keys), secret_(secret) {}

  // Of a record that is under way; all of it when it is whole. Empty: more is needed, or refused.
  [[nodiscard]] Bytes next_record(Bytes& rest);
  [[nodiscard]] Bytes collect(Bytes& rest);
  [[nodiscard]] std::size_t record_size(Bytes header);  // 0: refused
  void drop_record(Bytes& rest, std::size_t size);
  [[nodiscard]] std::size_t take_held(MutableBytes into);

  // What was in a record other than data. False: refused, or an alert that ends the session.
  [[nodiscard]] bool look_at(std::uint8_t type, Bytes content);
  [[nodiscard]] bool take_data(std::size_t size);
  [[nodiscard]] bool take_alert(Bytes content);
  [[nodiscard]] bool take_handshake(Bytes content);
  [[nodiscard]] bool check_message_header();
  [[nodiscard]] bool take_message(bool ends_record);
  [[nodiscard]] bool take_key_update(bool ends_record);
  [[nodiscard]] bool take_ticket();
  [[nodiscard]] bool count_message();
  bool refuse(std::string_view what,
              gnutls_alert_description_t alert = GNUTLS_A_UNEXPECTED_MESSAGE);

  const gnutls_session_t session_;
  const AeadProvider& provider_;
  RecordKeys keys_;
  TrafficSecret secret_;

  // A record of which a part has come, header included.
  std::unique_ptr<std::byte[]> record_;
  std::array<std::byte, RecordCipher::kHeaderSize> header_{};
  std::uint16_t record_have_ = 0, record_need_ = 0;
  // Plaintext that did not fit into what the caller had room for.
  std::unique_ptr<std::byte[]> held_;
  std::uint16_t held_at_ = 0, held_end_ = 0;
  // A handshake message of which a part has come.
  std::vector<std::byte> message_;

  Met met_ = Met::end_of_input;
  Refusal refusal_;
  std::uint8_t alert_ = 0;
  // Since there was data.
  std::uint8_t warnings_ = 0;
  std::uint8_t tickets_ = 0;
  std::uint32_t messages_size_ = 0;  // of HelloRequests and KeyUpdates
  bool is_key_requested_ = false;
  bool was_asked_to_renegotiate_ = false;
};

}  // namespace tunnel::tls
