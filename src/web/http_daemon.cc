// SPDX-License-Identifier: MIT
#include "web/http_daemon.h"

#include <microhttpd.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/fd.h"

namespace tunnel::web {
namespace {

// Between two looks whether some client's time is over.
constexpr Millis kLook{500};

// Nothing of what a page shows may load or run anything, stay in a cache, or be framed by others.
constexpr auto kHeaders = std::to_array<std::pair<const char*, const char*>>({
    {"Content-Security-Policy",
     "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
     "frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Cache-Control", "no-store"},
    {"Referrer-Policy", "no-referrer"},
    // One request for each connection: with a second one its time would begin anew.
    {"Connection", "close"},
});

// Of several headers of one name the library gives any one.
std::optional<std::string_view> header(MHD_Connection* connection, const char* name) {
  const char* const value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value != nullptr ? std::optional<std::string_view>(value) : std::nullopt;
}

std::string_view argument(MHD_Connection* connection, const char* name) {
  const char* const value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
  return value != nullptr ? value : "";
}

bool has_more_hosts(MHD_Connection* connection) {
  int hosts = 0;
  const auto count = [](void* found, MHD_ValueKind, const char* name, const char*) noexcept {
    if (::strcasecmp(name, "Host") == 0) ++*static_cast<int*>(found);
    return MHD_YES;
  };
  (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, count, &hosts);
  return hosts > 1;
}

bool has_body(MHD_Connection* connection) {
  const auto length = header(connection, "Content-Length");
  // Either header announces one (RFC 9112, section 6).
  return (length && *length != "0") || header(connection, "Transfer-Encoding");
}

int socket_of(MHD_Connection* connection) {
  const MHD_ConnectionInfo* const info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info != nullptr ? info->connect_fd : -1;
}

MHD_Result result(bool is_good) { return is_good ? MHD_YES : MHD_NO; }

}  // namespace

// A request is heard of twice: when its head is there, and when all of it is. Where a body is to
// come, which nothing here wants, the answer goes out at once: it could not later, before the body
// is read.
struct HttpDaemon::Trampolines {
  static MHD_Result on_request(void* daemon, MHD_Connection* connection, const char* path,
                               const char* method, const char*, const char*, std::size_t* length,
                               void** context) noexcept {
    auto& self = *static_cast<HttpDaemon*>(daemon);
    if (*context == nullptr) {
      const std::uint64_t id = ++self.last_id_;
      Exchange& exchange = self.exchanges_[id];
      exchange.connection = connection;
      // A number and not an address: the answer comes later, and its exchange may have gone by
      // then.
      *context = reinterpret_cast<void*>(id);
      if (!has_body(connection)) return MHD_YES;
    }
    *length = 0;
    return result(self.read(reinterpret_cast<std::uint64_t>(*context), connection, path, method));
  }

  static void on_completed(void* daemon, MHD_Connection*, void** context,
                           MHD_RequestTerminationCode) noexcept {
    static_cast<HttpDaemon*>(daemon)->exchanges_.erase(reinterpret_cast<std::uint64_t>(*context));
  }

  static void on_connection(void* daemon, MHD_Connection* connection, void**,
                            MHD_ConnectionNotificationCode what) noexcept {
    auto& self = *static_cast<HttpDaemon*>(daemon);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
      self.clients_[socket_of(connection)] = self.loop_.now() + kTimeLimit;
    } else {
      self.clients_.erase(socket_of(connection));
    }
  }

  // A path stands as it came.
  static std::size_t leave_encoded(void*, MHD_Connection*, char* text) noexcept {
    return std::char_traits<char>::length(text);
  }
};

HttpDaemon::HttpDaemon(uv::Loop& loop, const std::vector<int>& listening, OnRequest on_request)
    : loop_(loop),
      on_request_(std::move(on_request)),
      turn_timer_(loop, [this] { turn(); }),
      limit_timer_(loop, [this] { cut_off_late(); }) {
  // Without a thread and without a listening socket of its own: this loop turns it and brings it
  // clients. It has one epoll descriptor for all of them, which is all that has to be watched.
  daemon_ = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0,
                             nullptr, nullptr, &Trampolines::on_request, this,                  //
                             MHD_OPTION_NOTIFY_COMPLETED, &Trampolines::on_completed, this,     //
                             MHD_OPTION_NOTIFY_CONNECTION, &Trampolines::on_connection, this,   //
                             MHD_OPTION_UNESCAPE_CALLBACK, &Trampolines::leave_encoded, this,   //
                             MHD_OPTION_CONNECTION_MEMORY_LIMIT, kLongestRequest,               //
                             MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(kMostClients),  //
                             MHD_OPTION_CONNECTION_TIMEOUT,
                             static_cast<unsigned>(kTimeLimit.count() / 1000),  //
                             MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,              //
                             MHD_OPTION_END);
  if (daemon_ == nullptr) return;
  const MHD_DaemonInfo* const info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  watch_ =
      std::make_unique<uv::FdWatch>(loop_, info->epoll_fd, [this](uv::FdWatch::Ready) { turn(); });
  watch_->watch(uv::FdWatch::Read::yes, uv::FdWatch::Write::no);
  for (const int socket : listening) {
    listening_.push_back(std::make_unique<uv::FdWatch>(
        loop_, socket, [this, socket](uv::FdWatch::Ready) { accept_from(socket); }));
  }
  update_watches();
}

// libmicrohttpd must not be stopped while something is suspended.
HttpDaemon::~HttpDaemon() {
  if (daemon_ == nullptr) return;
  for (auto& [id, exchange] : exchanges_) {
    exchange.response = std::make_unique<Response>(Response{503, "text/plain", "the end\n"});
    if (std::exchange(exchange.is_suspended, false)) MHD_resume_connection(exchange.connection);
  }
  // What was resumed is answered in here.
  (void)MHD_run(daemon_);
  // Before the library closes what is watched.
  watch_.reset();
  MHD_stop_daemon(daemon_);
}

// Further clients wait in the kernel's backlog.
void HttpDaemon::update_watches() {
  const bool has_room = clients_.size() < kMostClients;
  for (const auto& watch : listening_) {
    watch->watch(has_room ? uv::FdWatch::Read::yes : uv::FdWatch::Read::no, uv::FdWatch::Write::no);
  }
  if (!clients_.empty() && !limit_timer_.is_active()) limit_timer_.start(kLook);
}

void HttpDaemon::accept_from(int listening) {
  sockaddr_storage address{};
  // One client for each call: the loop comes back while there are more.
  socklen_t length = sizeof address;
  auto* const its = reinterpret_cast<sockaddr*>(&address);
  Fd socket(::accept4(listening, its, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.valid()) {
    // It closes the socket in any case.
    (void)MHD_add_connection(daemon_, socket.release(), its, length);
  } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
    // For want of descriptors: the timer below looks again.
    for (const auto& watch : listening_) {
      watch->watch(uv::FdWatch::Read::no, uv::FdWatch::Write::no);
    }
    return limit_timer_.start(kLook);
  }
  return turn();
}

// libmicrohttpd has no events to give: it is called when its epoll descriptor is readable, when a
// time is over that it has asked for, and after whatever this side has changed, for it may have
// more to do at once.
void HttpDaemon::turn() {
  (void)MHD_run(daemon_);
  MHD_UNSIGNED_LONG_LONG wait = 0;
  if (MHD_get_timeout(daemon_, &wait) == MHD_YES) {
    turn_timer_.start(Millis(std::min<MHD_UNSIGNED_LONG_LONG>(wait, 60'000)));
  } else {
    turn_timer_.stop();
  }
  return update_watches();
}

// libmicrohttpd's own limit is about silence; one that sends a byte now and then has time by this.
void HttpDaemon::cut_off_late() {
  for (const auto& [socket, until] : clients_) {
    // Not close(2): the descriptor is the library's, which finds the end and closes it in this
    // turn.
    if (until <= loop_.now()) (void)::shutdown(socket, SHUT_RDWR);
  }
  return turn();
}

bool HttpDaemon::read(std::uint64_t id, MHD_Connection* connection, const char* path,
                      const char* method) {
  Exchange& exchange = exchanges_[id];
  if (!exchange.response) {
    on_request_(id, {.method = method,
                     .path = path,
                     .host = header(connection, "Host"),
                     .has_more_hosts = has_more_hosts(connection),
                     .origin = header(connection, "Origin"),
                     .fetch_site = header(connection, "Sec-Fetch-Site"),
                     .accept = header(connection, "Accept").value_or(""),
                     .targets = argument(connection, "targets"),
                     .refresh = argument(connection, "refresh"),
                     .service = argument(connection, "service"),
                     .from = argument(connection, "from"),
                     .filter = argument(connection, "filter"),
                     .sort = argument(connection, "sort"),
                     .limit = argument(connection, "limit"),
                     .after = argument(connection, "after"),
                     .has_body = has_body(connection)});
  }
  if (exchange.response) return write(connection, *exchange.response);
  // Until respond(): a connection that waits is not polled, so a client that goes meanwhile is
  // noticed only then.
  exchange.is_suspended = true;
  MHD_suspend_connection(connection);
  return true;
}

void HttpDaemon::respond(std::uint64_t id, Response response) {
  const auto found = exchanges_.find(id);
  if (found == exchanges_.end()) return;
  Exchange& exchange = found->second;
  exchange.response = std::make_unique<Response>(std::move(response));
  // Otherwise read() is on the stack, and writes it.
  if (!std::exchange(exchange.is_suspended, false)) return;
  MHD_resume_connection(exchange.connection);
  return turn();
}

bool HttpDaemon::write(MHD_Connection* connection, const Response& response) {
  MHD_Response* const made = MHD_create_response_from_buffer(
      response.body.size(), const_cast<char*>(response.body.data()), MHD_RESPMEM_MUST_COPY);
  if (made == nullptr) return false;
  bool is_good = MHD_add_response_header(made, "Content-Type", response.type.c_str()) == MHD_YES;
  for (const auto& [name, value] : kHeaders) {
    is_good = is_good && MHD_add_response_header(made, name, value) == MHD_YES;
  }
  if (response.status == 405) (void)MHD_add_response_header(made, "Allow", "GET, HEAD");
  is_good = is_good && MHD_queue_response(connection, response.status, made) == MHD_YES;
  MHD_destroy_response(made);
  // Its time begins anew for the response: it may have waited for the supervisor, which is not its
  // fault.
  if (const auto client = clients_.find(socket_of(connection)); client != clients_.end()) {
    client->second = loop_.now() + kTimeLimit;
  }
  return is_good;
}

}  // namespace tunnel::web
