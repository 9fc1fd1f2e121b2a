// SPDX-License-Identifier: MIT
#include "tls/record_gate.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace tunnel::tls {
namespace {

constexpr std::size_t kMessageHeaderSize = 4;  // type, length
constexpr std::uint8_t kHelloRequest = 0, kNewSessionTicket = 4, kCertificateRequest = 13,
                       kKeyUpdate = 24;
constexpr std::uint8_t kWarning = 1;  // an alert's level
constexpr std::uint8_t kCloseNotify = 0, kUserCanceled = 90;

// Of one handshake message, and of those that only cost time, in a row without data.
constexpr std::size_t kMostMessage = std::size_t{128} * 1024;
constexpr int kMostWarnings = 16;
// More of them are not looked at: one is as good as a hundred.
constexpr int kMostTickets = 16;

// GnuTLS takes messages past its record layer only from those that also write them so. We do not,
// and nothing is written while this stands in.
int write_nothing(gnutls_session_t, gnutls_record_encryption_level_t,
                  gnutls_handshake_description_t, const void*, std::size_t) {
  return GNUTLS_E_INTERNAL_ERROR;
}

}  // namespace

std::unique_ptr<RecordGate> RecordGate::before(gnutls_session_t session,
                                               const TrafficSecret& secret,
                                               const AeadProvider& provider) {
  const auto keys = RecordKeys::of(session, RecordKeys::Direction::read);
  if (!keys) return nullptr;
  return std::unique_ptr<RecordGate>(new RecordGate(session, *keys, secret, provider));
}

// ---- from record to record

// Records go one by one from `input` to `into`, without a copy where they lie whole in the input.
// One that may not fit into what is left of `into` waits for the next call; but if nothing fits at
// all, it is opened beside it (`held_`) and handed out piece by piece, so that a caller with little
// room gets on. Alerts and messages are opened in the same place, and overwritten by the data
// behind them.
RecordGate::Opened RecordGate::open(Bytes input, MutableBytes into) {
  Bytes rest = input;
  std::size_t size = take_held(into);
  // No std::optional, which GCC would clear, all of the room for keys, at each call.
  RecordCipher cipher(keys_, provider_);
  const auto opened = [&](Met met) { return Opened{met, input.size() - rest.size(), size}; };
  while (true) {
    if (held_ || size == into.size()) return opened(Met::full);
    const Bytes record = next_record(rest);
    if (record.empty()) return opened(met_);
    const auto room = RecordCipher::room_for(keys_, record.size());
    MutableBytes target = into.subspan(size);
    if (room && target.size() < *room) {
      if (size > 0) return opened(Met::full);
      held_ = std::make_unique<std::byte[]>(*room);
      target = {held_.get(), *room};
    }
    const auto content = room ? cipher.open(record, target) : std::nullopt;
    if (!content) {
      (void)refuse("a record that is not genuine", GNUTLS_A_BAD_RECORD_MAC);
      return opened(met_);
    }
    if (content->padded_size > RecordCipher::kMostPlaintext) {
      (void)refuse("a record of more than 16384 bytes", GNUTLS_A_RECORD_OVERFLOW);
      return opened(met_);
    }
    drop_record(rest, record.size());
    const auto sequence = keys_.sequence;
    const bool is_data = content->type == RecordCipher::kApplicationData;
    const bool goes_on =
        is_data ? take_data(content->size) : look_at(content->type, target.first(content->size));
    // A KeyUpdate counts from 0 again, while this record has made it 1 at least.
    if (keys_.sequence != sequence) cipher.keys_changed();
    if (held_ && is_data && goes_on) {
      held_at_ = 0;
      held_end_ = static_cast<std::uint16_t>(content->size);
      size += take_held(into);
    } else {
      held_.reset();
      if (is_data && goes_on) size += content->size;
    }
    if (!goes_on) return opened(met_);
  }
}

std::size_t RecordGate::take_held(MutableBytes into) {
  const auto taken = std::min<std::size_t>(into.size(), held_end_ - held_at_);
  if (taken > 0) std::memcpy(into.data(), held_.get() + held_at_, taken);
  held_at_ = static_cast<std::uint16_t>(held_at_ + taken);
  if (held_at_ == held_end_) held_.reset();
  return taken;
}

Bytes RecordGate::next_record(Bytes& rest) {
  if (record_have_ > 0 || rest.size() < RecordCipher::kHeaderSize) return collect(rest);
  const std::size_t size = record_size(rest);
  if (size == 0) return {};
  if (rest.size() >= size) return rest.first(size);
  return collect(rest);
}

// For what comes in pieces: five bytes first, which say how many more. Only then is there a buffer,
// of the size of that one record.
Bytes RecordGate::collect(Bytes& rest) {
  const auto take = [&](std::byte* into, std::size_t until) {
    const auto taken = std::min(rest.size(), until - record_have_);
    if (taken > 0) std::memcpy(into + record_have_, rest.data(), taken);
    record_have_ = static_cast<std::uint16_t>(record_have_ + taken);
    rest = rest.subspan(taken);
    return record_have_ == until;
  };
  if (!record_) {
    if (!take(header_.data(), header_.size())) return {};
    record_need_ = static_cast<std::uint16_t>(record_size(header_));
    if (record_need_ == 0) return {};
    record_ = std::make_unique<std::byte[]>(record_need_);
    std::copy(header_.begin(), header_.end(), record_.get());
  }
  if (!take(record_.get(), record_need_)) return {};
  return {record_.get(), record_need_};
}

std::size_t RecordGate::record_size(Bytes header) {
  const auto type = octet_at(header, 0);
  // TLS 1.3 shows no other type outside (RFC 8446 section 5.2).
  const bool is_expected =
      type == RecordCipher::kApplicationData ||
      (keys_.is_1_2 && (type == RecordCipher::kAlert || type == RecordCipher::kHandshake));
  const std::size_t size = octet_at(header, 3) << 8 | octet_at(header, 4);
  if (!is_expected) {
    (void)refuse("a record of a type that has no place after the handshake");
    return 0;
  }
  if (octet_at(header, 1) != 3 || octet_at(header, 2) != 3) {
    (void)refuse("a record of another TLS version", GNUTLS_A_PROTOCOL_VERSION);
    return 0;
  }
  if (size > RecordCipher::kMostCiphertext) {
    (void)refuse("a record of more than 16384 bytes", GNUTLS_A_RECORD_OVERFLOW);
    return 0;
  }
  return RecordCipher::kHeaderSize + size;
}

void RecordGate::drop_record(Bytes& rest, std::size_t size) {
  if (record_) {
    record_.reset();
    record_have_ = record_need_ = 0;
  } else {
    rest = rest.subspan(size);
  }
}

bool RecordGate::refuse(std::string_view what, gnutls_alert_description_t alert) {
  met_ = Met::refusal;
  refusal_.what = what;
  refusal_.alert = alert;
  return false;
}

// ---- what is in a record

bool RecordGate::look_at(std::uint8_t type, Bytes content) {
  if (type == RecordCipher::kAlert) return take_alert(content);
  if (type == RecordCipher::kHandshake) return take_handshake(content);
  return refuse("a record of a type that has no place after the handshake");
}

bool RecordGate::take_data(std::size_t size) {
  // RFC 8446 section 5.1.
  if (!keys_.is_1_2 && !message_.empty()) {
    return refuse("data in the middle of a handshake message");
  }
  if (size == 0) return true;
  warnings_ = 0;
  tickets_ = 0;
  messages_size_ = 0;
  return true;
}

bool RecordGate::take_alert(Bytes content) {
  if (content.size() < 2) return refuse("an alert of less than two bytes", GNUTLS_A_DECODE_ERROR);
  alert_ = static_cast<std::uint8_t>(octet_at(content, 1));
  if (alert_ == kCloseNotify) {
    met_ = Met::close_notify;
    return false;
  }
  // In TLS 1.3 the level means nothing (RFC 8446 section 6), and user_canceled only says that the
  // end is near.
  const bool is_warning = keys_.is_1_2 ? octet_at(content, 0) == kWarning : alert_ == kUserCanceled;
  if (!is_warning) {
    met_ = Met::fatal_alert;
    return false;
  }
  if (++warnings_ > kMostWarnings) return refuse("warning alerts without end");
  return true;
}

bool RecordGate::take_handshake(Bytes content) {
  // RFC 8446 section 5.1 forbids them; a server could send them without end.
  if (content.empty()) return refuse("an empty fragment of a handshake message");
  while (!content.empty()) {
    const auto take = [&](std::size_t until) {
      const auto fresh = content.first(std::min(content.size(), until - message_.size()));
      message_.insert(message_.end(), fresh.begin(), fresh.end());
      content = content.subspan(fresh.size());
      return message_.size() == until;
    };
    if (message_.size() < kMessageHeaderSize) {
      if (!take(kMessageHeaderSize)) return true;
      // Before the body is waited for: what is refused, or too long, is never collected.
      if (!check_message_header()) return false;
    }
    const std::size_t length =
        octet_at(message_, 1) << 16 | octet_at(message_, 2) << 8 | octet_at(message_, 3);
    if (!take(kMessageHeaderSize + length)) return true;
    if (!take_message(content.empty())) return false;
    std::vector<std::byte>().swap(message_);
  }
  return true;
}

bool RecordGate::check_message_header() {
  const auto type = octet_at(message_, 0);
  const std::size_t length =
      octet_at(message_, 1) << 16 | octet_at(message_, 2) << 8 | octet_at(message_, 3);
  if (keys_.is_1_2) {
    if (type == kHelloRequest && length == 0) return true;
    refusal_.is_renegotiation = true;
    return refuse("a handshake message of a renegotiation");
  }
  if (type == kCertificateRequest) {
    return refuse(
        "a request for a client certificate after the handshake, which is never offered: it has to "
        "ask in the handshake");
  }
  if (type != kNewSessionTicket && type != kKeyUpdate) {
    return refuse("a handshake message that has no place after the handshake");
  }
  if (type == kKeyUpdate && length != 1) {
    return refuse("a KeyUpdate of a wrong length", GNUTLS_A_DECODE_ERROR);
  }
  if (length > kMostMessage) {
    return refuse("a handshake message of more than 128 KiB", GNUTLS_A_ILLEGAL_PARAMETER);
  }
  return true;
}

bool RecordGate::take_message(bool ends_record) {
  switch (octet_at(message_, 0)) {
    case kHelloRequest:
      was_asked_to_renegotiate_ = true;
      return count_message();
    case kKeyUpdate:
      return take_key_update(ends_record);
    default:
      return take_ticket();
  }
}

bool RecordGate::count_message() {
  messages_size_ += static_cast<std::uint32_t>(message_.size());
  return messages_size_ <= kMostMessage || refuse("handshake messages without end");
}

bool RecordGate::take_key_update(bool ends_record) {
  // RFC 8446 section 5.1: nothing of the old keys' may follow.
  if (!ends_record) return refuse("a handshake message behind a KeyUpdate in one record");
  const auto request = octet_at(message_, kMessageHeaderSize);
  if (request > 1) return refuse("a KeyUpdate of an unknown kind", GNUTLS_A_ILLEGAL_PARAMETER);
  if (!secret_.update(keys_)) {
    return refuse("a KeyUpdate that could not be followed", GNUTLS_A_INTERNAL_ERROR);
  }
  if (request == 1) is_key_requested_ = true;
  return count_message();
}

bool RecordGate::take_ticket() {
  if (tickets_ >= kMostTickets) return true;
  ++tickets_;
  // For the length of one call: left in, GnuTLS would give our own messages to it instead of the
  // transport.
  gnutls_handshake_set_read_function(session_, &write_nothing);
  const int error = gnutls_handshake_write(session_, GNUTLS_ENCRYPTION_LEVEL_APPLICATION,
                                           message_.data(), message_.size());
  gnutls_handshake_set_read_function(session_, nullptr);
  if (error == GNUTLS_E_SUCCESS || error == GNUTLS_E_AGAIN) return true;
  return refuse("a session ticket that makes no sense", GNUTLS_A_DECODE_ERROR);
}

}  // namespace tunnel::tls
