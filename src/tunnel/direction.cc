// SPDX-License-Identifier: MIT
#include "tunnel/direction.h"

namespace tunnel {

Direction::Direction(const Way& way, Owner& owner) : way_(way), owner_(owner) {}

void Direction::on_plaintext(MutableBytes plaintext) {
  bytes_ += plaintext.size();
  if (way_.of_service != nullptr) way_.of_service->add(plaintext.size());
  if (way_.of_target != nullptr) way_.of_target->add(plaintext.size());
  way_.activity = {way_.source.loop().now(), way_.from};
  if (is_filtered_) return owner_.on_filtered(*this, plaintext);
  return send(plaintext);
}

void Direction::send(MutableBytes plaintext) {
  switch (way_.sink.write(plaintext)) {
    case Channel::Written::done:
      return;
    case Channel::Written::pending:
      return hold_back();
    case Channel::Written::lost:
      return on_lost();
    case Channel::Written::failed:
      return owner_.on_sink_failed(*this);
  }
}

// The sink must take what is pending before more is read.
void Direction::hold_back() {
  way_.source.stop_reading();
  return owner_.on_held_back(*this);
}

void Direction::on_lost() {
  way_.source.stop_reading();
  return owner_.on_sink_lost(*this);
}

void Direction::look() { return way_.source.look(); }

// With bytes pending the end waits for go_on(): a goodbye must not overtake them.
void Direction::end() {
  state_ = State::ending;
  if (way_.sink.pending() == 0) return pass_end();
}

void Direction::go_on() {
  // The sink has taken the last bytes, which the end had to wait for.
  if (state_ == State::ending) return pass_end();
  if (state_ == State::open && way_.sink.lost() == 0) way_.source.start_reading();
}

// Called again when the goodbye itself was pending.
void Direction::pass_end() {
  if (way_.sink.close() == Channel::Written::lost) on_lost();
  // The owner has stopped this direction, because its sink was lost just now.
  if (state_ != State::ending) return;
  if (way_.sink.pending() > 0 && way_.sink.lost() == 0) return;
  state_ = State::ended;
  return owner_.on_end_passed(*this);
}

void Direction::stop() {
  state_ = State::stopped;
  way_.source.ignore_input();
}

}  // namespace tunnel
