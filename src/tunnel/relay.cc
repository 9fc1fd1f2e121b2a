// SPDX-License-Identifier: MIT
#include "tunnel/relay.h"

#include <utility>

#include "base/bytes.h"

namespace tunnel {
namespace {

// How long a client that spoke last may take to show that it had ended, too.
constexpr Millis kBareEndGrace{250};

bool is_reset(int uv_error) { return uv_error == UV_ECONNRESET || uv_error == UV_EPIPE; }

}  // namespace

Outcome client_gone(int uv_error) {
  if (is_reset(uv_error)) {
    return {Kind::reset_by_client, Side::client, "the client reset the connection"};
  }
  return {Kind::connection_lost, Side::client,
          std::string("the client is not reachable any more (") + uv_strerror(uv_error) + ")"};
}

Outcome server_gone(std::string_view target, int uv_error) {
  if (is_reset(uv_error)) {
    return {Kind::reset_by_server, Side::server, std::string(target) + " reset the connection"};
  }
  return {Kind::connection_lost, Side::server,
          std::string(target) + " is not reachable any more (" + uv_strerror(uv_error) + ")"};
}

Relay::Relay(uv::Loop& loop, std::unique_ptr<uv::Stream> client, std::unique_ptr<uv::Stream> server,
             std::unique_ptr<tls::Session> session, const Settings& settings,
             std::string_view target, Owner& owner)
    : loop_(loop),
      settings_(settings),
      target_(target),
      owner_(owner),
      client_(std::move(client)),
      server_(std::move(server)),
      session_(std::move(session)),
      timer_(loop, [this] { on_timer(); }) {}

Relay::~Relay() = default;

void Relay::start() {
  up_.last_byte = down_.last_byte = last_progress_ = loop_.now();
  client_->set_events(client_events_);
  server_->set_events(server_events_);
  server_->start_reading();
  if (beginning_) begin();
  if (mode_ != Mode::relaying) return;
  // The handshake's last packet may have brought the first records along.
  if (session_) open_records();
  if (mode_ != Mode::relaying) return;
  if (server_->pending() == 0) client_->start_reading();
  return arm();
}

void Relay::begin_with(Beginning beginning) {
  if (beginning.greeting.empty() && beginning.surplus.empty() && !beginning.filter) return;
  beginning_ = std::make_unique<Beginning>(std::move(beginning));
}

void Relay::begin() {
  const std::string greeting = std::move(beginning_->greeting);
  const std::string surplus = std::move(beginning_->surplus);
  if (!greeting.empty()) write_down(as_bytes(greeting));
  if (!beginning_->filter) {
    beginning_.reset();
  } else {
    filter(beginning_->filter->on_start());
  }
  if (!surplus.empty() && mode_ == Mode::relaying) send_down(as_bytes(surplus));
}

// What the filter makes of one side's bytes, for both sides.
void Relay::filter(preamble::Step step) {
  if (step.status != preamble::Status::again) beginning_.reset();
  if (!step.to_client.empty()) write_down(as_bytes(step.to_client));
  if (!step.to_server.empty() && mode_ == Mode::relaying) send_up(as_mutable_bytes(step.to_server));
  if (step.status == preamble::Status::failed && mode_ == Mode::relaying) {
    const Side side = step.failure.is_local ? Side::client : Side::server;
    return drain_then_reset(*client_, {step.failure.kind, side, std::move(step.failure.text)});
  }
}

// --- the client's side: plaintext -------------------------------------------------------------

void Relay::client_read(MutableBytes plaintext) {
  up_.bytes += plaintext.size();
  up_.last_byte = loop_.now();
  last_byte_from_ = Side::client;
  if (beginning_) return filter(beginning_->filter->on_client(plaintext));
  return send_up(plaintext);
}

void Relay::send_up(MutableBytes plaintext) {
  if (!session_) return write_up(plaintext);
  OutBuffer out(loop_.output_scratch());
  if (session_->seal(plaintext, out) != tls::Io::done) {
    const Failure& failure = session_->failure();
    return drain_then_reset(*client_, {failure.kind, Side::tunnel, failure.text});
  }
  return write_up(out.filled());
}

void Relay::client_eof() {
  if (client_write_error_ != 0) return client_broken(client_write_error_);
  if (beginning_) filter(beginning_->filter->on_client_end());
  if (mode_ != Mode::relaying) return;
  note_end(Side::client);
  return up_ended();
}

void Relay::client_broken(int uv_error) {
  return drain_then_reset(*server_, client_gone(uv_error));
}

// The client has reset. What it sent before is still in our receive queue and is read to its end,
// where client_eof or client_broken find the error again (the kernel reports it only once).
void Relay::client_write_failed(int uv_error) {
  if (mode_ == Mode::draining) return sink_failed(*client_);
  if (mode_ != Mode::relaying || client_write_error_ != 0) return;
  client_write_error_ = uv_error;
  half_closed_at_ = loop_.now();
  server_->stop_reading();
  if (up_.state != State::open) return client_broken(uv_error);
}

void Relay::client_drained() {
  if (mode_ == Mode::draining) return poll_delivery();
  if (mode_ != Mode::relaying) return;
  last_progress_ = loop_.now();
  if (down_.state == State::ending) return pass_end_down();
  if (down_.state == State::open && client_write_error_ == 0) server_->start_reading();
}

// --- the server's side: records, or plaintext for a plain service ------------------------------

void Relay::server_read(Bytes bytes) {
  if (session_) {
    // After close_notify nothing counts (RFC 8446 section 6.1); reading goes on to see a reset.
    if (down_.state != State::open) return;
    session_->feed(bytes);
    return open_records();
  }
  return send_down(bytes);
}

void Relay::send_down(Bytes plaintext) {
  down_.bytes += plaintext.size();
  down_.last_byte = loop_.now();
  last_byte_from_ = Side::server;
  if (beginning_) return filter(beginning_->filter->on_server(plaintext));
  return write_down(plaintext);
}

// Opens everything that was fed, even when the client stops taking it: the input is only lent.
void Relay::open_records() {
  tls::Io io = tls::Io::done;
  while (io == tls::Io::done && mode_ == Mode::relaying) {
    std::byte memory[1024];  // an alert, at most
    OutBuffer out{MutableBytes(memory)};
    const tls::Session::Opened opened = session_->open(loop_.output_scratch(), out);
    io = opened.io;
    if (opened.size > 0) send_down(loop_.output_scratch().first(opened.size));
    if (!out.empty() && mode_ == Mode::relaying) write_up(out.filled());
  }
  if (mode_ != Mode::relaying) return;
  if (io == tls::Io::closed) {
    server_->start_reading();  // goes on even if the client is slow: a reset must be seen
    note_end(Side::server);
    return down_ended();
  }
  if (io == tls::Io::failed) {
    const Failure& failure = session_->failure();
    return drain_then_reset(*client_, {failure.kind, Side::server, failure.text});
  }
}

void Relay::server_eof() {
  if (down_.state != State::open) return;  // TCP's own end after close_notify
  if (server_write_error_ != 0) return server_broken(server_write_error_);
  if (!session_ || is_bare_end_expected()) {
    note_end(Side::server);
    return down_ended();
  }
  // A client's last word and its FIN are two events for us, and the server may answer the first
  // with its bare end before we have seen the second (MySQL's COM_QUIT). Nothing is lost by
  // waiting.
  if (last_byte_from_ == Side::client && up_.state == State::open) {
    is_bare_end_open_ = true;
    return timer_.start(kBareEndGrace);
  }
  return truncated();
}

void Relay::truncated() {
  is_bare_end_open_ = false;
  if (settings_.on_truncation == config::OnTruncation::reset) {
    return drain_then_reset(
        *client_,
        {Kind::truncated, Side::server,
         std::string(target_) +
             " closed the connection without TLS close_notify, so the data may be incomplete; "
             "set on_truncation = \"eof\" if this server always ends that way"});
  }
  is_truncation_tolerated_ = true;
  note_end(Side::server);
  return down_ended();
}

void Relay::server_broken(int uv_error) {
  if (down_.state == State::open && !is_bare_end_expected()) {
    return drain_then_reset(*client_, server_gone(target_, uv_error));
  }
  // It had said all it wanted to say: an orderly end, and nobody is left to relay to.
  is_server_gone_ = true;
  note_end(Side::server);
  if (down_.state == State::open) return down_ended();
  if (down_.state == State::ended) {
    return finish({Kind::ok, first_end_, ""}, Close::in_order);
  }
}

// The server has reset. What it sent before (an error message, often) is read to its end, where
// server_eof or server_broken find the error again.
void Relay::server_write_failed(int uv_error) {
  if (mode_ == Mode::draining) return sink_failed(*server_);
  if (mode_ != Mode::relaying || server_write_error_ != 0) return;
  server_write_error_ = uv_error;
  half_closed_at_ = loop_.now();
  client_->stop_reading();
  if (down_.state != State::open) return server_broken(uv_error);
}

void Relay::server_drained() {
  if (mode_ == Mode::draining) return poll_delivery();
  if (mode_ != Mode::relaying) return;
  last_progress_ = loop_.now();
  if (up_.state == State::ending) return pass_end_up();
  if (up_.state == State::open && server_write_error_ == 0) client_->start_reading();
}

// MySQL's way: the client ended first, the server had nothing more to say and just closes.
bool Relay::is_bare_end_expected() const {
  return session_ && is_close_notify_sent_ && down_.bytes == bytes_down_at_close_notify_;
}

// --- both ways ---------------------------------------------------------------------------------

void Relay::write_up(Bytes bytes) {
  if (server_write_error_ != 0) return;
  switch (server_->write(bytes)) {
    case uv::Stream::Written::done:
      return;
    case uv::Stream::Written::pending:
      return hold_back(*client_);
    case uv::Stream::Written::failed:
      return server_write_failed(server_->write_error());
  }
}

void Relay::write_down(Bytes bytes) {
  if (client_write_error_ != 0) return;
  switch (client_->write(bytes)) {
    case uv::Stream::Written::done:
      return;
    case uv::Stream::Written::pending:
      return hold_back(*server_);
    case uv::Stream::Written::failed:
      return client_write_failed(client_->write_error());
  }
}

void Relay::note_end(Side side) {
  half_closed_at_ = loop_.now();
  if (has_end_) return;
  has_end_ = true;
  first_end_ = side;
}

void Relay::up_ended() {
  up_.state = State::ending;
  if (server_->pending() == 0) return pass_end_up();
  return arm();
}

void Relay::pass_end_up() {
  if (session_ && !is_close_notify_sent_) {
    is_close_notify_sent_ = true;
    bytes_down_at_close_notify_ = down_.bytes;
    OutBuffer out(loop_.output_scratch());
    if (session_->close(out) == tls::Io::done) write_up(out.filled());
    if (mode_ != Mode::relaying) return;
    if (server_->pending() > 0 && server_write_error_ == 0) return arm();
  }
  // A TLS server gets TCP's own FIN when both directions are done: some servers take an early one
  // for the end of everything.
  if (!session_) server_->shutdown();
  up_.state = State::ended;
  if (is_bare_end_open_) {
    is_bare_end_open_ = false;
    note_end(Side::server);
    return down_ended();
  }
  return finish_if_both_ended();
}

void Relay::down_ended() {
  if (beginning_) filter(beginning_->filter->on_server_end(preamble::End::eof));
  if (mode_ != Mode::relaying) return;
  down_.state = State::ending;
  if (client_->pending() == 0) return pass_end_down();
  return arm();
}

void Relay::pass_end_down() {
  client_->shutdown();
  down_.state = State::ended;
  if (is_server_gone_) return finish({Kind::ok, first_end_, ""}, Close::in_order);
  return finish_if_both_ended();
}

void Relay::finish_if_both_ended() {
  if (up_.state != State::ended || down_.state != State::ended) return arm();
  if (is_truncation_tolerated_) {
    return finish(
        {Kind::truncated, first_end_,
         std::string(target_) + " closed the connection without TLS close_notify (tolerated by "
                                "on_truncation = \"eof\")"},
        Close::in_order);
  }
  return finish({Kind::ok, first_end_, ""}, Close::in_order);
}

// The one place that ends it. The owner keeps this object until the end of the turn.
void Relay::finish(Outcome outcome, Close how) {
  if (mode_ == Mode::over) return;
  mode_ = Mode::over;
  timer_.release();
  if (session_ && outcome.kind == Kind::ok) outcome.text = session_->remark();
  owner_.on_relay_ended(outcome);
  if (how == Close::reset) {
    client_->reset();
    server_->reset();
  }
  client_.reset();
  server_.reset();
  session_.reset();
  beginning_.reset();
  drain_.reset();
}

}  // namespace tunnel
