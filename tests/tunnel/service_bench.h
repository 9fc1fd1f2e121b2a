// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "balance/arrangement.h"
#include "log/log.h"
#include "support/sockets.h"
#include "tls/context.h"
#include "tls/remembered.h"
#include "tunnel/service.h"

// One loop with one service, whose clients and targets the test plays.
namespace tunnel::testing {

using uv::testing::listen_on;
using uv::testing::local_address;
using uv::testing::Pair;
using uv::testing::spin_until;
using uv::testing::turn_until;

// Keeps what is said of connections and checks.
class KeepingLog final : public log::Log {
 public:
  [[nodiscard]] bool enabled(log::Level level) const override { return level <= most; }
  void write(log::Level, log::Event event, log::Subject, std::string_view message,
             std::initializer_list<log::Field> fields) override {
    if (event == log::Event::closed) closed.push_back(value_of(fields, "kind"));
    if (event == log::Event::notice) notices.emplace_back(message);
  }
  void reopen() override {}
  void flush() override {}

  log::Level most = log::Level::debug;
  std::vector<std::string> closed;  // its kind
  std::vector<std::string> notices;

 private:
  static std::string value_of(std::initializer_list<log::Field> fields, std::string_view key) {
    for (const log::Field& field : fields) {
      if (field.key == key) return std::string(std::get<std::string_view>(field.value));
    }
    return {};
  }
};

inline config::Target target_at(const SocketAddress& address) {
  config::Target target;
  target.form = config::Target::Form::ip;
  target.host = address.ip();
  target.port = address.port();
  target.text = address.to_string();
  return target;
}

inline config::Target target_named(const std::string& host) {
  config::Target target;
  target.form = config::Target::Form::name;
  target.host = host;
  target.port = 1;
  target.text = host + ":1";
  return target;
}

// Speaks TLS with any server: nothing is read from the disk for it.
inline std::unique_ptr<const tls::Context> trusting_context() {
  config::Tls tls;
  tls.verify = config::Verify::none;
  tls::Context::Shared shared;
  auto loaded = tls::Context::load(tls, shared);
  uv::testing::require(loaded.context != nullptr);
  return std::move(loaded.context);
}

// A server that accepts and says nothing.
struct SilentServer {
  Fd listener = listen_on(SocketAddress::loopback_v4(0));
  SilentServer() { uv::testing::require(::fcntl(listener.get(), F_SETFL, O_NONBLOCK) == 0); }
  [[nodiscard]] SocketAddress address() const { return local_address(listener.get()); }
  [[nodiscard]] Fd accept() const {  // not valid: nobody has connected yet
    return Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  }
};

// A listener whose backlog is full: connecting to it never ends.
struct DeafServer {
  Fd listener = listen_on(SocketAddress::loopback_v4(0), 0);
  std::vector<Fd> filling;
  DeafServer() {
    for (int i = 0; i < 4; ++i) {
      Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      const SocketAddress to = address();
      (void)::connect(fd.get(), to.get(), to.length());
      filling.push_back(std::move(fd));
    }
  }
  [[nodiscard]] SocketAddress address() const { return local_address(listener.get()); }
};

struct ServiceBench : uv::testing::IgnoreSigpipe {
  uv::Loop loop;
  KeepingLog log;
  AddressHistory history;
  AddressBook book{loop, history, [](const std::string&) {}};
  tls::Remembered remembered;
  balance::Random random{7};
  int gone = 0;
  Surroundings surroundings{loop, log, book, random};
  ServiceHandle handle;
  std::unique_ptr<Service> service;
  std::shared_ptr<const balance::Layout> layout;

  void serve(const std::vector<config::Target>& targets, const config::Timeouts& timeouts,
             const config::Health& health = {},
             config::Starttls starttls = config::Starttls::none) {
    config::Service written;
    written.starttls = starttls;
    written.name = std::string("bench");
    written.connect = {targets};
    written.timeouts = timeouts;
    written.health = health;
    handle = {std::make_shared<const ServiceConfig>(written, trusting_context(), nullptr),
              std::make_shared<ServiceLife>(1, "bench")};
    layout = handle.life->backend.build(balance::arrange(written.connect, {}), written.balance,
                                        balance::rules_of(written.health), loop.now());
    service = std::make_unique<Service>(
        Service::Settings{.service = handle,
                          .surroundings = surroundings,
                          .remembered = remembered,
                          .on_gone = [this](const Service&, const Connection&) { ++gone; },
                          .on_target_changed = [](const TargetChange&) {}});
    service->set_targets(layout, "");
  }
  void take(Pair& client) {
    service->take(std::move(client.near), SocketAddress::loopback_v4(1), 1);
  }
  // The loop's thread is held up until `when`: deadlines before it are over in its next turn.
  static void block_until(std::chrono::steady_clock::time_point when) {
    std::this_thread::sleep_until(when);
  }
  void turn(int times = 3) {
    for (int i = 0; i < times; ++i) (void)uv_run(loop.raw(), UV_RUN_NOWAIT);
  }
};

}  // namespace tunnel::testing
