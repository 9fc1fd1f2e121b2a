// SPDX-License-Identifier: MIT
#include "tunnel/spare.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "tunnel/failed_attempts.h"

namespace tunnel {
namespace {

// Between two looks at one that waits: its age, its target, and whether clients need its slot.
constexpr Millis kLookAgain{1'000};
// What a server may say before there is a client. Beyond it the server has to wait.
constexpr std::size_t kLongestGreeting = 65'536;

}  // namespace

Spare::Spare(const Setting& setting, Owner& owner)
    : setting_(setting), owner_(owner), timer_(loop(), [this] { on_timer(); }) {}

Spare::~Spare() = default;

void Spare::start() { timer_.start(Millis(1)); }

void Spare::on_timer() {
  switch (state_) {
    case State::resting:
      return begin();
    case State::dialling:
      return gave_up();
    case State::ready:
      return look();
  }
}

// --- towards a target ----------------------------------------------------------------------------

// A spare goes round: it rests, dials (one target after another, as for a client), is ready, and
// rests again when it was handed over, was lost or is not wanted any more. How long it rests is its
// owner's to say, so that a server which ends each connection soon is not asked without end.
void Spare::begin() {
  const std::shared_ptr<const balance::Layout>& layout = owner_.layout();
  // Clients that wait for a slot come first.
  if (!layout || layout->waiters().count() > 0) return rest(kLookAgain);
  state_ = State::dialling;
  // There is no client whose address could decide: `preconnect` excludes balance = "hash".
  walk_ = std::make_unique<balance::Walk>(layout, SocketAddress::loopback_v4(0),
                                          setting_.surroundings.random);
  timer_.stop();
  if (const auto limit = config().timeouts.dial) timer_.start(*limit);
  return dial_next();
}

void Spare::dial_next() {
  balance::Walk::Next next = walk_->next(loop().now());
  // It does not wait for a slot, which clients may need, too.
  if (next.step != balance::Walk::Step::claimed) return rest(owner_.back_off());
  claim_ = std::move(next.claim);
  dial_ = std::make_unique<Dial>(
      loop(), setting_.surroundings.book,
      Dial::Task{.target = claim_.target().endpoint(),
                 .settings = setting_.service.config->dial,
                 .caller = {preamble::Purpose::client, {}, {}, &setting_.remembered},
                 .tried = tried_},
      *this);
  return dial_->start();
}

void Spare::on_dial_failed() {
  const DialFailure failure = dial_->failure();
  note_times();
  owner_.report_failed(claim_, failure);
  return dial_next();
}

void Spare::gave_up() {
  if (!claim_) return rest(owner_.back_off());
  const DialFailure failure =
      gave_up_on(claim_.target().text(), dial_->phase(), *config().timeouts.dial);
  note_times();
  dial_->abandon();
  owner_.report_failed(claim_, failure);
  return rest(owner_.back_off());
}

// The phases of its dials count like those of a client's.
void Spare::note_times() { return setting_.service.life->tally.observe(dial_->times()); }

void Spare::on_established() {
  note_times();
  owner_.report_established(claim_);
  greeting_ = dial_->take_greeting();
  surplus_ = dial_->take_surplus();
  filter_ = dial_->take_filter();
  channel_ = std::make_unique<Channel>(loop(), dial_->take_stream(), dial_->take_session());
  const std::unique_ptr<Dial> done = std::move(dial_);  // it is on the stack until we return
  walk_.reset();
  state_ = State::ready;
  established_at_ = loop().now();
  timer_.start(std::min(kLookAgain, config().preconnect_age));
  channel_->attach(*this, *this);
  channel_->start_reading();
  channel_->open_held();
  // Opening what the session held may have found the server's end, or its refusal of our
  // certificate.
  if (state_ == State::ready) return owner_.on_changed();
}

// --- while it waits ------------------------------------------------------------------------------

void Spare::on_plaintext(MutableBytes plaintext) {
  surplus_ += as_text(plaintext);
  // The rest stays in the kernel's buffers, and the server is held back by TCP.
  if (surplus_.size() >= kLongestGreeting) channel_->stop_reading();
}

// TLS 1.3 servers reject a client certificate after the handshake: that is a failed dial all the
// same. Else the server has only lost its patience.
void Spare::on_end(Channel::End end) {
  if (end.how == Channel::End::How::failed) {
    const Failure failure = channel_->failure();
    const bool is_rejected =
        failure.kind == Kind::client_cert_rejected || failure.kind == Kind::tls_alert;
    if (is_rejected && !channel_->session()->negotiated().resumed) {
      owner_.report_failed(claim_, {{failure.kind, failure.text, false}});
    }
  }
  return on_lost();
}

void Spare::on_lost() {
  const bool is_early = loop().now() - established_at_ < kEarly;
  return rest(is_early ? owner_.back_off() : Millis(0));
}

void Spare::look() {
  const Millis age = loop().now() - established_at_;
  if (age >= kEarly) owner_.note_good();
  if (owner_.layout()->waiters().count() > 0) return replace(kLookAgain);
  if (!is_wanted()) return replace(owner_.back_off());
  if (age >= config().preconnect_age) return replace(Millis(0));
  // One that is held back hears of no end.
  if (!channel_->is_reading() && channel_->is_hung_up()) return on_lost();
  timer_.start(std::min(kLookAgain, config().preconnect_age - age));
}

void Spare::reconsider() {
  if (state_ == State::ready && !is_wanted()) replace(owner_.back_off());
}

// Whether a client that came now could get this target.
bool Spare::is_wanted() const {
  const balance::Layout& layout = *owner_.layout();
  const balance::Target& target = claim_.target();
  const auto group = layout.group_of(target.id());
  if (!group || !target.health().is_up()) return false;
  // Its own slot may be the last one of an earlier group.
  const auto serving = layout.serving_group();
  if (serving && *serving < *group) return false;
  const auto& members = layout.groups()[*group].members;
  return std::any_of(members.begin(), members.end(), [&](const balance::Member& member) {
    return member.target.get() == &target && member.weight > 0 && !member.is_out;
  });
}

bool Spare::check() {
  if (channel_->is_hung_up() || channel_->is_at_end()) {
    on_lost();
    return false;
  }
  if (!is_wanted()) {
    replace(owner_.back_off());
    return false;
  }
  return true;
}

Spare::Handed Spare::hand_over() {
  Channel::Parts parts = channel_->take_apart();
  Handed handed{.claim = std::move(claim_),
                .ends = {.server = std::move(parts.stream),
                         .session = std::move(parts.session),
                         .greeting = std::move(greeting_),
                         .surplus = std::move(surplus_),
                         .filter = std::move(filter_)}};
  owner_.note_good();
  rest(Millis(0));
  return handed;
}

// --- the end -------------------------------------------------------------------------------------

void Spare::replace(Millis delay) {
  (void)channel_->close();
  channel_->shut_down();
  return rest(delay);
}

void Spare::stop() {
  if (state_ == State::ready) {
    (void)channel_->close();
    channel_->shut_down();
  }
  rest(Millis(0));
  timer_.stop();
}

// The one place that ends what it does, whatever that is.
void Spare::rest(Millis delay) {
  state_ = State::resting;
  if (dial_) dial_->abandon();
  // Released and not destroyed: one of its events may have led here.
  if (channel_) channel_->release();
  walk_.reset();
  tried_.clear();
  claim_.release();
  greeting_.clear();
  surplus_.clear();
  filter_.reset();
  timer_.start(std::max(Millis(1), delay));
  return owner_.on_changed();
}

}  // namespace tunnel
