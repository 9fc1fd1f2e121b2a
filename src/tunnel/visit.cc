// SPDX-License-Identifier: MIT
#include "tunnel/visit.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "uv/library.h"

namespace tunnel {
namespace {

// A server that never closes after our goodbye has still passed.
constexpr Millis kGoodbye{1000};

}  // namespace

Visit::Visit(uv::Loop& loop, AddressBook& book, const Task& task, Owner& owner)
    : loop_(loop), book_(book), task_(task), owner_(owner), deadline_(loop, [this] {
        on_deadline();
      }) {}

Visit::~Visit() = default;

void Visit::start() {
  dial_ = std::make_unique<Dial>(loop_, book_,
                                 Dial::Task{.target = task_.target,
                                            .settings = task_.settings,
                                            .caller = task_.caller,
                                            .tried = tried_},
                                 *this);
  deadline_.start(task_.limit);
  return dial_->start();
}

void Visit::on_deadline() {
  if (stage_ == Stage::leaving) return finish({});
  const std::string limit =
      format_duration(task_.limit) + " (" + std::string(task_.limit_name) + ")";
  const bool is_resolving = stage_ == Stage::dialling && phase_ == Phase::resolving;
  Kind kind = Kind::connect_timeout;
  if (is_resolving) kind = Kind::resolve_failed;
  if (stage_ == Stage::asking || phase_ > Phase::connecting) kind = Kind::tls_timeout;
  if (stage_ == Stage::asking && !channel_->speaks_tls()) kind = Kind::check_failed;
  const std::string waited = question_ ? " while waiting for " + question_->waiting_for() : "";
  return finish({kind,
                 "the check of " + task_.target.text + " was not over within " + limit + waited,
                 is_resolving});
}

bool Visit::on_phase(Phase phase) {
  phase_ = phase;
  owner_.on_visit_phase(phase);
  return true;
}

void Visit::on_dial_failed() { return finish(dial_->failure()); }

// Dialling, asking, leaving: each stage begins where the one before has ended, all of them under
// one deadline but for the goodbye, which has its own. A `tcp` or `tls` check asks nothing and
// leaves at once.
void Visit::on_established() {
  channel_ = std::make_unique<Channel>(loop_, dial_->take_stream(), dial_->take_session());
  const std::unique_ptr<Dial> done = std::move(dial_);  // it is on the stack until we return
  channel_->attach(*this, *this);
  channel_->start_reading();
  if (const tls::Session* session = channel_->session()) {
    negotiated_ = session->negotiated();
    alpn_ = session->alpn_selected();
    owner_.on_visit_secured(*session);
  }
  question_ = preamble::make_check(task_.check, route());
  if (!question_) {
    leave();
  } else {
    enter(Stage::asking);
    act_on(question_->on_start());
  }
  // Behind the question, which is to see what the server has said first. Does nothing when the
  // visit is over by now, and the channel released.
  channel_->open_held();
}

preamble::Route Visit::route() const {
  const x509::Peer peer = expected_peer(task_.target, task_.settings);
  return {.service = *task_.settings.service,
          .target = task_.target.text,
          .host = task_.target.host,
          .port = task_.target.port,
          .tls_name = x509::host_of(peer, task_.target.host),
          .client = {},
          .accepted = {},
          .purpose = task_.caller.purpose};
}

void Visit::on_plaintext(MutableBytes plaintext) {
  if (stage_ == Stage::asking) act_on(question_->on_server(plaintext));
}

void Visit::act_on(preamble::Step step) {
  if (!step.to_server.empty()) (void)channel_->write(as_mutable_bytes(step.to_server));
  switch (step.status) {
    case preamble::Status::again:
      return;
    case preamble::Status::done:
      return leave();
    case preamble::Status::failed:
      return finish(std::move(step.failure));
  }
}

void Visit::enter(Stage stage) {
  stage_ = stage;
  owner_.on_visit_stage(stage);
}

// Says goodbye and waits for the server's: it has then read our last flight, and what it thinks of
// our certificate is known.
void Visit::leave() {
  enter(Stage::leaving);
  deadline_.start(std::min(task_.limit, kGoodbye));
  (void)channel_->close();
  // A server that answers no close_notify sees the FIN, and ends by that.
  channel_->shut_down();
}

void Visit::on_end(Channel::End end) {
  switch (end.how) {
    case Channel::End::How::close_notify:
    case Channel::End::How::fin:
      return on_closed();
    case Channel::End::How::reset:
      break;
    case Channel::End::How::failed: {
      const Failure failure = channel_->failure();
      return finish({failure.kind, failure.text, false});
    }
  }
  if (stage_ == Stage::leaving) return finish({});
  return finish({Kind::reset_by_server,
                 task_.target.text + " broke the connection during the check (" +
                     uv::error_text(end.uv_error) + ")",
                 false});
}

void Visit::on_closed() {
  if (stage_ == Stage::leaving) return finish({});
  const preamble::Step step = question_->on_server_end(preamble::End::eof);
  if (step.status == preamble::Status::done) return finish({});
  return finish({Kind::check_failed,
                 step.status == preamble::Status::failed
                     ? step.failure.text
                     : task_.target.text + " closed the connection while the check waited for " +
                           question_->waiting_for(),
                 false});
}

// The one place that ends a visit.
void Visit::finish(Failure failure) {
  deadline_.release();
  dial_.reset();
  question_.reset();
  if (channel_) channel_->release();
  tried_.clear();
  stage_ = Stage::over;
  return owner_.on_visited(failure);
}

}  // namespace tunnel
