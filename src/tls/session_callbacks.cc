// SPDX-License-Identifier: MIT
// What GnuTLS calls in the middle of a handshake: the transport's two ends, and the questions that
// it leaves to us.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "tls/session_impl.h"

namespace tunnel::tls {

Session::Impl* Session::Impl::of(gnutls_session_t session) {
  return static_cast<Impl*>(static_cast<SessionOwner*>(gnutls_session_get_ptr(session)));
}

// Never says "again": a record that GnuTLS has made is in `out`, or the session is over.
ssize_t Session::Impl::push(gnutls_transport_ptr_t self, const void* data, std::size_t size) {
  auto* impl = static_cast<Impl*>(self);
  if (impl->out == nullptr || !impl->out->append({static_cast<const std::byte*>(data), size})) {
    impl->overflowed = true;
    gnutls_transport_set_errno(impl->session.get(), EPIPE);
    return -1;
  }
  return static_cast<ssize_t>(size);
}

ssize_t Session::Impl::pull(gnutls_transport_ptr_t self, void* data, std::size_t size) {
  auto* impl = static_cast<Impl*>(self);
  // Never 0: at the transport's end GnuTLS would make the session invalid for writing, too. What
  // the end means is transport_ended's to say.
  if (impl->input.empty()) {
    gnutls_transport_set_errno(impl->session.get(), EAGAIN);
    return -1;
  }
  const auto taken = std::min(size, impl->input.size());
  std::memcpy(data, impl->input.data(), taken);
  impl->border.pass(impl->input.first(taken));
  impl->input = impl->input.subspan(taken);
  return static_cast<ssize_t>(taken);
}

int Session::Impl::verify(gnutls_session_t session) {
  auto* impl = of(session);
  if (impl->evidence != nullptr) {
    impl->evidence->examination =
        x509::examine(session, impl->context.policy, *impl->peer, std::time(nullptr));
  }
  auto verdict = impl->resumption.judge(session, *impl->peer);
  impl->ocsp_until = verdict.ocsp_until;
  impl->path = verdict.path;
  if (verdict.failure.kind == Kind::ok) return 0;
  // GnuTLS sends no alert when a verification fails, and could not know which one fits.
  (void)gnutls_alert_send(session, GNUTLS_AL_FATAL, verdict.alert);
  (void)impl->fail(std::move(verdict.failure));
  return GNUTLS_E_CERTIFICATE_ERROR;
}

// After GnuTLS has taken the message in, and before it reads the body of most.
int Session::Impl::on_message(gnutls_session_t session, unsigned type, unsigned, unsigned incoming,
                              const gnutls_datum_t* message) {
  auto* impl = of(session);
  switch (type) {
    case GNUTLS_HANDSHAKE_CERTIFICATE_PKT:
      if (incoming == 0) return 0;
      return impl->certificates_came({reinterpret_cast<const char*>(message->data), message->size});
    case GNUTLS_HANDSHAKE_CLIENT_KEY_EXCHANGE:
    case GNUTLS_HANDSHAKE_FINISHED:
      impl->end_leniency();
      return 0;
    case GNUTLS_HANDSHAKE_NEW_SESSION_TICKET:
      if (incoming != 0 && impl->takes_tickets) impl->resumption.ticket_received(session);
      return 0;
    default:
      return 0;
  }
}

int Session::Impl::on_secret(gnutls_session_t session, gnutls_record_encryption_level_t level,
                             const void* read, const void*, std::size_t size) {
  // The server's half only. Our own KeyUpdates are made by GnuTLS, which has the other.
  if (level == GNUTLS_ENCRYPTION_LEVEL_APPLICATION && read != nullptr) {
    of(session)->secret =
        std::make_unique<TrafficSecret>(Bytes(static_cast<const std::byte*>(read), size));
  }
  return 0;
}

int Session::Impl::log_key(gnutls_session_t session, const char* label,
                           const gnutls_datum_t* secret) {
  Impl* impl = of(session);
  const std::string line = key_log_line(session, label, *secret);
  if (impl->context.key_log.is_open()) impl->context.key_log.write(line);
  if (impl->secrets != nullptr) impl->secrets->on_secret(line);
  return 0;
}

}  // namespace tunnel::tls
