// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "dns/resolver.h"
#include "dns/watched_file.h"
#include "uv/fd_watch.h"
#include "uv/loop.h"
#include "uv/timer.h"

struct ares_channeldata;

namespace tunnel::dns {

// Asks DNS servers through c-ares, over UDP and, when an answer was cut off, TCP. Takes servers,
// search list and ndots from resolv.conf, and reads it again when it has changed: questions that
// wait for an answer then are asked again, of the new servers. Belongs to Names; on its loop.
class CaresResolver final : public Resolver {
 public:
  struct Options {
    std::vector<SocketAddress> servers;  // instead of resolv.conf's; port 0 means 53
    std::string resolv_conf = "/etc/resolv.conf";
    std::uint16_t port = 53;                   // of resolv.conf's servers
    Millis timeout = std::chrono::seconds(2);  // of the first try; c-ares doubles it per round
    int tries = 2;                             // of each server
  };
  // loop must outlive it.
  CaresResolver(uv::Loop& loop, Options options);
  ~CaresResolver() override;
  CaresResolver(const CaresResolver&) = delete;
  CaresResolver& operator=(const CaresResolver&) = delete;

  void ask(const std::string& name, RecordType type, OnAnswer on_answer) override;

 private:
  // A question on its way, at an address that c-ares may keep.
  struct Question {
    CaresResolver* resolver = nullptr;
    std::string name;
    RecordType type = RecordType::a;
    OnAnswer on_answer;
    Answer answer;
    bool is_answered = false;
  };
  struct ChannelCloser {
    void operator()(ares_channeldata* channel) const;
  };

  void open_channel();
  void close_channel();
  void submit(Question& question);
  void answered(Question& question, int ares_status, const unsigned char* bytes, std::size_t size);
  void watch_socket(int fd, bool readable, bool writable);
  void process(int readable_fd, int writable_fd);
  void set_timeout();
  void deliver();

  uv::Loop& loop_;
  Options options_;
  WatchedFile resolv_conf_;
  std::map<std::uint64_t, Question> questions_;
  std::uint64_t last_id_ = 0;
  std::map<int, std::unique_ptr<uv::FdWatch>> sockets_;
  uv::Timer timeout_;  // c-ares' next
  // Answers are given in a later turn: c-ares answers some questions before ares_search returns,
  // and a callback of its must neither call nor destroy it.
  uv::Timer delivery_;
  bool is_closing_ = false;
  std::unique_ptr<ares_channeldata, ChannelCloser> channel_;
};

}  // namespace tunnel::dns
