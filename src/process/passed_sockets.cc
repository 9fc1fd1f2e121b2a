// SPDX-License-Identifier: MIT
#include "process/passed_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/socket.h"
#include "base/text.h"

namespace tunnel::process {
namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
constexpr long kMost = 100'000;
constexpr std::string_view kKept = "tunnel-kept-";
constexpr std::string_view kHanded = "tunnel-handed-";
constexpr const char* kUpgrade = "TUNNEL_UPGRADE";
constexpr std::size_t kLongestName = 200;  // systemd's limit is 255

// The variable, which is gone afterwards.
std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value != nullptr ? value : "";
  (void)::unsetenv(name);
  return text;
}

long number_of(std::string_view text) {
  long number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

// The next of the names that colons separate.
std::string next_name(std::string_view& names) {
  const std::size_t colon = names.find(':');
  std::string name(names.substr(0, colon));
  names.remove_prefix(colon == std::string_view::npos ? names.size() : colon + 1);
  return name.empty() ? "unknown" : name;  // as sd_listen_fds_with_names(3) calls them
}

int option_of(int socket, int option) {
  int value = -1;
  socklen_t length = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

Result<PassedSockets::Socket> take_one(int number, std::string name) {
  PassedSockets::Socket socket{.name = std::move(name), .fd = Fd(number), .address = {}};
  if (option_of(number, SO_TYPE) != SOCK_STREAM || option_of(number, SO_ACCEPTCONN) != 1) {
    return failed(ErrorCode::invalid, "what the service manager passes as " +
                                          in_quotes(socket.name) +
                                          " is not a stream socket that listens: its socket unit "
                                          "needs ListenStream= and Accept=no");
  }
  (void)::fcntl(number, F_SETFD, FD_CLOEXEC);
  (void)::fcntl(number, F_SETFL, ::fcntl(number, F_GETFL) | O_NONBLOCK);
  socket.address = local_address(number);
  return socket;
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

}  // namespace

Result<PassedSockets> PassedSockets::take() {
  const long pid = number_of(take_variable("LISTEN_PID"));
  const long count = number_of(take_variable("LISTEN_FDS"));
  const std::string all_names = take_variable("LISTEN_FDNAMES");
  (void)take_variable("LISTEN_PIDFDID");
  const bool is_upgrade = number_of(take_variable(kUpgrade)) == static_cast<long>(::getppid());
  // Children inherit the variables of the process that they are meant for, so each must see whether
  // it is that one (sd_listen_fds(3)).
  const bool is_ours = is_upgrade || pid == static_cast<long>(::getpid());
  if (!is_ours || count <= 0) return PassedSockets();
  if (count > kMost) return failed(ErrorCode::invalid, "LISTEN_FDS is out of range");
  std::string_view names = all_names;
  PassedSockets passed;
  passed.is_upgrade_ = is_upgrade;
  // The parent has left it out (handed_environment). Set, it tells programs that this process runs
  // that the watchdog is not theirs.
  if (is_upgrade && std::getenv("WATCHDOG_USEC") != nullptr) {
    (void)::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  }
  for (int number = kFirst; number < kFirst + count; ++number) {
    std::string name = next_name(names);
    if (is_upgrade && name.starts_with(kHanded)) {
      (void)::fcntl(number, F_SETFD, FD_CLOEXEC);
      passed.handed_.emplace_back(std::move(name), Fd(number));
      continue;
    }
    auto socket = take_one(number, std::move(name));
    if (!socket) return tl::unexpected(std::move(socket).error());
    passed.sockets_.push_back(std::move(*socket));
  }
  return passed;
}

Fd PassedSockets::take_handed(std::string_view name) {
  for (auto& [its_name, fd] : handed_) {
    if (its_name == name) return std::move(fd);
  }
  return Fd();
}

std::vector<Handed> PassedSockets::given() const {
  std::vector<Handed> given;
  for (const Socket& socket : sockets_) {
    if (!socket.name.starts_with(kKept)) given.push_back({socket.name, socket.fd.get()});
  }
  return given;
}

// Without WATCHDOG_PID, which is this process: a manager's watchdog wants to hear from the next
// one.
std::vector<std::string> handed_environment(const std::vector<Handed>& handed) {
  std::vector<std::string> environment;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view variable(*each);
    const std::string_view name = variable.substr(0, variable.find('='));
    if (name.starts_with("LISTEN_") || name == "WATCHDOG_PID" || name == kUpgrade) continue;
    environment.emplace_back(variable);
  }
  std::string names;
  for (const Handed& each : handed) names += (names.empty() ? "" : ":") + each.name;
  environment.push_back("LISTEN_FDS=" + std::to_string(handed.size()));
  environment.push_back("LISTEN_FDNAMES=" + names);
  environment.push_back(std::string(kUpgrade) + "=" + std::to_string(::getpid()));
  return environment;
}

std::vector<SocketAddress> PassedSockets::addresses_of(std::string_view name) const {
  std::vector<SocketAddress> addresses;
  for (const Socket& socket : sockets_) {
    if (socket.name == name) addresses.push_back(socket.address);
  }
  return addresses;
}

Fd PassedSockets::copy(std::string_view name, const SocketAddress& address) const {
  for (const Socket& socket : sockets_) {
    if (socket.name != name || socket.address != address) continue;
    return Fd(::fcntl(socket.fd.get(), F_DUPFD_CLOEXEC, kFirst));
  }
  return Fd();
}

std::vector<std::string> PassedSockets::names() const {
  std::vector<std::string> names;
  for (const Socket& socket : sockets_) {
    const bool is_known = std::find(names.begin(), names.end(), socket.name) != names.end();
    if (!is_known && !socket.name.starts_with(kKept)) names.push_back(socket.name);
  }
  return names;
}

const PassedSockets::Socket* PassedSockets::find_kept(std::string_view name) const {
  const auto found = std::find_if(sockets_.begin(), sockets_.end(),
                                  [&](const Socket& socket) { return socket.name == name; });
  return found == sockets_.end() ? nullptr : &*found;
}

Fd PassedSockets::take_kept(std::string_view name) {
  const auto found = std::find_if(sockets_.begin(), sockets_.end(),
                                  [&](const Socket& socket) { return socket.name == name; });
  if (found == sockets_.end()) return Fd();
  Fd fd = std::move(found->fd);
  sockets_.erase(found);
  return fd;
}

std::vector<std::string> PassedSockets::drop_kept() {
  std::vector<std::string> names;
  std::erase_if(sockets_, [&](const Socket& socket) {
    if (!socket.name.starts_with(kKept)) return false;
    names.push_back(socket.name);
    return true;
  });
  return names;
}

// No colon, which separates names, and nothing but printable ASCII.
std::string kept_name(std::string_view place) {
  std::string name(kKept);
  for (const char c : place) {
    const bool is_plain = c > ' ' && c < 127 && c != ':';
    name += is_plain ? c : c == ':' ? ';' : '_';
  }
  // Two places must not become one name where characters were replaced or cut off.
  if (name.size() <= kLongestName && name.find('_') == std::string::npos) return name;
  name.resize(std::min(name.size(), kLongestName));
  return name + "." + std::to_string(fnv1a(place));
}

}  // namespace tunnel::process
