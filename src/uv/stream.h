// SPDX-License-Identifier: MIT
#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/address.h"
#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"
#include "uv/loop.h"
#include "uv/tap.h"

namespace tunnel::uv {

// A connected (or connecting) TCP or unix stream socket on one loop. The libuv handle, its requests
// and the bytes that the kernel would not take yet live in one heap block, which lives until
// libuv's close callback; the Stream itself may be destroyed at any time (that closes the socket).
// Loop-bound. No event is delivered before the call that registered for it has returned, and none
// after the Stream is gone.
class Stream {
 public:
  // Whoever owns the Stream. A method may destroy the Stream as its last action.
  class Events {
   public:
    // Bytes have arrived, in the loop's input scratch: valid (and writable) until this returns.
    virtual void on_read(MutableBytes bytes) = 0;
    virtual void on_eof() = 0;                      // FIN, after all bytes; reading has stopped
    virtual void on_read_error(int uv_error) = 0;   // UV_ECONNRESET ...; after all bytes
    virtual void on_write_error(int uv_error) = 0;  // the peer is gone; pending bytes are lost
    virtual void on_drained() = 0;                  // pending() fell to 0 after a short write
    virtual void on_connected(int uv_status) {      // 0, or UV_ECONNREFUSED, UV_EHOSTUNREACH ...
      (void)uv_status;
    }

   protected:
    ~Events() = default;
  };

  // Takes over a connected non-blocking socket (accept4).
  static Result<std::unique_ptr<Stream>> adopt(Loop& loop, Fd socket, int family, Events& events);
  // Begins a non-blocking connect of a socket of socket::open_towards; `on_connected` follows,
  // never before this returned. An Error only for local causes.
  static Result<std::unique_ptr<Stream>> connect(Loop& loop, Fd socket, const SocketAddress& to,
                                                 Events& events);
  ~Stream();  // closes: FIN when nothing was pending or unread, as close(2) does
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void set_events(Events& events);
  // Null: none, as at first. The stream's own end is reported to it also when the stream goes.
  void set_tap(Tap* tap);

  void start_reading();  // idempotent
  void stop_reading();   // idempotent
  [[nodiscard]] bool is_reading() const;

  // done: the kernel took everything. pending: the rest was copied and goes out by itself;
  // on_drained follows. failed: see write_error(); on_write_error is NOT called for this one.
  enum class Written : std::uint8_t { done, pending, failed };
  [[nodiscard]] Written write(Bytes bytes);
  [[nodiscard]] std::size_t pending() const;  // bytes copied and not yet taken by the kernel
  [[nodiscard]] int write_error() const;      // of the last failed write

  void shutdown();  // FIN after the pending bytes; at most once
  void reset();     // RST now (unix sockets: close); the Stream is dead then, but may be called

  // True when nothing is pending and the peer's side has taken every byte out of our send queue
  // (SIOCOUTQ is 0), so that an RST cannot overtake data. After shutdown() also the FIN must have
  // been acknowledged. For unix sockets: nothing is pending. After the peer's RST it may stay
  // false.
  [[nodiscard]] bool is_delivered() const;
  // True when the connection is over (the peer has reset it, or both sides have finished), seen
  // without reading. The peer's FIN alone does not count, nor a unix socket that was closed while
  // bytes are left to be read.
  [[nodiscard]] bool is_hung_up() const;

  // For a stream that is held back (not read because its bytes have nowhere to go) and may be hung
  // up: whether bytes are left to be read, and the error that ended it (0: none), which reading
  // will find again at its end.
  [[nodiscard]] bool has_unread() const;
  // For one that is about to change hands, and not hung up: a read would find its end now.
  [[nodiscard]] bool is_at_end() const;
  [[nodiscard]] int find_error();
  // How many bytes of ours the peer has not acknowledged, pending() included.
  [[nodiscard]] std::size_t undelivered() const;

  void set_nodelay();
  void set_keepalive(int idle_seconds, int interval_seconds, int count);
  [[nodiscard]] int fd() const;
  [[nodiscard]] bool is_unix() const;

  struct Block;  // the heap block; public for the trampolines in stream.cc, and for tests
  [[nodiscard]] Block& block() { return *block_; }

 private:
  struct Closer {
    void operator()(Block* block) const;
  };
  explicit Stream(std::unique_ptr<Block, Closer> block);

  std::unique_ptr<Block, Closer> block_;
};

}  // namespace tunnel::uv
