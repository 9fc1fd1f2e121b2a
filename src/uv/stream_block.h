// SPDX-License-Identifier: MIT
#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "uv/coalescing.h"
#include "uv/loop.h"
#include "uv/read_pace.h"
#include "uv/stream.h"
#include "uv/tap.h"

namespace tunnel::uv {

// What a Stream keeps on the heap until libuv's close callback: the handle, and what is under way.
// Small, because every connection has two. Private to stream.cc, stream_block.cc and tests.
struct Stream::Block final : Coalescing::Member {
  union Handle {
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
    Handle() : pipe{} {}
  } handle;
  Events* owner = nullptr;
  Tap* tap = nullptr;

  // The one connect, until it has ended.
  struct Connecting final : Deferred {
    explicit Connecting(Block& its_block) : block(its_block) {}
    void on_end_of_turn() override;  // one that ended at once is told here
    Block& block;
    uv_connect_t request{};
    int status = 0;
  };
  std::unique_ptr<Connecting> connecting;
  // What the kernel has not taken, while there is such.
  struct Sending {
    uv_write_t request{};
    std::vector<std::byte> bytes;    // handed to libuv with the request
    std::vector<std::byte> waiting;  // came meanwhile
  };
  std::unique_ptr<Sending> sending;
  // The socket's own error is told once, to whoever asks first. When that was a write, reading
  // would see a plain EOF afterwards, and a broken source must never look like an orderly end.
  int socket_error = 0;
  int write_error = 0;
  ReadPace pace;
  std::uint32_t low_water = 1;  // SO_RCVLOWAT; more than 1: enlisted in the loop's Coalescing
  bool is_unix = false;
  bool is_reading = false;
  bool has_read_since_look = false;  // Coalescing's
  bool wants_shutdown = false;
  bool is_shut_down = false;

  [[nodiscard]] Loop& loop() const { return *static_cast<Loop*>(handle.stream.loop->data); }
  [[nodiscard]] int fd() const;

  int open(int socket);  // libuv takes the descriptor
  void connect(const SocketAddress& to);
  void connected(int status);

  void start_reading();
  void stop_reading();
  void take_read(ssize_t count, MutableBytes bytes);
  void take_eof();
  void note_pace(std::size_t size);
  void wait_for(std::uint32_t bytes);  // before reading; 1: whatever comes
  [[nodiscard]] bool goes_on_coalescing() override;
  void fail_reading(int uv_error);

  [[nodiscard]] int send(Bytes bytes);
  [[nodiscard]] int begin_sending(std::vector<std::byte> bytes);
  void sent(int status);
  void fail_writing(int uv_error);
  [[nodiscard]] std::size_t pending() const;
  void shut_down_when_sent();
};

}  // namespace tunnel::uv
