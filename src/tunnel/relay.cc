// SPDX-License-Identifier: MIT
#include "tunnel/relay.h"

#include <utility>

#include "base/bytes.h"
#include "tunnel/relay_outcome.h"
#include "uv/stream.h"

namespace tunnel {
namespace {

// How long a client that spoke last may take to show that it had ended, too.
constexpr Millis kBareEndGrace{250};

}  // namespace

Relay::Relay(uv::Loop& loop, Ends ends, const Settings& settings, Owner& owner)
    : loop_(loop),
      settings_(settings),
      target_(ends.target),
      owner_(owner),
      client_(loop, std::move(ends.client)),
      server_(loop, std::move(ends.server), std::move(ends.session)),
      timer_(loop, [this] { on_timer(); }),
      up_({Side::client, client_, server_, activity_,
           ends.of_service != nullptr ? &ends.of_service->up : nullptr,
           ends.of_target != nullptr ? &ends.of_target->up : nullptr},
          *this),
      down_({Side::server, server_, client_, activity_,
             ends.of_service != nullptr ? &ends.of_service->down : nullptr,
             ends.of_target != nullptr ? &ends.of_target->down : nullptr},
            *this),
      // A client that has seen this server's greeting cannot be given another server.
      is_replaceable_(ends.is_replaceable && ends.greeting.empty()) {
  if (ends.greeting.empty() && ends.surplus.empty() && !ends.filter) return;
  beginning_ = std::make_unique<Beginning>(
      Beginning{std::move(ends.greeting), std::move(ends.surplus), std::move(ends.filter)});
}

Relay::~Relay() = default;

// --- the beginning -----------------------------------------------------------------------------

// What the server has said already (a greeting, records that came with the handshake's last packet)
// goes to the client before the client is read. Each step may end the relay.
void Relay::start() {
  loop_.assert_here();
  activity_.at = loop_.now();
  client_.attach(up_, down_);
  server_.attach(down_, up_);
  server_.start_reading();
  if (beginning_) begin();
  if (mode_ != Mode::relaying) return;
  server_.open_held();
  if (mode_ != Mode::relaying) return;
  if (server_.pending() == 0) client_.start_reading();
  return arm();
}

void Relay::begin() {
  std::string greeting = std::move(beginning_->greeting);
  std::string surplus = std::move(beginning_->surplus);
  if (!greeting.empty()) down_.send(as_mutable_bytes(greeting));
  if (!beginning_->filter) {
    beginning_.reset();
  } else {
    up_.set_filtered(true);
    down_.set_filtered(true);
    filter(beginning_->filter->on_start());
  }
  if (!surplus.empty() && mode_ == Mode::relaying) down_.on_plaintext(as_mutable_bytes(surplus));
}

void Relay::on_filtered(Direction& direction, MutableBytes plaintext) {
  preamble::Conversation& filter_in_force = *beginning_->filter;
  return filter(direction.from() == Side::client ? filter_in_force.on_client(plaintext)
                                                 : filter_in_force.on_server(plaintext));
}

// What the filter makes of one side's bytes, for both sides.
void Relay::filter(preamble::Step step) {
  // First: what is sent below is the filter's last word, and must not pass through it again.
  if (step.status != preamble::Status::again) end_filter();
  if (!step.to_client.empty() || !step.to_server.empty()) is_replaceable_ = false;
  if (!step.to_client.empty()) down_.send(as_mutable_bytes(step.to_client));
  if (!step.to_server.empty() && mode_ == Mode::relaying) {
    up_.send(as_mutable_bytes(step.to_server));
  }
  if (step.status == preamble::Status::failed && mode_ == Mode::relaying) {
    const Side side = step.failure.is_local ? Side::client : Side::server;
    return drain_then_reset(client_, {step.failure.kind, side, std::move(step.failure.text)});
  }
}

void Relay::end_filter() {
  up_.set_filtered(false);
  down_.set_filtered(false);
  beginning_.reset();
}

// --- while it lasts ----------------------------------------------------------------------------

void Relay::on_sink_drained(Direction& direction) {
  if (mode_ == Mode::draining) return poll_delivery();
  if (mode_ != Mode::relaying) return;
  activity_.at = loop_.now();
  direction.go_on();
  if (direction.state() == Direction::State::ending) return arm();
}

// --- ends of a source --------------------------------------------------------------------------

void Relay::on_source_ended(Direction& direction, Channel::End end) {
  const bool is_client = &direction == &up_;
  if (!is_client && is_unused()) return give_client_back();
  int uv_error = end.uv_error;
  switch (end.how) {
    case Channel::End::How::close_notify:
      return ended_in_order(direction);
    case Channel::End::How::fin:
      // The kernel reports an error only once, and writing has found it.
      uv_error = direction.source().lost();
      if (uv_error != 0) break;
      if (!direction.source().speaks_tls()) return ended_in_order(direction);
      return ended_bare();
    case Channel::End::How::reset:
      break;
    case Channel::End::How::failed: {
      const Failure& failure = direction.source().failure();
      return drain_then_reset(client_, {failure.kind, Side::server, failure.text});
    }
  }
  return is_client ? client_broken(uv_error) : server_broken(uv_error);
}

// The client, which has neither heard nor said anything, need not know of this server.
bool Relay::is_unused() const {
  return is_replaceable_ && !is_stopping_ && mode_ == Mode::relaying &&
         up_.state() == Direction::State::open && up_.bytes() == 0 && down_.bytes() == 0 &&
         client_.lost() == 0;
}

void Relay::give_client_back() {
  mode_ = Mode::over;
  up_.stop();
  down_.stop();
  timer_.release();
  beginning_.reset();
  server_.release();
  // The client's stream is open and was read, but no byte had come: it is as fresh as when it was
  // accepted.
  return owner_.on_server_unused(client_.take_apart().stream);
}

void Relay::ended_in_order(Direction& direction) {
  if (beginning_) {
    filter(&direction == &up_ ? beginning_->filter->on_client_end()
                              : beginning_->filter->on_server_end(preamble::End::eof));
  }
  if (mode_ != Mode::relaying) return;
  note_end(direction.from());
  direction.end();
  if (mode_ == Mode::relaying) return arm();
}

// The server has closed without close_notify.
void Relay::ended_bare() {
  if (server_.is_bare_end_expected()) return ended_in_order(down_);
  // A client's last word and its FIN are two events for us, and the server may answer the first
  // with its bare end before we have seen the second (MySQL's COM_QUIT). Nothing is lost by
  // waiting.
  if (activity_.last_byte_from == Side::client && up_.state() == Direction::State::open) {
    server_end_ = ServerEnd::bare;
    return timer_.start(kBareEndGrace);
  }
  return truncated();
}

void Relay::truncated() {
  server_end_ = ServerEnd::in_order;
  if (settings_.on_truncation == config::OnTruncation::reset) {
    return drain_then_reset(client_, truncated_by(target_));
  }
  server_end_ = ServerEnd::tolerated;
  return ended_in_order(down_);
}

void Relay::client_broken(int uv_error) { return drain_then_reset(server_, client_gone(uv_error)); }

void Relay::server_broken(int uv_error) {
  const bool is_open = down_.state() == Direction::State::open;
  // It has ended it so itself; a server that is not reachable any more, say, has not.
  const bool is_bare_end = uv_error == UV_ECONNRESET || uv_error == UV_EPIPE;
  if (is_open && !(is_bare_end && server_.is_bare_end_expected())) {
    return drain_then_reset(client_, server_gone(target_, uv_error));
  }
  // It had said all it wanted to say: an orderly end, and nobody is left to relay to.
  server_end_ = ServerEnd::gone;
  if (is_open) return ended_in_order(down_);
  note_end(Side::server);
  if (down_.state() == Direction::State::ended) return both_ended();
}

// A sink has reset. What it sent before (an error message, often) is read to its end, which finds
// the error again. When it had ended already, there is nothing to wait for.
void Relay::on_sink_lost(Direction& direction) {
  if (mode_ == Mode::draining) {
    // The side that was still to get the last bytes is gone too.
    if (drain_->sink.lost() != 0) return finish(std::move(drain_->outcome), Close::reset);
    return;
  }
  if (mode_ != Mode::relaying) return;
  half_closed_at_ = loop_.now();
  // A side that is gone tells more when what it has sent is read, and one that only reads no more
  // may go on. One that is there all the same (the system has no buffers, a filter forbids it)
  // would tell nothing.
  const auto has_more_to_tell = [](const Channel& channel, const Direction& from) {
    return from.state() == Direction::State::open &&
           (channel.is_hung_up() || channel.only_stopped_reading());
  };
  if (&direction == &down_) {
    if (!has_more_to_tell(client_, up_)) return client_broken(client_.lost());
  } else if (!has_more_to_tell(server_, down_)) {
    return server_broken(server_.lost());
  }
}

void Relay::on_sink_failed(Direction&) {
  const Failure& failure = server_.failure();
  return drain_then_reset(client_, {failure.kind, Side::tunnel, failure.text});
}

// --- ends that are in order --------------------------------------------------------------------

void Relay::note_end(Side side) {
  half_closed_at_ = loop_.now();
  if (first_end_) return;
  first_end_ = side;
  owner_.on_half_closed();
}

void Relay::on_end_passed(Direction& direction) {
  if (&direction == &down_ && server_end_ == ServerEnd::gone) return both_ended();
  if (&direction == &up_ && server_end_ == ServerEnd::bare) {
    server_end_ = ServerEnd::in_order;
    return ended_in_order(down_);
  }
  const bool are_both_ended =
      up_.state() == Direction::State::ended && down_.state() == Direction::State::ended;
  return are_both_ended ? both_ended() : arm();
}

void Relay::both_ended() {
  if (server_end_ == ServerEnd::tolerated) {
    return finish(truncation_tolerated(target_, *first_end_), Close::in_order);
  }
  return finish({Kind::ok, *first_end_, ""}, Close::in_order);
}

// The one place that ends it. The owner keeps this object until the end of the turn.
void Relay::finish(Outcome outcome, Close how) {
  if (mode_ == Mode::over) return;
  mode_ = Mode::over;
  up_.stop();
  down_.stop();
  timer_.release();
  if (server_.speaks_tls() && outcome.kind == Kind::ok) outcome.text = server_.session()->remark();
  owner_.on_relay_ended(outcome);
  if (how == Close::reset) {
    client_.reset();
    server_.reset();
  }
  client_.release();
  server_.release();
  beginning_.reset();
  drain_.reset();
}

}  // namespace tunnel
