// SPDX-License-Identifier: MIT
#include "probe/address_probe.h"

#include <algorithm>
#include <utility>

#include "probe/fix.h"
#include "tunnel/wire_flow.h"
#include "x509/x509_text.h"

namespace tunnel::probe {
namespace {

constexpr std::string_view kLimitName = "--timeout";

std::optional<Step> step_of(Phase phase) {
  switch (phase) {
    case Phase::connecting:
      return Step::tcp;
    case Phase::preamble:
      return Step::preamble;
    case Phase::handshaking:
      return Step::tls;
    case Phase::resolving:  // was done before
    case Phase::established:
      break;
  }
  return std::nullopt;
}

}  // namespace

AddressProbe::AddressProbe(uv::Loop& loop, AddressBook& book, Task task,
                           std::function<void()> on_done)
    : loop_(loop),
      book_(book),
      task_(std::move(task)),
      on_done_(std::move(on_done)),
      turn_(loop, [this] { next(); }) {
  if (task_.target.address) report_.address = task_.target.address->to_string();
  if (report_.address.empty()) report_.address = task_.target.text;
}

AddressProbe::~AddressProbe() = default;

void AddressProbe::start() { return begin(); }

// --- the rounds --------------------------------------------------------------------------------

// Visits follow one another by on_visited() and next(): first the rounds that were asked for, of
// which the first that fails is explained; then, when it failed for the version of TLS, one visit
// for each version, and the explanation after them, because they are a part of it.
void AddressProbe::begin() {
  times_ = {};
  times_[Step::dns] = task_.dns;
  step_.reset();
  stage_ = Visit::Stage::dialling;
  round_began_ = Clock::now();
  const config::Check check = task_.settings.service->health.check;
  return visit(
      task_.settings, check,
      // With a memory, which other checks do without: a second round is to show whether the server
      // resumes.
      {.purpose = preamble::Purpose::check, .remembered = &remembered_, .evidence = &evidence_});
}

void AddressProbe::visit(const DialSettings& settings, config::Check check, Caller caller) {
  visit_ = std::make_unique<Visit>(loop_, book_,
                                   Visit::Task{.target = task_.target,
                                               .settings = settings,
                                               .check = check,
                                               .limit = task_.timeout,
                                               .limit_name = kLimitName,
                                               .caller = std::move(caller)},
                                   *this);
  return visit_->start();
}

Dial::Watchers AddressProbe::watchers_of_visit(const uv::Stream& stream) {
  if (task_.capture == nullptr) return {};
  if (taps_) taps_->close("tried once more");
  taps_ = std::make_unique<capture::Taps>(capture::Taps::Facing::target,
                                          std::vector<capture::Source>{*task_.capture});
  const std::string& service = task_.settings.service->name;
  taps_->open(wire_flow(stream, service, task_.target.text,
                        "probe of " + service + ": " + task_.target.text));
  return {.tap = taps_.get(), .secrets = taps_.get()};
}

void AddressProbe::on_visit_phase(Phase phase) {
  // The visits for versions are not measured.
  if (version_failure_) return;
  end_step();
  step_ = step_of(phase);
  step_began_ = Clock::now();
}

void AddressProbe::on_visit_stage(Visit::Stage stage) {
  if (version_failure_) return;
  end_step();
  stage_ = stage;
  step_.reset();
  if (stage == Visit::Stage::asking) step_ = Step::check;
  step_began_ = Clock::now();
  if (stage == Visit::Stage::leaving) {
    // What follows is the goodbye, for which a client would not have waited.
    times_.total = step_began_ - round_began_ + task_.dns.value_or(Seconds(0));
  }
}

void AddressProbe::end_step() {
  if (step_) times_[*step_] = Clock::now() - step_began_;
}

void AddressProbe::on_visited(const Failure& failure) {
  if (version_failure_) {
    // A server that then wants a certificate of us has taken the version.
    if (visit_->negotiated() || failure.kind == Kind::client_cert_rejected) {
      report_.accepted_versions.emplace_back(VersionContexts::name(version_));
    }
    ++version_;
  } else {
    end_round(failure);
  }
  turn_.start(Millis(0));
}

// What comes after a visit.
void AddressProbe::next() {
  if (version_failure_) return next_version();
  if (report_.rounds.size() < task_.rounds) return begin();
  return finish();
}

void AddressProbe::end_round(const Failure& failure) {
  if (taps_) {
    taps_->close(failure.kind == Kind::ok
                     ? "kind=ok"
                     : "kind=" + std::string(word(failure.kind)) + ": " + failure.text);
  }
  // When it was leaving, the last step had ended before.
  if (stage_ != Visit::Stage::leaving) end_step();
  if (!times_.total) {
    times_.total = Clock::now() - round_began_ + task_.dns.value_or(Seconds(0));
  }
  Round round{.times = times_, .is_ok = failure.kind == Kind::ok};
  note_session(round);
  if (report_.rounds.empty()) report_.times = times_;
  report_.rounds.push_back(round);
  // One explanation suffices; what further rounds did is in their counts.
  if (failure.kind == Kind::ok || !report_.problems.empty()) return;
  if (failure.kind == Kind::tls_version && task_.tls != nullptr) {
    version_failure_ = failure;
    return;
  }
  return explain(failure);
}

void AddressProbe::note_session(Round& round) {
  report_.is_client_certificate_requested = evidence_.is_certificate_requested;
  report_.authorities = evidence_.authorities;
  // Of the first round that showed any.
  if (evidence_.examination && !report_.certificates) {
    report_.certificates = evidence_.examination;
    report_.ocsp_until = evidence_.examination->ocsp_until;
  }
  const auto& negotiated = visit_->negotiated();
  if (!negotiated) return;
  round.is_resumed = negotiated->resumed;
  report_.is_resumable |= remembered_.ticket_count() > 0 || negotiated->resumed;
  if (report_.speaks_tls) return;
  report_.speaks_tls = true;
  report_.version = negotiated->version;
  report_.cipher = negotiated->cipher;
  report_.group = negotiated->group;
  report_.alpn = visit_->alpn();
}

// --- failures ----------------------------------------------------------------------------------

Step AddressProbe::failed_step(Kind kind) const {
  if (kind == Kind::client_cert_rejected) return Step::tls;
  switch (stage_) {
    case Visit::Stage::asking:
      return Step::check;
    case Visit::Stage::leaving:
      // TLS 1.3 refuses a client certificate after the handshake, when this side is already
      // leaving.
      return visit_->negotiated() ? Step::tls : Step::tcp;
    case Visit::Stage::dialling:
    case Visit::Stage::over:
      break;
  }
  return step_.value_or(Step::dns);
}

// A certificate that is refused is refused for all reasons that there are.
void AddressProbe::explain(const Failure& failure) {
  std::vector<Failure> all = {failure};
  if (evidence_.examination) {
    const auto& faults = evidence_.examination->faults;
    const bool is_one = std::ranges::any_of(
        faults, [&](const Failure& fault) { return fault.kind == failure.kind; });
    // Otherwise something else ended the visit (a timeout, an alert), and the certificate's faults
    // would lead away from it.
    if (is_one) all = faults;
  }
  const x509::Peer peer = expected_peer(task_.target, task_.settings);
  const Case known{.service = *task_.settings.service,
                   .tls = task_.tls,
                   .target = task_.target,
                   .peer = peer,
                   .evidence = evidence_,
                   .accepted_versions = report_.accepted_versions,
                   .now = std::time(nullptr)};
  for (const Failure& each : all) {
    report_.problems.push_back({.step = failed_step(failure.kind),
                                .kind = each.kind,
                                .text = each.text,
                                .fix = fix_for(each, known),
                                .is_local = each.is_local});
  }
}

// One dial for each version, to say what the server would take.
void AddressProbe::next_version() {
  while (version_ < VersionContexts::kCount) {
    if (const tls::Context* context = task_.versions.get(version_)) {
      version_settings_ = task_.settings;
      version_settings_.tls = context;
      // No evidence: it would take the place of what the failed round has seen.
      return visit(version_settings_, config::Check::none, {.purpose = preamble::Purpose::check});
    }
    ++version_;
  }
  const Failure failure = *std::exchange(version_failure_, std::nullopt);
  explain(failure);
  return next();
}

void AddressProbe::finish() {
  visit_.reset();
  if (taps_) taps_->close("probed");
  return on_done_();
}

}  // namespace tunnel::probe
