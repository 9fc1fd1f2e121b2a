// SPDX-License-Identifier: MIT
#include "capture/recording.h"

#include <time.h>

#include <algorithm>
#include <random>
#include <utility>

#include "base/text.h"
#include "base/thread.h"
#include "capture/backlog.h"

namespace tunnel::capture {
namespace {

// Between two looks whether anybody still wants it.
constexpr Millis kLook{200};
// A worker may be busy, but one that is busy for longer does not keep others from being captured.
constexpr Millis kLanesWanted{1000};
constexpr std::uint64_t kWorthWriting = 256 * 1024;
constexpr auto kMadeUp =
    "captured inside tunnel: the octets are those that passed, the IP and TCP headers are made up";

std::string ranges_text(const std::vector<Cidr>& ranges) {
  std::string text;
  for (const Cidr& range : ranges) text += (text.empty() ? "" : ", ") + range.to_string();
  return text;
}

Composer::Settings composition(const Recording::Settings& settings) {
  const bool is_plain = settings.what.layer == config::CaptureLayer::plain;
  return {.program = settings.program,
          .comment = std::string(kMadeUp) + (is_plain ? "; plaintext, passwords included"
                                                      : "; keys for the decryption included"),
          .description =
              is_plain ? "plaintext, as the client sees it" : "between tunnel and the target",
          .filter = ranges_text(settings.what.clients),
          .salt = std::random_device{}()};
}

std::optional<TimePoint> end_of(const config::Timeout& duration) {
  if (!duration) return std::nullopt;
  return SystemClock().now() + *duration;
}

}  // namespace

std::uint64_t stamp() {
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  // The wall clock: captures are compared with others, and with logs.
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

Recording::Recording(Settings settings, Events events)
    : settings_(std::move(settings)),
      events_(std::move(events)),
      until_(end_of(settings_.what.duration)),
      composer_(composition(settings_)) {}

Recording::~Recording() { finish(); }

Result<void> Recording::start(std::unique_ptr<Sink> sink, std::string prologue) {
  sink_ = std::move(sink);
  prologue_ = prologue.size();
  out_ = std::move(prologue);
  composer_.begin_file(out_, stamp());
  auto thread = start_thread("capture", [this] { write_on(); });
  if (!thread) return tl::make_unexpected(std::move(thread.error()));
  thread_ = std::move(*thread);
  return {};
}

void Recording::leave() {
  is_leaving_ = true;
  wake();
  has_come_.notify_one();  // also if it is awake: it may wait for lanes
}

void Recording::finish() {
  leave();
  if (thread_.joinable()) thread_.join();
}

bool Recording::is_of(const std::string& service) const {
  const auto& services = settings_.services;
  return services.empty() || std::find(services.begin(), services.end(), service) != services.end();
}

bool Recording::is_of(const SocketAddress& client) const {
  const auto& clients = settings_.what.clients;
  return clients.empty() || std::any_of(clients.begin(), clients.end(),
                                        [&](const Cidr& range) { return range.contains(client); });
}

std::shared_ptr<Lane> Recording::make_lane(uv::Loop& loop) {
  // The recording holds its lanes, so a lane must not hold the recording.
  auto lane = std::make_shared<Lane>(loop, [weak = weak_from_this()] {
    if (const auto recording = weak.lock()) recording->wake();
  });
  const std::lock_guard lock(mutex_);
  lanes_.push_back(lane);
  if (lanes_.size() == settings_.lanes) has_come_.notify_one();
  return lane;
}

Recording::Totals Recording::totals() const {
  return {packets_.load(), dropped_.load(), octets_.load()};
}

void Recording::wake() {
  {
    const std::lock_guard lock(mutex_);
    // Once until it has looked: otherwise each turn of each worker would cost a system call.
    if (std::exchange(is_awake_, true)) return;
  }
  has_come_.notify_one();
}

// --- the writing thread ------------------------------------------------------------------------

// The life of the thread: it waits for the lanes, then writes what comes until it is told to leave
// or something ends it (its size, its time, its reader), then the rest and the end of the file.
// Whatever is lost on the way is counted as dropped before on_over, with which the supervisor adds
// up.
void Recording::write_on() {
  const auto why = write_until_over();
  is_over_ = true;
  std::string text = why ? *why : why.error().text;
  if (why) {  // what could not be written has no end that could be
    if (const auto rest = write_the_rest(); !rest && rest.error().text != text) {
      text += (text.empty() ? "" : "; ") + rest.error().text;
    }
  }
  unwritten_ += composer_.packets() - packets_;
  // One that has its max_size has all that was asked for.
  if (!is_full_) unwritten_ += Backlog(lanes()).packets();
  count_dropped();
  sink_.reset();
  events_.on_over(settings_.id, text);
}

void Recording::await_lanes() {
  std::unique_lock lock(mutex_);
  (void)has_come_.wait_for(lock, kLanesWanted, [this] {
    return lanes_.size() >= settings_.lanes || is_leaving_.load();
  });
}

// Why it is over by itself; empty: it was told to leave. An error: it could not be written.
Result<std::string> Recording::write_until_over() {
  await_lanes();
  auto written = flush();
  while (written && wait()) {
    written = write_what_came();
    if (!written) break;
    if (is_full_) return "it has its max_size";
    if (std::string why = sink_->why_over(); !why.empty()) return why;
    if (until_ && SystemClock().now() >= *until_) return "its duration is over";
  }
  if (!written) return tl::unexpected(written.error());
  return "";
}

// What has come until it was over, and the end of the file.
Result<void> Recording::write_the_rest() {
  if (is_full_) return {};
  if (auto written = write_what_came(); !written || is_full_) return written;
  composer_.end_file(out_, stamp());
  return write_out();
}

// False: told to leave.
bool Recording::wait() {
  std::unique_lock lock(mutex_);
  (void)has_come_.wait_for(lock, kLook, [this] { return is_awake_; });
  is_awake_ = false;
  return !is_leaving_.load();
}

Result<void> Recording::write_what_came() {
  Backlog backlog(lanes());
  // All secrets of the batch first: TLS 1.3 makes the keys of a packet while the packet is looked
  // at, and readers want them in front of it.
  backlog.for_each([this](const Event& event) {
    if (event.what == Event::What::secrets) composer_.add_secrets(out_, event);
  });
  Result<void> result;
  const std::function<void(const Event&, Bytes)> compose =
      [this](const Event& event, Bytes octets) { composer_.add(out_, event, octets); };
  while (result && !is_full_ && backlog.take(compose)) {
    if (out_.size() >= worth_writing()) result = flush();
  }
  if (!result) unwritten_ += backlog.packets();
  if (result && !is_full_) result = flush();
  return result;
}

// A file is not to become larger than it may by more than its last packet.
std::uint64_t Recording::worth_writing() const {
  return std::min(kWorthWriting, sink_->room().value_or(kWorthWriting));
}

std::vector<std::shared_ptr<Lane>> Recording::lanes() {
  const std::lock_guard lock(mutex_);
  return lanes_;
}

void Recording::count_dropped() {
  std::uint64_t dropped = unwritten_;
  for (const auto& lane : lanes()) dropped += lane->dropped();
  // Said once, and not of what the end itself has cost.
  if (dropped_.exchange(dropped) == 0 && dropped > 0 && !is_over_) {
    events_.on_dropping(settings_.id);
  }
}

Result<void> Recording::write_out() {
  if (out_.empty()) return {};
  if (auto written = sink_->write(as_bytes(out_)); !written) return written;
  octets_ += out_.size() - std::exchange(prologue_, 0);
  packets_ = composer_.packets();
  out_.clear();
  return {};
}

Result<void> Recording::flush() {
  count_dropped();
  if (auto written = write_out(); !written) return written;
  // What every file begins with may be more than it may hold: each has a packet at least.
  const bool has_packets = composer_.packets() > packets_of_files_;
  if (has_packets && sink_->room() == 0U) return go_on_in_next_file();
  return {};
}

Result<void> Recording::go_on_in_next_file() {
  if (is_full_) return {};
  composer_.end_file(out_, stamp());
  if (auto written = write_out(); !written) return written;
  auto has_next = sink_->begin_next();
  if (!has_next) return tl::unexpected(has_next.error());
  if (!*has_next) {
    is_full_ = true;
    return {};
  }
  composer_.begin_file(out_, stamp());
  packets_of_files_ = composer_.packets();
  return {};
}

}  // namespace tunnel::capture
