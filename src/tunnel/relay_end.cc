// SPDX-License-Identifier: MIT
// How a Relay ends when its two sides do not end it in order: by a reset, by time, by the process.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "tunnel/relay.h"

namespace tunnel {
namespace {

// How long a connection must have been quiet to count as idle in a pool when the process stops.
constexpr Millis kPoolQuiet{2000};
// How often to look at one that is quiet and not idle: a server that is dead may owe its answer
// for long. Less than kPoolQuiet, so that no byte is missed.
constexpr Millis kPoolLook{1000};
// Whether the kernel has delivered everything can only be asked, not waited for.
constexpr Millis kFirstPoll{1};
constexpr Millis kSlowestPoll{100};
// A side that is not read tells nothing by itself: this often it is asked.
constexpr Millis kLook{1000};
// A client that has reset wants nothing any more. What it said before still goes to its server, but
// only while that goes on reading.
constexpr Millis kLegacyPatience{3000};

}  // namespace

// --- sides that are held back ------------------------------------------------------------------

// The other side must take what is pending before more is read. No event tells meanwhile that the
// source has reset, so it is looked at; one timer for as long as it lasts, for this happens often
// while much is moved.
void Relay::hold_back(uv::Stream& source) {
  source.stop_reading();
  if (look_at_ != TimePoint::max()) return;
  look_at_ = loop_.now() + kLook;
  return arm();
}

void Relay::look() {
  const bool is_client_held = up_.state == State::open && !client_->is_reading();
  const bool is_server_held = down_.state == State::open && !server_->is_reading();
  look_at_ = is_client_held || is_server_held ? loop_.now() + kLook : TimePoint::max();
  if (is_client_held) look_at_client();
  if (is_server_held && mode_ == Mode::relaying) look_at_server();
}

// When nothing is left to be read, reading brings the end, and only that. Otherwise the bytes wait
// for the server, but it is known that they are the last.
void Relay::look_at_client() {
  if (client_write_error_ != 0) {
    if (is_legacy_refused()) return finish(client_gone(client_write_error_), Close::reset);
    return;
  }
  if (!client_->is_hung_up()) return;
  if (!client_->has_unread()) return client_->start_reading();
  if (const int error = client_->find_error(); error != 0) return client_write_failed(error);
}

void Relay::look_at_server() {
  if (server_write_error_ != 0 || !server_->is_hung_up()) return;
  if (!server_->has_unread()) return server_->start_reading();
  if (const int error = server_->find_error(); error != 0) return server_write_failed(error);
}

// Whether the server has stopped to take what is left of a client that has reset.
bool Relay::is_legacy_refused() {
  const std::size_t left = server_->undelivered();
  const TimePoint now = loop_.now();
  if (!legacy_ || left != legacy_->left) legacy_ = Legacy{left, now};
  return now - legacy_->taken_at >= kLegacyPatience;
}

// --- ends that are resets ----------------------------------------------------------------------

// The source that feeds `sink` is broken: when `sink` has everything that arrived, both are reset.
void Relay::drain_then_reset(uv::Stream& sink, Outcome outcome) {
  if (mode_ != Mode::relaying) return;
  mode_ = Mode::draining;
  client_->stop_reading();
  server_->stop_reading();
  const TimePoint until =
      settings_.half_close ? loop_.now() + *settings_.half_close : TimePoint::max();
  drain_ = std::make_unique<Drain>(Drain{&sink, until, kFirstPoll, std::move(outcome)});
  return poll_delivery();
}

// An RST makes the kernel throw away what it has not sent yet, and a slow reader's window may keep
// data here for long: so ask until the send queue is empty. SIOCOUTQ has no event to wait for.
void Relay::poll_delivery() {
  const TimePoint now = loop_.now();
  const bool is_delivered = drain_->sink->pending() == 0 && drain_->sink->is_delivered();
  const bool is_hopeless = now >= drain_->until || drain_->sink->is_hung_up() ||
                           (drain_->sink == server_.get() && is_legacy_refused());
  if (is_delivered || is_hopeless) return finish(std::move(drain_->outcome), Close::reset);
  timer_.start(std::min(drain_->poll, drain_->until - now));
  drain_->poll = std::min(drain_->poll * 2, kSlowestPoll);
}

// Whoever was still to get the last bytes is gone too.
void Relay::sink_failed(const uv::Stream& sink) {
  if (drain_->sink == &sink) return finish(std::move(drain_->outcome), Close::reset);
}

// --- time --------------------------------------------------------------------------------------

bool Relay::is_half_closed() const {
  return up_.state != State::open || down_.state != State::open || client_write_error_ != 0 ||
         server_write_error_ != 0;
}

TimePoint Relay::last_activity() const {
  return std::max({up_.last_byte, down_.last_byte, last_progress_});
}

// Bytes do not move the timer: it looks at the clock when it expires and goes on from there.
void Relay::arm() {
  if (mode_ != Mode::relaying || is_bare_end_open_) return;
  TimePoint next = TimePoint::max();
  const TimePoint now = loop_.now();
  if (settings_.idle) next = std::min(next, last_activity() + *settings_.idle);
  if (is_half_closed() && settings_.half_close) {
    next = std::min(next, std::max(last_activity(), half_closed_at_) + *settings_.half_close);
  }
  if (is_stopping_) next = std::min(next, std::max(last_activity() + kPoolQuiet, now + kPoolLook));
  next = std::min(next, look_at_);
  if (next == TimePoint::max()) return timer_.release();
  pending_seen_ = client_->pending() + server_->pending();
  timer_.start(std::max(Millis(1), next - now));
}

void Relay::on_timer() {
  if (mode_ == Mode::draining) return poll_delivery();
  if (is_bare_end_open_) return truncated();
  const TimePoint now = loop_.now();
  if (client_->pending() + server_->pending() != pending_seen_) last_progress_ = now;
  if (now >= look_at_) look();
  if (mode_ != Mode::relaying) return;
  if (is_stopping_ && is_idle_in_pool()) return end_idle();
  if (is_half_closed() && settings_.half_close &&
      now - std::max(last_activity(), half_closed_at_) >= *settings_.half_close) {
    if (client_write_error_ != 0) return finish(client_gone(client_write_error_), Close::reset);
    if (server_write_error_ != 0) {
      return finish(server_gone(target_, server_write_error_), Close::reset);
    }
    return finish({Kind::half_close_timeout, Side::tunnel,
                   "one side had ended, and the other sent nothing for " +
                       format_duration(*settings_.half_close) + " (timeouts.half_close)"},
                  Close::reset);
  }
  if (settings_.idle && now - last_activity() >= *settings_.idle) {
    return finish({Kind::idle_timeout, Side::tunnel,
                   "no byte in either direction for " + format_duration(*settings_.idle) +
                       " (timeouts.idle)"},
                  Close::reset);
  }
  return arm();
}

// --- ends from outside: the process stops, the target is dead, a better one is back ------------

void Relay::stop_when_idle() {
  is_stopping_ = true;
  return arm();
}

void Relay::stay() {
  is_stopping_ = false;
  return arm();
}

bool Relay::is_idle_in_pool() const {
  return loop_.now() - last_activity() >= kPoolQuiet && last_byte_from_ == Side::server &&
         client_->pending() == 0 && server_->pending() == 0;
}

void Relay::end_idle() {
  if (session_ && !is_close_notify_sent_) {
    is_close_notify_sent_ = true;
    OutBuffer out(loop_.output_scratch());
    if (session_->close(out) == tls::Io::done) (void)server_->write(out.filled());
  }
  return finish({Kind::ok, Side::tunnel, ""}, Close::in_order);
}

void Relay::abort(Outcome why) {
  if (mode_ == Mode::over) return;
  return finish(std::move(why), Close::reset);
}

}  // namespace tunnel
