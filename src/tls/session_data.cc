// SPDX-License-Identifier: MIT
// What a Session does once it is established: plaintext both ways, and our own end.
#include <algorithm>

#include "tls/failure_text.h"
#include "tls/record_cipher.h"
#include "tls/session.h"
#include "tls/session_impl.h"

namespace tunnel::tls {
namespace {

// A record's worst overhead: header, explicit nonce or IV, MAC and padding (CBC with SHA-384), and
// a KeyUpdate that may go before it.
constexpr std::size_t kRecordOverhead = 160;
// The smallest record size that a server can ask us for (RFC 8449) and GnuTLS agrees to.
constexpr std::size_t kSmallestRecord = 512;

}  // namespace

Session::Opened Session::open(MutableBytes into, OutBuffer& out) {
  auto& impl = *impl_;
  if (impl.failure) return {Io::failed, 0};
  if (impl.closed) return {Io::closed, 0};
  const Lending lending(impl.out, out);
  const auto opened = impl.gate ? impl.open_at_gate(into) : impl.open_by_gnutls(into);
  if (opened.size > 0) impl.received_data = true;
  return opened;
}

Session::Opened Session::Impl::open_at_gate(MutableBytes into) {
  const auto opened = gate->open(input, into);
  input = input.subspan(opened.used);
  switch (opened.met) {
    case RecordGate::Met::end_of_input:
      return {Io::again, opened.size};
    case RecordGate::Met::full:
      return {Io::done, opened.size};
    case RecordGate::Met::close_notify:
      closed = true;
      break;
    case RecordGate::Met::fatal_alert:
      if (opened.size > 0) received_data = true;
      (void)fail_established(gate->alert());
      break;
    case RecordGate::Met::refusal:
      (void)fail_with_alert(refused(), gate->refusal().alert);
      break;
  }
  // What was decrypted before the end is delivered first; the next call tells the end.
  if (opened.size > 0) return {Io::done, opened.size};
  return {closed ? Io::closed : Io::failed, 0};
}

Failure Session::Impl::refused() const {
  const auto& refusal = gate->refusal();
  if (refusal.alert == GNUTLS_A_BAD_RECORD_MAC) {
    return record_failed(target, GNUTLS_E_DECRYPTION_FAILED);
  }
  if (refusal.is_renegotiation) return renegotiation_began(target);
  return protocol_broken(target, refusal.what);
}

Session::Opened Session::Impl::open_by_gnutls(MutableBytes into) {
  const auto raw = session.get();
  std::size_t size = 0;
  // Nothing is asked of GnuTLS without input: it would allocate a record's room to find that out.
  while (size < into.size() && (!input.empty() || gnutls_record_check_pending(raw) > 0)) {
    const auto result = gnutls_record_recv(raw, into.data() + size, into.size() - size);
    if (result > 0) {
      size += static_cast<std::size_t>(result);
      warnings = 0;
      hello_requests = 0;
      continue;
    }
    switch (static_cast<int>(result)) {
      case GNUTLS_E_AGAIN:  // no input left, or an empty record went by
      case GNUTLS_E_INTERRUPTED:
        continue;
      case GNUTLS_E_REHANDSHAKE:  // RFC 5246 section 7.4.1.1: may be ignored
        hello_requested = true;
        if (++hello_requests <= kMaxHelloRequests) continue;
        (void)fail_with_alert(protocol_broken(target, "handshake messages without end"),
                              GNUTLS_A_UNEXPECTED_MESSAGE);
        break;
      case GNUTLS_E_WARNING_ALERT_RECEIVED:
        if (++warnings <= kMaxWarnings) continue;
        (void)fail(too_many_warnings(target));
        break;
      case 0:
        closed = true;
        break;
      default:
        // The sentence about the alert depends on it.
        if (size > 0) received_data = true;
        (void)fail_record(static_cast<int>(result));
        break;
    }
    if (size > 0) return {Io::done, size};
    return {failure ? Io::failed : Io::closed, 0};
  }
  const bool has_more = !input.empty() || gnutls_record_check_pending(raw) > 0;
  return {has_more ? Io::done : Io::again, size};
}

// GnuTLS sends the first record, and shows how large one may be (RFC 8449) when it takes less than
// it was given. From then on whole records are sealed past it, under keys that are borrowed for the
// call. The rest is GnuTLS's: what is less than a record, ciphers other than AES-GCM, and whatever
// comes shortly before an update of its keys, which it then sends itself.
Io Session::seal(MutableBytes plaintext, OutBuffer& out) {
  auto& impl = *impl_;
  if (impl.failure) return Io::failed;
  const Lending lending(impl.out, out);
  if (!plaintext.empty() && impl.gate && impl.gate->take_key_request()) {
    const int error = gnutls_session_key_update(impl.session.get(), 0);
    if (impl.overflowed || error < 0) return impl.fail_record(error);
  }
  while (!plaintext.empty()) {
    if (const auto sealed = impl.seal_records(plaintext); sealed > 0) {
      plaintext = plaintext.subspan(sealed);
      continue;
    }
    const auto result = gnutls_record_send(impl.session.get(), plaintext.data(), plaintext.size());
    if (impl.overflowed || result <= 0) return impl.fail_record(static_cast<int>(result));
    const auto sent = static_cast<std::size_t>(result);
    if (sent < plaintext.size()) impl.record_limit = static_cast<std::uint16_t>(sent);
    plaintext = plaintext.subspan(sent);
  }
  return Io::done;
}

// Only what fills at least one record: less is not worth asking for the keys.
std::size_t Session::Impl::seal_records(MutableBytes plaintext) {
  if (record_limit == 0 || plaintext.size() < record_limit) return 0;
  auto keys = RecordKeys::to_write(session.get());
  if (!keys) return 0;
  RecordCipher cipher(*keys, context.aead);
  std::size_t sealed = 0;
  while (sealed < plaintext.size()) {
    const std::size_t left = plaintext.size() - sealed;
    const std::size_t size = std::min<std::size_t>(left, record_limit);
    const auto followed = size < left ? RecordCipher::Followed::yes : RecordCipher::Followed::no;
    if (!cipher.seal(plaintext.subspan(sealed, size), followed, *out)) break;
    sealed += size;
  }
  keys->give_back(session.get());
  return sealed;
}

std::size_t Session::sealed_size(std::size_t plaintext_size) {
  return plaintext_size + (plaintext_size / kSmallestRecord + 2) * kRecordOverhead;
}

Io Session::close(OutBuffer& out) {
  auto& impl = *impl_;
  if (impl.failure) return Io::failed;
  if (!impl.established) return Io::done;
  const Lending lending(impl.out, out);
  // SHUT_RDWR would read on, and keep in memory whatever the server sends, until its close_notify.
  const int result = gnutls_bye(impl.session.get(), GNUTLS_SHUT_WR);
  return impl.overflowed || result < 0 ? impl.fail_record(result) : Io::done;
}

}  // namespace tunnel::tls
