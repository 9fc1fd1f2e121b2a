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
  const auto raw = impl.session.get();
  std::size_t size = 0;
  // Nothing is asked of GnuTLS without input: it would allocate a record's room to find that out.
  while (size < into.size() && (!impl.input.empty() || gnutls_record_check_pending(raw) > 0)) {
    if (const auto opened = impl.open_records(into.subspan(size)); opened > 0) {
      size += opened;
      continue;
    }
    const auto result = gnutls_record_recv(raw, into.data() + size, into.size() - size);
    if (result > 0) {
      size += static_cast<std::size_t>(result);
      impl.warnings = 0;
      impl.received_data = true;
      continue;
    }
    switch (static_cast<int>(result)) {
      case GNUTLS_E_AGAIN:  // no input left, or a ticket, a KeyUpdate or an empty record went by
      case GNUTLS_E_INTERRUPTED:
        if (impl.border.is_here()) impl.record_limit = 0;
        continue;
      case GNUTLS_E_REHANDSHAKE:
        if (++impl.warnings > kMaxWarnings) {
          (void)impl.fail(too_many_warnings(impl.target));
          break;
        }
        (void)gnutls_alert_send(raw, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
        continue;
      case GNUTLS_E_WARNING_ALERT_RECEIVED:
        if (++impl.warnings <= kMaxWarnings) continue;
        (void)impl.fail(too_many_warnings(impl.target));
        break;
      case 0:
        impl.closed = true;
        break;
      default:
        (void)impl.fail_record(static_cast<int>(result));
        break;
    }
    // What was decrypted before the end is delivered first; the next call tells the end.
    if (size > 0) return {Io::done, size};
    return {impl.failure ? Io::failed : Io::closed, 0};
  }
  const bool has_more = !impl.input.empty() || gnutls_record_check_pending(raw) > 0;
  return {has_more ? Io::done : Io::again, size};
}

std::size_t Session::Impl::open_records(MutableBytes into) {
  if (!border.is_here() || RecordCipher::whole_record(input) == 0) return 0;
  if (gnutls_record_check_pending(session.get()) > 0) return 0;
  auto cipher = RecordCipher::borrow(session.get(), RecordCipher::Direction::read);
  if (!cipher) return 0;
  std::size_t opened = 0;
  while (const std::size_t size = RecordCipher::whole_record(input)) {
    if (into.size() - opened < cipher->room_for(size)) break;
    const auto plaintext = cipher->open(input.first(size), into.subspan(opened));
    if (!plaintext) break;
    opened += *plaintext;
    input = input.subspan(size);
  }
  cipher->give_back();
  if (opened > 0) {
    warnings = 0;
    received_data = true;
  }
  return opened;
}

Io Session::seal(MutableBytes plaintext, OutBuffer& out) {
  auto& impl = *impl_;
  if (impl.failure) return Io::failed;
  const Lending lending(impl.out, out);
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
  auto cipher = RecordCipher::borrow(session.get(), RecordCipher::Direction::write);
  if (!cipher) return 0;
  std::size_t sealed = 0;
  while (sealed < plaintext.size()) {
    const std::size_t left = plaintext.size() - sealed;
    const std::size_t size = std::min<std::size_t>(left, record_limit);
    const auto followed = size < left ? RecordCipher::Followed::yes : RecordCipher::Followed::no;
    if (!cipher->seal(plaintext.subspan(sealed, size), followed, *out)) break;
    sealed += size;
  }
  cipher->give_back();
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
  const int result = gnutls_bye(impl.session.get(), GNUTLS_SHUT_WR);
  return impl.overflowed || result < 0 ? impl.fail_record(result) : Io::done;
}

}  // namespace tunnel::tls
