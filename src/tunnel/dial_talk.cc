// SPDX-License-Identifier: MIT
// What a Dial says to a server that it has reached, until the connection is established.
#include <algorithm>
#include <utility>

#include "tunnel/dial.h"

namespace tunnel {

// --- the conversations before TLS --------------------------------------------------------------

void Dial::converse() {
  if (!enter(Phase::preamble)) return;
  const x509::Peer peer = expected_peer(target_, settings_);
  conversation_ = preamble::make_preamble({.service = *settings_.service,
                                           .target = target_.text,
                                           .host = target_.host,
                                           .port = target_.port,
                                           .tls_name = x509::host_of(peer, target_.host),
                                           .client = caller_.client,
                                           .accepted = caller_.accepted,
                                           .purpose = caller_.purpose,
                                           .proxy = hop().proxy});
  stream_->start_reading();
  return act_on(conversation_->on_start());
}

void Dial::act_on(preamble::Step step) {
  // As in handshake(): an error of writing is found again by reading, behind what the server has
  // said.
  if (!step.to_server.empty()) (void)stream_->write(as_bytes(step.to_server));
  if (!step.to_client.empty()) owner_.on_bytes_for_client(step.to_client);
  const bool is_wanted = step.status == preamble::Status::again && conversation_->wants_client();
  if (is_wanted != is_client_wanted_) {
    is_client_wanted_ = is_wanted;
    owner_.on_client_wanted(is_wanted);
  }
  switch (step.status) {
    case preamble::Status::again:
      return;
    case preamble::Status::failed:
      return address_failed(std::move(step.failure));
    case preamble::Status::done:
      break;
  }
  greeting_ = std::move(step.greeting);
  surplus_ = std::move(step.surplus);
  filter_ = conversation_->take_filter();
  return begin_tls();
}

void Dial::on_client(Bytes bytes) {
  if (phase_ == Phase::preamble) return act_on(conversation_->on_client(bytes));
}

// --- TLS ---------------------------------------------------------------------------------------

void Dial::begin_tls() {
  if (settings_.tls == nullptr) return established();
  if (!enter(Phase::handshaking)) return;
  x509::Peer peer = expected_peer(target_, settings_);
  peer.attempt = attempt_;
  session_ = std::make_unique<tls::Session>(*settings_.tls, std::move(peer), caller_.remembered,
                                            tickets_, caller_.evidence);
  if (secrets_ != nullptr) session_->tell(*secrets_);
  stream_->start_reading();
  // Kept on the stack until the handshake has returned: the session only borrows its input.
  const std::string early = std::move(surplus_);
  surplus_.clear();
  return handshake(as_bytes(early));
}

void Dial::handshake(Bytes input) {
  OutBuffer out(loop_.output_scratch());
  session_->feed(input);
  const tls::Io io = session_->handshake(out);
  // A write error is not acted on here: what the server sent before it went away (an alert, a
  // greeting) says more about the reason, and reading ends with the same error.
  if (!out.empty()) (void)stream_->write(out.filled());
  switch (io) {
    case tls::Io::again:
      return;
    case tls::Io::done:
      return established();
    case tls::Io::closed:
    case tls::Io::failed:
      break;
  }
  return address_failed(session_->failure());
}

void Dial::established() {
  deadline_.stop();
  book_.note_worked(address_);
  if (!enter(Phase::established)) return;
  return owner_.on_established();
}

// --- the server's stream, until it is taken ----------------------------------------------------

void Dial::on_read(MutableBytes bytes) {
  // The server has answered: from now on the handshake is timed, not the connect.
  if (std::exchange(is_unproven_, false)) limit_time();
  if (phase_ == Phase::preamble) return act_on(conversation_->on_server(bytes));
  return handshake(bytes);
}

void Dial::on_eof() { return transport_ended(tls::Session::End::eof); }

void Dial::on_read_error(int status) {
  // With TCP_FASTOPEN_CONNECT the SYN goes out with the first write, and what connect(2) would have
  // said comes here.
  const bool is_unreached = is_unproven_ && (status == UV_ECONNREFUSED || status == UV_ETIMEDOUT ||
                                             status == UV_EHOSTUNREACH || status == UV_ENETUNREACH);
  if (is_unreached) return unreachable(connect_failure(address_, status));
  return transport_ended(tls::Session::End::reset);
}

void Dial::on_write_error(int) {}

void Dial::transport_ended(tls::Session::End end) {
  if (phase_ == Phase::preamble) {
    const bool is_eof = end == tls::Session::End::eof;
    preamble::Step step =
        conversation_->on_server_end(is_eof ? preamble::End::eof : preamble::End::reset);
    if (step.status != preamble::Status::again) return act_on(std::move(step));
    return address_failed({Kind::tls_closed,
                           target_.text + " closed the connection while it was asked for " +
                               conversation_->waiting_for(),
                           false});
  }
  return address_failed(session_->transport_ended(end));
}

}  // namespace tunnel
