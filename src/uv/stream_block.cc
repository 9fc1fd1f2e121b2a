// SPDX-License-Identifier: MIT
#include "uv/stream_block.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "uv/handle.h"
#include "uv/socket.h"

namespace tunnel::uv {

// The methods are in the order of a connection's life. Each that calls the owner does so as its
// last statement: the owner may have destroyed the Stream when it returns.

int Stream::Block::fd() const {
  uv_os_fd_t fd = -1;
  (void)uv_fileno(reinterpret_cast<const uv_handle_t*>(&handle), &fd);
  return fd;
}

int Stream::Block::open(int socket) {
  return is_unix ? uv_pipe_open(&handle.pipe, socket) : uv_tcp_open(&handle.tcp, socket);
}

void Stream::Block::connect(const SocketAddress& to) {
  connecting = std::make_unique<Connecting>(*this);
  int& status = connecting->status;
  if (is_unix) {
    // Ourselves: uv_pipe_connect takes a C string (no abstract names, no long paths), and on Linux
    // a unix connect never is "in progress": a full backlog is EAGAIN at once.
    do status = ::connect(fd(), to.get(), to.length()) == 0 ? 0 : -errno;
    while (status == UV_EINTR);
  } else if (const auto where = socket::with_interface(fd(), to); !where) {
    // As connect(2) has it. libuv 1.45 and newer would take any interface with a link-local address
    // instead, and the connection would time out.
    status = UV_EINVAL;
  } else {
    status = uv_tcp_connect(&connecting->request, &handle.tcp, where->get(),
                            [](uv_connect_t* connect, int result) noexcept {
                              auto* block = block_of<Block>(connect->handle);
                              if (block->owner != nullptr) block->connected(result);
                            });
    if (status == 0) return;
  }
  loop().at_end_of_turn(*connecting);
}

void Stream::Block::Connecting::on_end_of_turn() {
  if (block.owner != nullptr) block.connected(status);
}

void Stream::Block::connected(int status) {
  connecting.reset();
  owner->on_connected(status);
}

// libuv asks for a buffer before each read, and reads again (32 times at most) while one comes back
// full: on_read may be called many times in a turn, each time with the same scratch.
void Stream::Block::start_reading() {
  if (is_reading) return;
  is_reading =
      uv_read_start(
          &handle.stream,
          [](uv_handle_t* stream, std::size_t, uv_buf_t* buffer) noexcept {
            const MutableBytes scratch = block_of<Block>(stream)->loop().input_scratch();
            *buffer = uv_buf_init(reinterpret_cast<char*>(scratch.data()),
                                  static_cast<unsigned>(scratch.size()));
          },
          [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept {
            auto* block = block_of<Block>(stream);
            if (block->owner != nullptr) {
              block->take_read(count, {reinterpret_cast<std::byte*>(buffer->base), buffer->len});
            }
          }) == 0;
}

void Stream::Block::stop_reading() {
  if (!is_reading) return;
  is_reading = false;
  (void)uv_read_stop(&handle.stream);
}

void Stream::Block::take_read(ssize_t count, MutableBytes bytes) {
  if (count == 0) return;  // EAGAIN
  if (count > 0) {
    note_pace(static_cast<std::size_t>(count));
    if (tap != nullptr) tap->on_received(bytes.first(static_cast<std::size_t>(count)));
    return owner->on_read(bytes.first(static_cast<std::size_t>(count)));
  }
  stop_reading();
  if (count == UV_EOF) return take_eof();
  fail_reading(static_cast<int>(count));
}

// libuv says EOF not only when read(2) returned 0, but also on POLLHUP after a short read, which is
// how an RST looks that comes right behind the last bytes. So ask the socket what it really was.
void Stream::Block::take_eof() {
  if (socket_error != 0) return fail_reading(socket_error);
  const socket::Peeked peeked = socket::peek(fd());
  switch (peeked.what) {
    case socket::Peeked::What::eof:
      if (tap != nullptr) tap->on_peer_ended(Tap::End::fin);
      return owner->on_eof();
    case socket::Peeked::What::error:
      return fail_reading(-peeked.system_errno);
    case socket::Peeked::What::bytes:
    case socket::Peeked::What::nothing:
      // A POLLHUP and no end yet, or bytes that came since: the next read tells.
      return start_reading();
  }
}

// A stream that has been fast for a while is read only when a good piece is there (SO_RCVLOWAT).
// Coalescing looks after it each millisecond, for the kernel does not say that the last bytes are
// fewer.
void Stream::Block::note_pace(std::size_t size) {
  has_read_since_look = true;
  if (const auto worth_waiting_for = pace.note(size, loop().now())) wait_for(*worth_waiting_for);
}

void Stream::Block::wait_for(std::uint32_t bytes) {
  if (bytes == low_water || is_unix) return;
  if (low_water == 1) {
    // One that socket_options has set stays.
    if (socket::low_water(fd()) != 1) return;
    Coalescing::of(loop()).add(*this);
  } else if (bytes == 1) {
    Coalescing::of(loop()).remove(*this);
  }
  low_water = bytes;
  socket::set_low_water(fd(), bytes);
}

// From Coalescing, which takes it out of its list.
bool Stream::Block::goes_on_coalescing() {
  if (std::exchange(has_read_since_look, false)) return true;
  // When we do not read, it is not the mark that holds them back.
  if (is_reading && socket::has_unread_bytes(fd())) {
    pace.note_held_back(loop().now());
  } else {
    pace.note_rest();
  }
  low_water = 1;
  socket::set_low_water(fd(), 1);
  return false;
}

void Stream::Block::fail_reading(int uv_error) {
  socket_error = uv_error;
  if (tap != nullptr) tap->on_peer_ended(Tap::End::reset);
  owner->on_read_error(uv_error);
}

// Both: 0, or libuv's error.
int Stream::Block::send(Bytes bytes) {
  sending = std::make_unique<Sending>();
  const int status = begin_sending({bytes.begin(), bytes.end()});
  if (status < 0) sending.reset();
  return status;
}

int Stream::Block::begin_sending(std::vector<std::byte> bytes) {
  sending->bytes = std::move(bytes);
  const uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(sending->bytes.data()),
                                      static_cast<unsigned>(sending->bytes.size()));
  return uv_write(&sending->request, &handle.stream, &buffer, 1,
                  [](uv_write_t* write, int result) noexcept {
                    auto* block = block_of<Block>(write->handle);
                    if (block->owner != nullptr) block->sent(result);
                  });
}

// All that came while a request was under way goes out as one.
void Stream::Block::sent(int status) {
  if (status == 0 && !sending->waiting.empty()) {
    status = begin_sending(std::exchange(sending->waiting, {}));
    if (status == 0) return;
  }
  sending.reset();  // a resting connection owns no data buffer
  if (status < 0) {
    fail_writing(status);
    return owner->on_write_error(status);
  }
  // Before on_drained, in which the owner may destroy the Stream.
  if (wants_shutdown) shut_down_when_sent();
  owner->on_drained();
}

void Stream::Block::fail_writing(int uv_error) {
  write_error = uv_error;
  // EPIPE is no error of the socket's: it only says that the connection is over, as a FIN that came
  // before tells a reader anyway.
  if (uv_error != UV_EPIPE && socket_error == 0) socket_error = uv_error;
}

std::size_t Stream::Block::pending() const {
  return sending ? uv_stream_get_write_queue_size(&handle.stream) + sending->waiting.size() : 0;
}

// shutdown(2) and not uv_shutdown: nothing of ours is queued in libuv at this point, the FIN leaves
// now instead of in the next turn, and the Stream may be destroyed right after.
void Stream::Block::shut_down_when_sent() {
  wants_shutdown = true;
  if (sending || is_shut_down) return;
  is_shut_down = true;
  if (tap != nullptr) tap->on_own_end(Tap::End::fin);
  (void)::shutdown(fd(), SHUT_WR);  // ENOTCONN: the peer has reset; reading tells it
}

}  // namespace tunnel::uv
