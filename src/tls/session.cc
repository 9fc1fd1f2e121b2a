// SPDX-License-Identifier: MIT
#include "tls/session.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tls/failure_text.h"
#include "tls/greeting.h"
#include "tls/plaintext_text.h"
#include "tls/session_impl.h"

namespace tunnel::tls {
namespace {

bool is_ip(const std::string& name) {
  std::array<unsigned char, 16> address{};
  return ::inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, name.substr(0, name.find('%')).c_str(), address.data()) == 1;
}

// Of everything that a server says until it is established. Its longest message, the certificates,
// is read up to 128 KiB; but GnuTLS collects whatever comes for one that claims to be longer.
constexpr std::size_t kMostHandshake = std::size_t{512} * 1024;

}  // namespace

// ---- setting up

Session::Session(const Context& context, x509::Peer peer, Remembered* remembered, Tickets tickets,
                 Evidence* evidence)
    : impl_(std::make_unique<Impl>(context.impl(), std::move(peer), remembered, evidence)) {
  impl_->start(tickets);
}

Session::~Session() = default;

void Session::Impl::start(Tickets tickets) {
  choose_attempt();
  // Before GnuTLS's session is made, whose flags say whether tickets are wanted.
  resumption.begin(*peer, tickets);
  // KEY_SHARE_TOP: one key pair instead of two; a server that wants another group asks again.
  unsigned flags = GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_KEY_SHARE_TOP;
  takes_tickets = resumption.keeps_tickets() && tickets == Tickets::welcome;
  if (!takes_tickets) flags |= GNUTLS_NO_TICKETS;
  gnutls_session_t raw = nullptr;
  int error = gnutls_init(&raw, flags);
  if (error == 0) {
    session.reset(raw);
    error = gnutls_priority_set(raw, context.offer.attempts[attempt].priority.get());
  }
  if (error == 0) {
    error = gnutls_credentials_set(raw, GNUTLS_CRD_CERTIFICATE, context.credentials.get());
  }
  if (error == 0 && context.psk) {
    error = gnutls_credentials_set(raw, GNUTLS_CRD_PSK, context.psk->credentials());
  }
  if (error < 0) return (void)fail(cannot_begin(target, error));
  gnutls_session_set_ptr(raw, static_cast<SessionOwner*>(this));
  gnutls_transport_set_ptr(raw, this);
  gnutls_transport_set_push_function(raw, &Impl::push);
  gnutls_transport_set_pull_function(raw, &Impl::pull);
  gnutls_session_set_verify_function(raw, &Impl::verify);
  // Without ours GnuTLS would obey SSLKEYLOGFILE: secrets are logged where the configuration says
  // so and nowhere else.
  gnutls_session_set_keylog_function(raw, context.key_log.is_open() ? &Impl::log_key : nullptr);
  gnutls_handshake_set_secret_function(raw, &Impl::on_secret);
  set_server_name();
  std::vector<gnutls_datum_t> protocols;
  for (const auto& protocol : context.alpn) protocols.push_back(x509::lend(protocol));
  if (!protocols.empty()) {
    // Mandatory is not that it chooses one, but that it chooses no other (RFC 7301 section 3.2).
    (void)gnutls_alpn_set_protocols(raw, protocols.data(), static_cast<unsigned>(protocols.size()),
                                    GNUTLS_ALPN_MANDATORY);
  }
  gnutls_handshake_set_hook_function(raw, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_POST,
                                     &Impl::on_message);
  if (takes_tickets) resumption.offer(raw);
}

void Session::Impl::choose_attempt() {
  const auto last = context.offer.attempts.size() - 1;
  if (last == 0) return;
  if (peer->attempt) attempt = std::min(*peer->attempt, last);
  if (remembered_offers == nullptr) return;
  x509::Fingerprinter printer;
  printer.add(*context.identity).add(peer->target).add(peer->sni);
  offers_key = printer.finish();
  if (!offers_key || peer->attempt) return;
  attempt = std::min(
      remembered_offers->at(*offers_key)->offers.find(*offers_key, remembered_offers->now()), last);
  is_attempt_remembered = attempt > 0;
}

void Session::Impl::set_server_name() {
  std::string name = peer->sni;
  if (name.ends_with('.')) name.pop_back();  // RFC 6066: without the trailing dot
  // RFC 6066 section 3 permits no addresses.
  if (name.empty() || is_ip(name)) return;
  (void)gnutls_server_name_set(session.get(), GNUTLS_NAME_DNS, name.data(), name.size());
}

// ---- the handshake

void Session::tell(Secrets& secrets) {
  impl_->secrets = &secrets;
  if (impl_->session) {
    gnutls_session_set_keylog_function(impl_->session.get(), &Impl::log_key);
  }
}

void Session::feed(Bytes ciphertext) {
  impl_->input = ciphertext;
  if (!impl_->established) impl_->handshake_size += ciphertext.size();
}

Io Session::handshake(OutBuffer& out) {
  auto& impl = *impl_;
  if (impl.failure) return Io::failed;
  if (impl.established) return Io::done;
  const Lending lending(impl.out, out);
  if (!impl.looks_like_tls()) return Io::failed;
  if (impl.handshake_size > kMostHandshake) {
    return impl.fail_with_alert(protocol_broken(impl.target, "a handshake of more than 512 KiB"),
                                GNUTLS_A_UNEXPECTED_MESSAGE);
  }
  // AGAIN alone does not say that the input is used up; only without input is more needed.
  while (true) {
    const int result = gnutls_handshake(impl.session.get());
    if (result == GNUTLS_E_SUCCESS) return impl.finish_handshake();
    if (result == GNUTLS_E_WARNING_ALERT_RECEIVED && ++impl.warnings > kMaxWarnings) {
      return impl.fail(too_many_warnings(impl.target));
    }
    if (impl.overflowed || gnutls_error_is_fatal(result) != 0) return impl.fail_handshake(result);
    // Not fatal to GnuTLS, which thinks of renegotiations. Here no data has a place before
    // Finished.
    if (result == GNUTLS_E_GOT_APPLICATION_DATA) return impl.fail_handshake(result);
    if (result == GNUTLS_E_AGAIN && impl.input.empty()) return Io::again;
  }
}

bool Session::Impl::looks_like_tls() {
  const auto fresh = std::min(input.size(), first.size() - first_size);
  std::copy_n(input.begin(), fresh, first.begin() + first_size);
  const auto before = first_size;
  first_size = static_cast<std::uint8_t>(first_size + fresh);
  if (before >= 2 || may_be_tls(Bytes(first).first(first_size))) return true;
  // Before the second byte everything that came is in `first` or in the rest of the input.
  std::string said(as_text(Bytes(first).first(before)));
  said += as_text(input.first(std::min<std::size_t>(input.size(), 512)));
  if (evidence != nullptr) evidence->said = said;
  (void)fail(not_tls(target, as_bytes(said)));
  return false;
}

// GnuTLS is content by now. Left to be judged is what its priorities cannot say exactly (suite,
// group and fresh keys), and the certificates of a resumed session, about which it does not ask. No
// ticket is kept before all of that is good.
Io Session::Impl::finish_handshake() {
  const auto raw = session.get();
  const char* suite = gnutls_ciphersuite_get(raw);
  const auto group = gnutls_group_get(raw);
  if (gnutls_session_is_resumed(raw) != 0 && gnutls_protocol_get_version(raw) == GNUTLS_TLS1_3 &&
      group == GNUTLS_GROUP_INVALID) {
    return fail_with_alert(resumed_without_fresh_keys(target), GNUTLS_A_HANDSHAKE_FAILURE);
  }
  // What fails until this is taken back was offered, but is in no list: another attempt may do
  // better (next_attempt).
  is_unlisted = true;
  if (!context.offer.accepts_suite(suite != nullptr ? suite : "")) {
    return fail_with_alert(not_in_list(target, "cipher suite", suite, "tls.ciphers"),
                           GNUTLS_A_HANDSHAKE_FAILURE);
  }
  if (!context.offer.suites.empty() && gnutls_protocol_get_version(raw) >= GNUTLS_TLS1_3 &&
      gnutls_kx_get(raw) == GNUTLS_KX_PSK) {
    return fail_with_alert(no_fresh_keys(target), GNUTLS_A_HANDSHAKE_FAILURE);
  }
  is_unlisted = false;
  if (group != GNUTLS_GROUP_INVALID && !context.offer.accepts_group(group)) {
    return fail_with_alert(not_in_list(target, "group", gnutls_group_get_name(group), "tls.groups"),
                           GNUTLS_A_HANDSHAKE_FAILURE);
  }
  // GnuTLS does not ask about the certificates of a resumed session.
  if (gnutls_session_is_resumed(raw) != 0) {
    auto verdict = resumption.judge(raw, *peer);
    ocsp_until = verdict.ocsp_until;
    path = verdict.path;
    if (verdict.failure.kind != Kind::ok) {
      return fail_with_alert(std::move(verdict.failure), verdict.alert);
    }
  }
  if (!set_up_gate()) return Io::failed;
  resumption.established(raw);
  if (offers_key && attempt > 0) {
    remembered_offers->at(*offers_key)
        ->offers.accepted(*offers_key, attempt, remembered_offers->now());
  }
  established = true;
  warnings = 0;
  peer.reset();
  return Io::done;
}

bool Session::Impl::set_up_gate() {
  const auto raw = session.get();
  gnutls_handshake_set_secret_function(raw, nullptr);
  // Behind the server's Finished, in the record that it ends in: under keys that are over.
  if (gnutls_record_check_pending(raw) > 0) {
    (void)fail_with_alert(protocol_broken(target, "a handshake message behind its last"),
                          GNUTLS_A_UNEXPECTED_MESSAGE);
    return false;
  }
  gate = RecordGate::before(raw, secret ? *secret : TrafficSecret(), context.aead);
  secret.reset();
  // In TLS 1.3 GnuTLS reads no record after the handshake, whatever the cipher is: without a gate
  // there is no session. Older versions have CBC, which GnuTLS reads.
  if (gate || gnutls_protocol_get_version(raw) != GNUTLS_TLS1_3) return true;
  (void)fail_with_alert(handshake_failed(target, GNUTLS_E_UNWANTED_ALGORITHM),
                        GNUTLS_A_HANDSHAKE_FAILURE);
  return false;
}

// ---- afterwards

Negotiated Session::negotiated() const {
  const auto raw = impl_->session.get();
  Negotiated result;
  if (!impl_->established) return result;
  if (const char* version = gnutls_protocol_get_name(gnutls_protocol_get_version(raw))) {
    result.version = version;
  }
  if (const char* cipher = gnutls_ciphersuite_get(raw)) result.cipher = cipher;
  if (const char* group = gnutls_group_get_name(gnutls_group_get(raw))) result.group = group;
  result.resumed = gnutls_session_is_resumed(raw) != 0;
  result.ocsp_until = impl_->ocsp_until;
  return result;
}

std::string Session::remark() const {
  return impl_->renegotiation() == Renegotiation::ignored ? renegotiation_ignored(impl_->target)
                                                          : std::string();
}

bool Session::has_received_data() const { return impl_->received_data; }

std::string_view Session::alpn_selected() const {
  gnutls_datum_t protocol{};
  if (!impl_->session || gnutls_alpn_get_selected_protocol(impl_->session.get(), &protocol) < 0) {
    return {};
  }
  return {reinterpret_cast<const char*>(protocol.data), protocol.size};
}

}  // namespace tunnel::tls
