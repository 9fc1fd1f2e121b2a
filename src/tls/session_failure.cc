// SPDX-License-Identifier: MIT
// How a Session fails, and what is said about it.
#include <utility>

#include "tls/failure_text.h"
#include "tls/session_impl.h"

namespace tunnel::tls {
namespace {

constexpr std::uint8_t kHandshakeRecord = 22;

// Any number may come: one that the enumeration does not have must not become one of its values.
std::uint8_t alert_number(gnutls_session_t session) {
  return static_cast<std::uint8_t>(gnutls_alert_get(session));
}

}  // namespace

Io Session::Impl::fail(Failure why) {
  // The first reason is the true one.
  if (!failure) failure = std::make_unique<const Failure>(std::move(why));
  return Io::failed;
}

Io Session::Impl::fail_with_alert(Failure why, gnutls_alert_description_t alert) {
  if (!failure) (void)gnutls_alert_send(session.get(), GNUTLS_AL_FATAL, alert);
  return fail(std::move(why));
}

Renegotiation Session::Impl::renegotiation() const {
  const bool is_asked = gate ? gate->was_asked_to_renegotiate() : hello_requested;
  return is_asked ? Renegotiation::ignored : Renegotiation::not_asked;
}

AlertContext Session::Impl::alert_context() const {
  return {
      .certificate_requested = gnutls_certificate_client_get_request_status(session.get()) != 0,
      .certificate = context.certificate ? context.certificate->description() : std::string_view(),
      .psk_identity = context.psk ? context.psk->identity() : std::string_view(),
      .established = established,
      .data_received = received_data,
      .renegotiation = renegotiation()};
}

unsigned Session::Impl::server_version() const {
  const auto at = [this](std::size_t i) { return std::to_integer<unsigned>(first[i]); };
  const bool is_server_hello = first_size == kFirstBytes && at(0) == 22 && at(5) == 2;
  return is_server_hello ? at(9) << 8 | at(10) : 0;
}

Io Session::Impl::fail_handshake(int error) {
  if (failure) return Io::failed;  // by our own judgement: it has sent its alert
  if (overflowed) return fail(out_of_room(target));
  switch (error) {
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
      return fail(alert_received(target, alert_number(session.get()), alert_context()));
    case GNUTLS_E_SESSION_EOF:  // close_notify, instead of the rest of the handshake
      return fail(closed_in_handshake(target, Silence::closed, first_size > 0));
    case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
      (void)gnutls_alert_send(session.get(), GNUTLS_AL_FATAL, GNUTLS_A_PROTOCOL_VERSION);
      return fail(wrong_version(target, server_version()));
    case GNUTLS_E_KEY_USAGE_VIOLATION:
      return fail_with_alert(key_usage_failure(), GNUTLS_A_UNSUPPORTED_CERTIFICATE);
    default:
      // GnuTLS leaves it to its caller to tell the server.
      (void)gnutls_alert_send_appropriate(session.get(), error);
      return fail(handshake_failed(target, error));
  }
}

Io Session::Impl::fail_established(std::uint8_t alert) {
  // A server that refuses what it has resumed: the next one shows whether it was the ticket.
  if (!received_data && gnutls_session_is_resumed(session.get()) != 0) resumption.rest_tickets();
  return fail(alert_received(target, alert, alert_context()));
}

Io Session::Impl::fail_record(int error) {
  if (failure) return Io::failed;
  if (overflowed) return fail(out_of_room(target));
  if (error == GNUTLS_E_FATAL_ALERT_RECEIVED) {
    const auto alert = alert_number(session.get());
    if (alert == GNUTLS_A_CLOSE_NOTIFY) {  // sent as "fatal", which is wrong but clear enough
      closed = true;
      return Io::closed;
    }
    return fail_established(alert);
  }
  (void)gnutls_alert_send_appropriate(session.get(), error);
  // In TLS 1.2 and older the type of a record shows outside.
  if (error == GNUTLS_E_UNEXPECTED_PACKET && border.type() == kHandshakeRecord) {
    return fail(renegotiation_began(target));
  }
  return fail(record_failed(target, error));
}

Failure Session::transport_ended(End end) const {
  const auto how = end == End::reset ? Silence::reset : Silence::closed;
  if (impl_->failure) return *impl_->failure;
  if (impl_->closed) return {};
  if (impl_->established) return ended_without_goodbye(impl_->target, how, impl_->renegotiation());
  return closed_in_handshake(impl_->target, how, impl_->first_size > 0);
}

Failure Session::handshake_timed_out(Millis after) const {
  return handshake_timeout(impl_->target, after, impl_->first_size > 0);
}

bool Session::is_ticket_suspected() const {
  return !impl_->established && impl_->resumption.is_ticket_suspected();
}

void Session::rest_tickets() { impl_->resumption.rest_tickets(); }

const Failure& Session::failure() const {
  static const Failure none;
  return impl_->failure ? *impl_->failure : none;
}

// Another connection is worth it when the server has chosen what is offered and not accepted, or
// has refused a part of the list: then the next part is tried. One that refuses what it is
// remembered to have accepted has changed, and is asked from the first offer on.
std::optional<std::size_t> Session::next_attempt(Kind failed) {
  auto& impl = *impl_;
  const auto& offer = impl.context.offer;
  if (impl.established || !impl.session) return std::nullopt;
  const auto version = gnutls_protocol_get_version(impl.session.get());
  if (impl.is_unlisted) return offer.attempt_after(impl.attempt, version);
  // A server that says no to all that there is will not like a part of it.
  if (impl.attempt == 0) return std::nullopt;
  if (failed != Kind::tls_alert && failed != Kind::tls_closed && failed != Kind::tls_failed &&
      failed != Kind::tls_version) {
    return std::nullopt;
  }
  if (!impl.is_attempt_remembered) return offer.attempt_after(impl.attempt, version);
  impl.remembered_offers->at(*impl.offers_key)->offers.forget(*impl.offers_key);
  return 0;
}

}  // namespace tunnel::tls
