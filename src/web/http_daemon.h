// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "uv/fd_watch.h"
#include "uv/loop.h"
#include "uv/timer.h"
#include "web/request.h"

struct MHD_Connection;
struct MHD_Daemon;

namespace tunnel::web {

struct Response {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

// libmicrohttpd on a loop of ours: takes clients from listening sockets, reads one request of each,
// and writes the response. No client can hold it up: they are few, each may send little, and has
// little time for it. Loop-bound; owned by a Server.
class HttpDaemon {
 public:
  static constexpr std::size_t kMostClients = 16;
  static constexpr std::size_t kLongestRequest = 8 * 1024;
  // For the whole request, and again for the whole response.
  static constexpr Millis kTimeLimit{5'000};

  // respond() to `id` follows, once, at once or later. The request's views are valid until this
  // returns.
  using OnRequest = std::function<void(std::uint64_t id, const Request& request)>;

  // The listening sockets are non-blocking, stay the caller's and must outlive this.
  HttpDaemon(uv::Loop& loop, const std::vector<int>& listening, OnRequest on_request);
  ~HttpDaemon();
  HttpDaemon(const HttpDaemon&) = delete;
  HttpDaemon& operator=(const HttpDaemon&) = delete;

  // False when libmicrohttpd could not be started: nobody is served.
  [[nodiscard]] bool is_ready() const { return daemon_ != nullptr; }
  // Does nothing when the client has gone.
  void respond(std::uint64_t id, Response response);

 private:
  struct Trampolines;  // libmicrohttpd's callbacks
  struct Exchange {
    MHD_Connection* connection = nullptr;
    std::unique_ptr<Response> response;
    bool is_suspended = false;
  };

  [[nodiscard]] bool read(std::uint64_t id, MHD_Connection* connection, const char* path,
                          const char* method);
  [[nodiscard]] bool write(MHD_Connection* connection, const Response& response);
  void turn();
  void accept_from(int listening);
  void update_watches();
  void cut_off_late();

  uv::Loop& loop_;
  const OnRequest on_request_;
  MHD_Daemon* daemon_ = nullptr;
  uv::Timer turn_timer_;  // when libmicrohttpd wants to be called, whatever the sockets do
  uv::Timer limit_timer_;
  std::vector<std::unique_ptr<uv::FdWatch>> listening_;
  std::unique_ptr<uv::FdWatch> watch_;  // libmicrohttpd's epoll descriptor
  // The clients by their descriptors, which libmicrohttpd closes, and until when each has time.
  std::map<int, TimePoint> clients_;
  std::map<std::uint64_t, Exchange> exchanges_;
  std::uint64_t last_id_ = 0;
};

}  // namespace tunnel::web
