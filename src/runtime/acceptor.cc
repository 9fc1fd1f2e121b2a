// SPDX-License-Identifier: MIT
#include "runtime/acceptor.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "tunnel/connection_record.h"

namespace tunnel::runtime {
namespace {

// A listener stays readable while a client waits, so a failed accept would be tried again in every
// turn of the loop. The pause begins short, for a descriptor may be free in a moment, and doubles
// while none is.
constexpr Millis kShortestPause{5};
constexpr Millis kLongestPause{1000};
// Denied clients that wait for their reset; when there are more the oldest waits no longer.
constexpr std::size_t kMostDenied = 64;

// Linux makes the descriptor and the file before it takes the client out of the backlog: a shortage
// of either loses no client: it is still there after the pause.
bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

bool is_allowed(const config::Service& service, const SocketAddress& client) {
  // `allow` has ranges of IP addresses. Who may use a unix socket is for its mode and owner to say;
  // a program has a unix address, too, and so have pipes on standard input.
  if (service.allow.empty() || client.is_unix()) return true;
  return std::any_of(service.allow.begin(), service.allow.end(),
                     [&](const Cidr& range) { return range.contains(client); });
}

}  // namespace

Acceptor::Acceptor(Settings settings)
    : settings_(std::move(settings)),
      loop_(settings_.loop),
      log_(settings_.log),
      shortage_(loop_, std::chrono::minutes(1)),
      pause_timer_(loop_, [this] { resume(); }),
      denied_timer_(loop_, [this] { reset_denied(); }) {}

Acceptor::~Acceptor() = default;

// Sorts the listeners into three: those that some service still wants change hands as they are
// (their sockets are not touched, so no client is refused), `bound` brings the new ones, and what
// is left in `old` is closed. The configuration is in force already: nothing in here may fail.
void Acceptor::serve(const std::vector<ServiceHandle>& services, std::vector<Bound::Entry> bound) {
  loop_.assert_here();
  std::vector<const config::Service*> settings;
  std::unordered_map<std::string_view, const ServiceHandle*> by_name;
  preconnected_ = 0;
  for (const ServiceHandle& service : services) {
    settings.push_back(&service.settings());
    preconnected_ += service.settings().preconnect;
    by_name.emplace(service.settings().name, &service);
  }
  const std::vector<ListenPlace> wanted = places_of(settings);
  const auto reused = reuse(wanted, places());
  auto old = std::exchange(entries_, {});
  for (std::size_t index = 0; index < wanted.size(); ++index) {
    if (!reused[index]) continue;
    std::unique_ptr<Entry> entry = std::move(old[*reused[index]]);
    entry->service = *by_name.at(wanted[index].service);
    entry->place = wanted[index];
    if (auto served = entry->listener.serve(entry->service.settings()); !served) {
      log_.warning({.service = entry->service.settings().name},
                   entry->place.address.to_string() + ": " + served.error().text);
    }
    entries_.push_back(std::move(entry));
  }
  for (Bound::Entry& each : bound) {
    const ServiceHandle& service = *by_name.at(each.place.service);
    entries_.push_back(open(service, std::move(each)));
  }
  for (const auto& entry : old) {
    // close(2) resets the clients in the backlog, for whom connect(2) has returned already: they
    // are taken first.
    if (entry) accept_rest(*entry);
  }
  old.clear();
  settings_.on_listeners_changed();
  return update_watches();
}

std::vector<ListenPlace> Acceptor::places() const {
  std::vector<ListenPlace> places;
  for (const auto& entry : entries_) places.push_back(entry->place);
  return places;
}

std::unique_ptr<Acceptor::Entry> Acceptor::open(const ServiceHandle& service, Bound::Entry bound) {
  auto entry = std::make_unique<Entry>(Entry{
      .service = service, .place = std::move(bound.place), .listener = std::move(bound.socket)});
  Entry& stays = *entry;
  // Until now the file was left alone whatever happened: had this start or reload failed, an
  // earlier process might still be listening there.
  stays.listener.own_file();
  // By reference: entries are on the heap and do not move when `entries_` does. The watch is a
  // member of the entry, so it never outlives it.
  entry->watch = std::make_unique<uv::FdWatch>(
      loop_, stays.listener.fd(), [this, &stays](uv::FdWatch::Ready) { on_readable(stays); });
  return entry;
}

std::vector<Acceptor::Listening> Acceptor::listening() const {
  std::vector<Listening> listening;
  for (const auto& entry : entries_) {
    listening.push_back({entry->place, entry->listener.fd(), entry->listener.is_passed()});
  }
  return listening;
}

void Acceptor::stop(SocketFiles files) {
  loop_.assert_here();
  for (const auto& entry : entries_) {
    // As in serve(): who has connected is a client, however late the process came to look.
    accept_rest(*entry);
    if (files == SocketFiles::leave) entry->listener.leave_file();
  }
  pause_timer_.stop();
  denied_timer_.stop();
  denied_.clear();
  entries_.clear();
}

std::unordered_map<ServiceId, Acceptor::Listens> Acceptor::listens() const {
  std::unordered_map<ServiceId, Listens> all;
  for (const auto& entry : entries_) {
    Listens& its = all[entry->service.life->id];
    its.addresses.push_back(entry->listener.address().to_string());
    its.keeps_waiting = its.keeps_waiting || is_paused_ || !entry->is_watched;
  }
  return all;
}

void Acceptor::drain(ServiceId service) {
  loop_.assert_here();
  std::erase_if(entries_, [&](const auto& entry) {
    if (entry->service.life->id != service) return false;
    accept_rest(*entry);
    return true;
  });
  settings_.on_listeners_changed();
  return update_watches();
}

void Acceptor::accept_rest(Entry& entry) {
  for (int i = 0; i < kBatch && accept_one(entry); ++i) {
  }
}

void Acceptor::on_readable(Entry& entry) {
  for (int i = 0; i < kBatch; ++i) {
    if (!accept_one(entry)) break;
  }
  update_watches();
}

// Returns whether there may be another one waiting that we may take.
bool Acceptor::accept_one(Entry& entry) {
  if (is_paused_ || !may_accept(entry.service)) return false;
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  Fd socket(::accept4(entry.listener.fd(), address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket.valid()) {
    if (is_shortage(errno)) pause_all(errno);
    // Anything else is that one client's trouble (ECONNABORTED, EPROTO, ...): accept(2) says to go
    // on.
    return errno != EAGAIN && !is_paused_;
  }
  pause_ = kShortestPause;
  (void)take(entry.service, std::move(socket), SocketAddress::from(address, length));
  return true;
}

bool Acceptor::take(const ServiceHandle& service, Fd socket, const SocketAddress& client) {
  loop_.assert_here();
  // Also for one that is denied: its `closed` line has a number like any other.
  const std::uint64_t id = next_id_++;
  if (!is_allowed(service.settings(), client)) {
    deny(service, std::move(socket), client, id);
    return false;
  }
  // Counted before the worker hears of it: the worker counts down, and may do so at once.
  service.life->connections.fetch_add(1);
  settings_.connections.fetch_add(1);
  settings_.on_accepted({service, std::move(socket), client, id});
  return true;
}

void Acceptor::deny(const ServiceHandle& service, Fd socket, const SocketAddress& client,
                    std::uint64_t id) {
  // The kernel sends the reset when the descriptor is closed, which is not yet: see kSoonestReset.
  const linger reset_on_close{1, 0};
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &reset_on_close, sizeof reset_on_close);
  service.life->tally.closed[static_cast<std::size_t>(Kind::client_denied)].add();
  const ConnectionRecord record{
      .service = service.settings().name,
      .id = id,
      .client = client.to_string(),
      .outcome = {Kind::client_denied, Side::tunnel,
                  "client " + client.ip() + " is not in `allow`; the connection was reset"}};
  log_closed(log_, record);
  closed_.note(loop_.now(), record);
  denied_.push_back({loop_.now() + kSoonestReset, std::move(socket)});
  // Each holds a descriptor that an allowed client could have had: a flood of denied clients must
  // not become a shortage for the others. The popped one is reset at once.
  if (denied_.size() > std::min(kMostDenied, settings_.max_connections / 4)) denied_.pop_front();
  if (!denied_.empty() && !denied_timer_.is_active()) denied_timer_.start(kSoonestReset);
}

void Acceptor::reset_denied() {
  while (!denied_.empty() && denied_.front().until <= loop_.now()) denied_.pop_front();
  if (!denied_.empty()) denied_timer_.start(denied_.front().until - loop_.now());
}

// Out of descriptors or memory: leave the clients in the backlog and look again later. The clients
// that are connected go on; when they leave, there is room again.
void Acceptor::pause_all(int error_number) {
  is_paused_ = true;
  tell_shortage(std::string("cannot accept (") + ::strerror(error_number) + ")");
  pause_timer_.start(pause_);
  pause_ = std::min(pause_ * 2, kLongestPause);
}

void Acceptor::resume() {
  is_paused_ = false;
  update_watches();
}

void Acceptor::reconsider() {
  loop_.assert_here();
  return update_watches();
}

void Acceptor::tell_shortage(std::string_view what) {
  if (!shortage_.admit("descriptors").write) return;
  log_.error({}, std::string(what) +
                     ": new clients wait until connections end; raise the limit of open files "
                     "(LimitNOFILE= in the systemd unit, ulimit -n elsewhere)");
}

bool Acceptor::may_accept(const ServiceHandle& service) const {
  const auto limit = service.settings().max_connections;
  if (limit && service.life->connections.load() >= *limit) return false;
  return settings_.connections.load() < most_connections();
}

// A connection needs two descriptors; one that waits for its client (`preconnect`) has one, and
// when it gets its client another is made.
std::size_t Acceptor::most_connections() const {
  const std::size_t taken = (preconnected_ + 1) / 2;
  return settings_.max_connections > taken ? settings_.max_connections - taken : 1;
}

void Acceptor::update_watches() {
  if (entries_.empty()) return;
  // First say that we wait, then look at the counts: a connection that goes in between is either
  // seen here or reported to reconsider().
  settings_.is_gone_wanted.store(true);
  bool is_any_at_limit = false;
  for (const auto& entry : entries_) {
    const bool is_at_limit = !may_accept(entry->service);
    is_any_at_limit = is_any_at_limit || is_at_limit;
    const bool should_watch = !is_paused_ && !is_at_limit;
    if (should_watch == entry->is_watched) continue;
    entry->is_watched = should_watch;
    entry->watch->watch(should_watch ? uv::FdWatch::Read::yes : uv::FdWatch::Read::no,
                        uv::FdWatch::Write::no);
  }
  if (!is_any_at_limit) settings_.is_gone_wanted.store(false);
  if (settings_.connections.load() >= most_connections()) {
    tell_shortage("the limit of open files is reached with " +
                  std::to_string(settings_.connections.load()) + " connections");
  }
}

}  // namespace tunnel::runtime
