// SPDX-License-Identifier: MIT
#include "preamble/sequence.h"

#include <utility>

#include "preamble/talk.h"

namespace tunnel::preamble {

Sequence::Sequence(std::vector<std::unique_ptr<Conversation>> stages,
                   std::unique_ptr<Conversation> filter)
    : stages_(std::move(stages)), filter_(std::move(filter)) {}

Step Sequence::on_start() { return stages_.empty() ? done() : advance(current().on_start()); }

Step Sequence::on_server(Bytes bytes) { return advance(current().on_server(bytes)); }

Step Sequence::on_client(Bytes bytes) { return advance(current().on_client(bytes)); }

Step Sequence::on_server_end(End end) { return advance(current().on_server_end(end)); }

Step Sequence::on_client_end() { return advance(current().on_client_end()); }

std::string Sequence::waiting_for() const {
  return stages_.empty() ? "nothing" : current().waiting_for();
}

bool Sequence::wants_client() const { return !stages_.empty() && current().wants_client(); }

bool Sequence::is_client_committed() const {
  return !stages_.empty() && current().is_client_committed();
}

// `step` is the current stage's. Begins the stages that follow for as long as each is done at once.
Step Sequence::advance(Step step) {
  while (step.status == Status::done) {
    if (std::unique_ptr<Conversation> filter = current().take_filter()) filter_ = std::move(filter);
    if (current_ + 1 == stages_.size()) break;
    ++current_;
    // The next stage has to have begun before it gets what this one left over; append() takes over
    // the surplus of the later step, so this one's is taken out first.
    const std::string surplus = std::exchange(step.surplus, {});
    append(step, current().on_start());
    if (surplus.empty()) continue;
    if (step.status == Status::again) {
      append(step, current().on_server(as_bytes(surplus)));
    } else {
      step.surplus = surplus;  // it did not read anything, so it left nothing either
    }
  }
  return step;
}

Step Announcement::on_start() {
  Step step = done();
  step.to_server = std::move(words_);
  return step;
}

Step Announcement::on_server(Bytes) { return {}; }

Step Announcement::on_server_end(End) { return {}; }

}  // namespace tunnel::preamble
