// SPDX-License-Identifier: MIT
#include "uv/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "base/socket.h"
#include "uv/handle.h"
#include "uv/socket.h"
#include "uv/stream_block.h"

namespace tunnel::uv {

void Stream::Closer::operator()(Block* block) const {
  Tap* tap = std::exchange(block->tap, nullptr);
  if (tap != nullptr && !block->is_shut_down) tap->on_own_end(Tap::End::fin);
  // Before the socket is closed, which is at once: the block lives on, but Coalescing must not look
  // at its descriptor, which may soon belong to another socket.
  if (block->low_water > 1) Coalescing::of(block->loop()).remove(*block);
  close_block(block);
}

Stream::Stream(std::unique_ptr<Block, Closer> block) : block_(std::move(block)) {}

Stream::~Stream() = default;

Result<std::unique_ptr<Stream>> Stream::adopt(Loop& loop, Fd socket, int family, Events& events) {
  loop.assert_here();
  std::unique_ptr<Block, Closer> block(new_block<Block>());
  block->is_unix = family == AF_UNIX;
  must(block->is_unix ? uv_pipe_init(loop.raw(), &block->handle.pipe, 0)
                      : uv_tcp_init(loop.raw(), &block->handle.tcp),
       "uv stream init");
  block->owner = &events;
  if (const int status = block->open(socket.get()); status < 0) {
    return failed(ErrorCode::system, "cannot use a socket", -status);
  }
  // libuv has the descriptor from here on; until it was opened, it was ours to close.
  (void)socket.release();
  return std::unique_ptr<Stream>(new Stream(std::move(block)));
}

Result<std::unique_ptr<Stream>> Stream::connect(Loop& loop, Fd socket, const SocketAddress& to,
                                                Events& events) {
  Result<std::unique_ptr<Stream>> stream = adopt(loop, std::move(socket), to.family(), events);
  if (stream) (*stream)->block_->connect(to);
  return stream;
}

void Stream::set_events(Events& events) {
  if (block_) block_->owner = &events;
}

void Stream::set_tap(Tap* tap) {
  if (block_) block_->tap = tap;
}

void Stream::start_reading() {
  if (!block_) return;
  block_->loop().assert_here();
  block_->start_reading();
}

void Stream::stop_reading() {
  if (!block_) return;
  block_->loop().assert_here();
  block_->stop_reading();
}

bool Stream::is_reading() const { return block_ && block_->is_reading; }

// What the kernel takes at once is never copied: that is the usual case, and costs one system call.
// The rest is copied, and goes out when there is room. Only one request is under way at a time;
// what comes meanwhile waits behind it, as nothing may overtake.
Stream::Written Stream::write(Bytes bytes) {
  if (!block_) return Written::failed;
  Block& block = *block_;
  block.loop().assert_here();
  if (block.write_error != 0) return Written::failed;
  if (block.tap != nullptr) block.tap->on_sent(bytes);
  if (block.sending) {
    auto& waiting = block.sending->waiting;
    waiting.insert(waiting.end(), bytes.begin(), bytes.end());
    return Written::pending;
  }
  if (bytes.empty()) return Written::done;

  const uv_buf_t buffer{.base = reinterpret_cast<char*>(const_cast<std::byte*>(bytes.data())),
                        .len = bytes.size()};
  int status = uv_try_write(&block.handle.stream, &buffer, 1);
  if (status > 0) bytes = bytes.subspan(static_cast<std::size_t>(status));
  if (bytes.empty()) return Written::done;
  if (status >= 0 || status == UV_EAGAIN) status = block.send(bytes);
  if (status == 0) return Written::pending;
  block.fail_writing(status);
  return Written::failed;
}

std::size_t Stream::pending() const { return block_ ? block_->pending() : 0; }

int Stream::write_error() const { return block_ ? block_->write_error : UV_ENOTCONN; }

void Stream::shutdown() {
  if (!block_) return;
  block_->loop().assert_here();
  block_->shut_down_when_sent();
}

void Stream::reset() {
  if (!block_) return;
  block_->loop().assert_here();
  if (Tap* tap = std::exchange(block_->tap, nullptr)) tap->on_own_end(Tap::End::reset);
  if (!block_->is_unix) reset_on_close(block_->fd());
  block_.reset();
}

bool Stream::is_delivered() const {
  if (!block_) return true;
  // What a unix socket has taken is in the peer's queue, where no end can overtake it.
  return block_->pending() == 0 && (block_->is_unix || socket::undelivered_bytes(fd()) == 0);
}

bool Stream::is_hung_up() const {
  return !block_ || socket::has_error_or_hangup(fd(), block_->is_unix);
}

bool Stream::has_unread() const { return block_ && socket::has_unread_bytes(fd()); }

bool Stream::is_at_end() const {
  if (!block_) return true;
  const socket::Peeked::What what = socket::peek(fd()).what;
  return what == socket::Peeked::What::eof || what == socket::Peeked::What::error;
}

int Stream::find_error() {
  if (!block_) return 0;
  if (block_->socket_error == 0) block_->socket_error = -socket::take_error(fd());
  return block_->socket_error;
}

std::size_t Stream::undelivered() const {
  return block_ ? block_->pending() + socket::undelivered_bytes(fd()) : 0;
}

void Stream::set_nodelay() {
  const int on = 1;
  if (block_ && !block_->is_unix) {
    (void)::setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
}

void Stream::set_keepalive(int idle_seconds, int interval_seconds, int count) {
  if (!block_ || block_->is_unix) return;
  // Not uv_tcp_keepalive, which fixes interval and count.
  const int on = 1;
  (void)::setsockopt(fd(), IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
  (void)::setsockopt(fd(), IPPROTO_TCP, TCP_KEEPINTVL, &interval_seconds, sizeof interval_seconds);
  (void)::setsockopt(fd(), IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  (void)::setsockopt(fd(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

int Stream::fd() const { return block_ ? block_->fd() : -1; }

bool Stream::is_unix() const { return block_ && block_->is_unix; }

}  // namespace tunnel::uv
