// SPDX-License-Identifier: MIT
#include "runtime/captures.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "capture/client_stream.h"
#include "capture/ring_files.h"

namespace tunnel::runtime {
namespace {

// Each costs a thread and, for each worker, up to Lane::kMostOctets of memory while its reader is
// slow.
constexpr std::size_t kMostLive = 8;

std::string totals_text(const capture::Recording::Totals& totals) {
  std::string text =
      std::to_string(totals.packets) + " packets, " + std::to_string(totals.octets) + " bytes";
  if (totals.dropped > 0) text += ", " + std::to_string(totals.dropped) + " packets dropped";
  return text;
}

std::string services_text(const std::vector<std::string>& services) {
  return services.empty() ? "every service" : enumerated(services, ", ");
}

bool is_configured(const Snapshot& snapshot, const std::string& service,
                   const config::Capture& what) {
  return std::any_of(snapshot.services.begin(), snapshot.services.end(), [&](const auto& handle) {
    return handle.life->name == service && handle.settings().capture == what;
  });
}

const char* layer_text(config::CaptureLayer layer) {
  return layer == config::CaptureLayer::plain ? "decrypted traffic"
                                              : "network traffic with its keys";
}

}  // namespace

Captures::~Captures() = default;

std::shared_ptr<capture::Recording> Captures::make(capture::Recording::Settings settings) {
  settings.id = ++last_id_;
  settings.program = "tunnel " TUNNEL_VERSION;
  settings.lanes = process_.workers;
  // The events come on the recording's own thread, so they capture nothing of this object: `report`
  // is a copy, and its way leads through the supervisor's mailbox to on_news().
  return std::make_shared<capture::Recording>(
      std::move(settings),
      capture::Recording::Events{
          .on_over =
              [report = process_.report](std::uint64_t id, const std::string& why) {
                report({.id = id, .is_over = true, .text = why});
              },
          .on_dropping =
              [report = process_.report](std::uint64_t id) {
                report({.id = id, .is_over = false, .text = {}});
              }});
}

// What the snapshot does not have any more is told to leave and stays in `entries_` until its
// thread has said that it is over, for it may still be writing to its files. One that replaces it,
// for the same service and perhaps in the same ring of files, waits in `waiting_` until then.
// on_news() goes on from there.
void Captures::use(const Snapshot& snapshot) {
  std::erase_if(
      over_, [&](const auto& each) { return !is_configured(snapshot, each.first, each.second); });
  waiting_.clear();
  const bool is_forbidden = snapshot.global.capture == config::Captures::never;
  for (auto& [id, entry] : entries_) {
    const bool is_live = entry.service.empty();
    if (!entry.ending.empty()) continue;
    if (is_live ? !is_forbidden
                : is_configured(snapshot, entry.service, entry.recording->settings().what)) {
      continue;
    }
    entry.ending =
        is_live ? "capture = \"never\" is in force now" : "a reload has changed or removed it";
    // It may write to what is slow or does not answer: its thread does, and says when it is over.
    entry.recording->leave();
  }
  for (const ServiceHandle& service : snapshot.services) {
    if (!service.settings().capture || over_.contains(service.life->name)) continue;
    const auto entry = find_configured(service.life->name);
    if (entry == entries_.end()) {
      begin_configured(service);
    } else if (!entry->second.ending.empty()) {
      waiting_.insert_or_assign(service.life->name, service);
    }
  }
  return tell();
}

Captures::Entries::iterator Captures::find_configured(const std::string& service) {
  return std::find_if(entries_.begin(), entries_.end(),
                      [&](const auto& each) { return each.second.service == service; });
}

void Captures::begin_configured(const ServiceHandle& service) {
  const config::Capture& what = *service.settings().capture;
  auto files =
      capture::RingFiles::open({.file = what.file, .max_size = what.max_size, .files = what.files});
  if (!files) {
    // The folder was looked at when the snapshot was made (RingFiles::check); this is something
    // that came up since. The tunnel serves without its capture rather than not at all.
    return process_.log.write(log::Level::error, log::Event::capture_stopped, {service.life->name},
                              "nothing is captured: " + files.error().text, {});
  }
  Entry entry{.recording = make({.id = 0,
                                 .what = what,
                                 .services = {service.life->name},
                                 .by = "the configuration",
                                 .to = what.file,
                                 .program = {}}),
              .service = service.life->name,
              .name = service.life->name,
              .ending = {}};
  return begin(std::move(entry), std::move(*files), {});
}

bool Captures::has_room() const {
  const auto live = std::count_if(entries_.begin(), entries_.end(),
                                  [](const auto& each) { return each.second.service.empty(); });
  return static_cast<std::size_t>(live) < kMostLive;
}

void Captures::begin(const admin::Operator& by, const admin::AdminActions::CaptureOrder& order,
                     Fd socket, std::string prologue) {
  if (!socket.valid()) return;  // the reader has left in this very moment
  config::Capture what;
  what.layer = order.is_wire ? config::CaptureLayer::wire : config::CaptureLayer::plain;
  what.clients = order.clients;
  what.snaplen = order.snaplen;
  what.duration = order.lasting;
  Entry entry{
      .recording = make({.id = 0,
                         .what = std::move(what),
                         .services = order.services,
                         .by = "uid " + std::to_string(by.uid) + ", pid " + std::to_string(by.pid),
                         .to = "the control socket",
                         .program = {}}),
      .service = {},
      .name = services_text(order.services),
      .ending = {}};
  auto sink = std::make_unique<capture::ClientStream>(
      std::move(socket), order.max_size, entry.recording->is_leaving(), entry.recording->until());
  begin(std::move(entry), std::move(sink), std::move(prologue));
  return tell();
}

void Captures::begin(Entry entry, std::unique_ptr<capture::Sink> sink, std::string prologue) {
  const capture::Recording::Settings& settings = entry.recording->settings();
  if (auto started = entry.recording->start(std::move(sink), std::move(prologue)); !started) {
    return process_.log.write(log::Level::error, log::Event::capture_stopped, {entry.service},
                              "nothing is captured: " + started.error().text, {});
  }
  process_.log.write(
      log::Level::warning, log::Event::capture_started, {entry.service},
      std::string(layer_text(settings.what.layer)) + " of " + entry.name + " is captured to " +
          printable(settings.to, 4096) + ", by " + settings.by,
      {{"to", std::string_view(settings.to)}, {"by", std::string_view(settings.by)}});
  // The thread runs already, but its news comes by a message, and so never before this.
  entries_.emplace(settings.id, std::move(entry));
}

void Captures::on_news(const CaptureNews& news) {
  const auto entry = entries_.find(news.id);
  if (entry == entries_.end()) return;
  if (!news.is_over) {
    return process_.log.warning(
        {entry->second.service},
        "the capture of " + entry->second.name + " to " +
            printable(entry->second.recording->settings().to, 4096) +
            " cannot keep up: packets are missing in it, and counted there");
  }
  const std::string service = entry->second.service;
  std::string why = entry->second.ending;
  // It has ended by itself.
  if (!service.empty() && why.empty()) {
    over_.emplace(service, entry->second.recording->settings().what);
  }
  if (!news.text.empty()) why += (why.empty() ? "" : "; ") + news.text;
  end(entry, why);
  if (auto next = waiting_.extract(service); !next.empty()) begin_configured(next.mapped());
  return tell();
}

void Captures::end(Entries::iterator entry, const std::string& why) {
  const Entry& ended = entry->second;
  ended.recording->finish();
  const auto totals = ended.recording->totals();
  ended_.packets += totals.packets;
  ended_.dropped += totals.dropped;
  ended_.octets += totals.octets;
  process_.log.write(
      log::Level::info, log::Event::capture_stopped, {ended.service},
      "the capture of " + ended.name + " to " + printable(ended.recording->settings().to, 4096) +
          " has ended: " + why + " (" + totals_text(totals) + ")",
      {{"packets", totals.packets}, {"dropped", totals.dropped}, {"bytes", totals.octets}});
  entries_.erase(entry);
}

void Captures::finish() {
  // All at once: each may take a while.
  for (const auto& [id, entry] : entries_) entry.recording->leave();
  while (!entries_.empty()) end(entries_.begin(), "the process ends");
}

void Captures::tell() const {
  // All of them each time, not what has changed: a worker compares, and a new one needs no history.
  auto recordings = std::make_shared<UseCaptures::Recordings>();
  for (const auto& [id, entry] : entries_) {
    if (entry.ending.empty()) recordings->push_back(entry.recording);
  }
  return process_.send({std::move(recordings)});
}

capture::Recording::Totals Captures::totals() const {
  capture::Recording::Totals sum = ended_;
  for (const auto& [id, entry] : entries_) {
    const auto totals = entry.recording->totals();
    sum.packets += totals.packets;
    sum.dropped += totals.dropped;
    sum.octets += totals.octets;
  }
  return sum;
}

std::vector<admin::CaptureStatus> Captures::status() const {
  std::vector<admin::CaptureStatus> all;
  for (const auto& [id, entry] : entries_) {
    const auto totals = entry.recording->totals();
    const capture::Recording::Settings& settings = entry.recording->settings();
    all.push_back({.services = settings.services,
                   .layer = settings.what.layer == config::CaptureLayer::plain ? "plain" : "wire",
                   .to = settings.to,
                   .by = settings.by,
                   .since = entry.recording->since(),
                   .packets = totals.packets,
                   .dropped = totals.dropped,
                   .bytes = totals.octets});
  }
  return all;
}

}  // namespace tunnel::runtime
