// SPDX-License-Identifier: MIT
// How a Relay ends when its two sides do not end it in order: by a reset, by time, by the process.
#include <algorithm>
#include <utility>

#include "tunnel/relay.h"
#include "tunnel/relay_outcome.h"

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

// No event tells that a source which is held back has reset, so it is looked at; one timer for as
// long as it lasts, for this happens often while much is moved.
void Relay::on_held_back(Direction&) {
  if (look_at_ != TimePoint::max()) return;
  look_at_ = loop_.now() + kLook;
  return arm();
}

void Relay::look() {
  const bool is_client_held = up_.is_held_back();
  const bool is_server_held = down_.is_held_back();
  look_at_ = is_client_held || is_server_held ? loop_.now() + kLook : TimePoint::max();
  if (is_client_held) {
    // It is known to have reset, and its bytes wait for the server.
    if (client_.lost() != 0 && is_legacy_refused()) {
      return finish(client_gone(client_.lost()), Close::reset);
    }
    up_.look();
  }
  if (is_server_held && mode_ == Mode::relaying) down_.look();
}

// Whether the server has stopped to take what is left of a client that has reset.
bool Relay::is_legacy_refused() {
  const std::size_t left = server_.undelivered();
  const TimePoint now = loop_.now();
  if (!legacy_ || left != legacy_->left) legacy_ = Legacy{left, now};
  return now - legacy_->taken_at >= kLegacyPatience;
}

// --- ends that are resets ----------------------------------------------------------------------

// The source that feeds `sink` is broken: when `sink` has everything that arrived, both are reset.
void Relay::drain_then_reset(Channel& sink, Outcome outcome) {
  if (mode_ != Mode::relaying) return;
  mode_ = Mode::draining;
  owner_.on_draining();
  up_.stop();
  down_.stop();
  const TimePoint until =
      settings_.half_close ? loop_.now() + *settings_.half_close : TimePoint::max();
  drain_ = std::make_unique<Drain>(Drain{sink, until, kFirstPoll, std::move(outcome)});
  return poll_delivery();
}

// An RST makes the kernel throw away what it has not sent yet, and a slow reader's window may keep
// data here for long: so ask until the send queue is empty. SIOCOUTQ has no event to wait for.
void Relay::poll_delivery() {
  const TimePoint now = loop_.now();
  const Channel& sink = drain_->sink;
  const bool is_hopeless = now >= drain_->until || sink.lost() != 0 || sink.is_hung_up() ||
                           (&sink == &server_ && is_legacy_refused());
  if (sink.is_delivered() || is_hopeless) return finish(std::move(drain_->outcome), Close::reset);
  timer_.start(std::min(drain_->poll, drain_->until - now));
  drain_->poll = std::min(drain_->poll * 2, kSlowestPoll);
}

// --- time --------------------------------------------------------------------------------------

bool Relay::is_half_closed() const {
  return up_.state() != Direction::State::open || down_.state() != Direction::State::open ||
         client_.lost() != 0 || server_.lost() != 0;
}

// Counted from the last byte of the direction that is still open.
TimePoint Relay::half_close_began() const { return std::max(activity_.at, half_closed_at_); }

// Bytes do not move the timer: it looks at the clock when it expires and goes on from there.
void Relay::arm() {
  // Draining and a bare end have the timer for themselves.
  if (mode_ != Mode::relaying || server_end_ == ServerEnd::bare) return;
  TimePoint next = look_at_;
  const TimePoint now = loop_.now();
  if (settings_.idle) next = std::min(next, activity_.at + *settings_.idle);
  if (is_half_closed() && settings_.half_close) {
    next = std::min(next, half_close_began() + *settings_.half_close);
  }
  if (is_stopping_) next = std::min(next, std::max(activity_.at + kPoolQuiet, now + kPoolLook));
  if (next == TimePoint::max()) return timer_.release();
  pending_seen_ = client_.pending() + server_.pending();
  timer_.start(std::max(Millis(1), next - now));
}

void Relay::on_timer() {
  if (mode_ == Mode::draining) return poll_delivery();
  if (server_end_ == ServerEnd::bare) return truncated();
  const TimePoint now = loop_.now();
  // A slow sink has taken something.
  if (client_.pending() + server_.pending() != pending_seen_) activity_.at = now;
  if (now >= look_at_) look();
  if (mode_ != Mode::relaying) return;
  if (is_stopping_ && is_idle_in_pool()) return end_idle();
  if (is_half_closed() && settings_.half_close &&
      now - half_close_began() >= *settings_.half_close) {
    return half_close_expired();
  }
  if (settings_.idle && now - activity_.at >= *settings_.idle) {
    return finish(idle_for(*settings_.idle), Close::reset);
  }
  return arm();
}

// A side that is known to be lost says more about the reason than the time that has passed.
void Relay::half_close_expired() {
  if (client_.lost() != 0) return finish(client_gone(client_.lost()), Close::reset);
  if (server_.lost() != 0) return finish(server_gone(target_, server_.lost()), Close::reset);
  return finish(half_closed_for(*settings_.half_close), Close::reset);
}

// --- ends from outside: the process stops, the target is dead, a better one is back ------------

void Relay::stop_when_idle() {
  loop_.assert_here();
  is_stopping_ = true;
  return arm();
}

void Relay::stay() {
  loop_.assert_here();
  is_stopping_ = false;
  return arm();
}

bool Relay::is_idle_in_pool() const {
  return loop_.now() - activity_.at >= kPoolQuiet && activity_.last_byte_from == Side::server &&
         client_.pending() == 0 && server_.pending() == 0;
}

// The goodbye is for the server; finish() closes both streams, which sends each a FIN behind it.
void Relay::end_idle() {
  up_.stop();
  down_.stop();
  (void)server_.close();
  return finish({Kind::ok, Side::tunnel, ""}, Close::in_order);
}

void Relay::abort(Outcome why) {
  loop_.assert_here();
  return finish(std::move(why), Close::reset);
}

}  // namespace tunnel
