// SPDX-License-Identifier: MIT
#include "tunnel/channel.h"

#include <utility>

namespace tunnel {

Channel::Channel(uv::Loop& loop, std::unique_ptr<uv::Stream> stream,
                 std::unique_ptr<tls::Session> session)
    : loop_(loop), stream_(std::move(stream)), session_(std::move(session)) {}

Channel::~Channel() = default;

void Channel::attach(Reader& reader, Writer& writer) {
  loop_.assert_here();
  reader_ = &reader;
  writer_ = &writer;
  stream_->set_events(*this);
}

// --- in ----------------------------------------------------------------------------------------

void Channel::open_held() {
  if (session_) return open_records();
}

void Channel::start_reading() {
  if (stream_) stream_->start_reading();
}

void Channel::stop_reading() {
  if (stream_) stream_->stop_reading();
}

bool Channel::is_reading() const { return stream_ && stream_->is_reading(); }

void Channel::ignore_input() {
  input_ = Input::ignored;
  stop_reading();
}

void Channel::on_read(MutableBytes octets) {
  if (!session_) return reader_->on_plaintext(octets);
  if (input_ != Input::open) return;
  session_->feed(octets);
  return open_records();
}

// Opens everything that was fed, also when the reader holds the channel back: the input is only
// lent.
void Channel::open_records() {
  tls::Io io = tls::Io::done;
  // The reader may release the channel in any of these calls, and with it the session: release()
  // sets `input_`, which is asked before the session is touched again.
  while (io == tls::Io::done && input_ == Input::open) {
    std::byte memory[1024];  // an alert, at most
    OutBuffer out{MutableBytes(memory)};
    const tls::Session::Opened opened = session_->open(loop_.output_scratch(), out);
    io = opened.io;
    if (opened.size > 0) {
      has_received_since_close_ = true;
      reader_->on_plaintext(loop_.output_scratch().first(opened.size));
    }
    const bool has_answer = !out.empty() && input_ == Input::open;
    if (has_answer && write_octets(out.filled()) == Written::lost) writer_->on_lost();
  }
  if (input_ != Input::open) return;
  if (io == tls::Io::closed) {
    input_ = Input::closed;
    start_reading();  // also when the reader is slow: a reset must be seen
    return reader_->on_end({End::How::close_notify});
  }
  if (io == tls::Io::failed) {
    input_ = Input::ignored;
    return reader_->on_end({End::How::failed});
  }
}

// After a close_notify TCP's own end says nothing new.
void Channel::on_eof() {
  if (input_ != Input::open) return;
  return reader_->on_end({End::How::fin});
}

void Channel::on_read_error(int uv_error) {
  if (input_ == Input::ignored) return;
  return reader_->on_end({End::How::reset, uv_error});
}

void Channel::look() {
  if (lost_ != 0 || !is_hung_up()) return;
  // Where bytes are left, reading would bring these first, and there is no room for them: the error
  // is asked of the socket.
  if (!stream_->has_unread()) return start_reading();
  if (const int error = stream_->find_error(); error != 0) return on_write_error(error);
}

// --- out ---------------------------------------------------------------------------------------

Channel::Written Channel::write(MutableBytes plaintext) {
  if (!session_) return write_octets(plaintext);
  // The peer is gone, and sealing is what costs.
  if (lost_ != 0) return Written::done;
  OutBuffer out(loop_.output_scratch());
  if (session_->seal(plaintext, out) != tls::Io::done) return Written::failed;
  return write_octets(out.filled());
}

Channel::Written Channel::write_octets(Bytes octets) {
  if (lost_ != 0 || !stream_) return Written::done;
  switch (stream_->write(octets)) {
    case uv::Stream::Written::done:
      return Written::done;
    case uv::Stream::Written::pending:
      return Written::pending;
    case uv::Stream::Written::failed:
      break;
  }
  lost_ = stream_->write_error();
  return Written::lost;
}

std::size_t Channel::pending() const { return stream_ ? stream_->pending() : 0; }

Channel::Written Channel::close() {
  loop_.assert_here();
  if (is_close_sent_) return Written::done;
  is_close_sent_ = true;
  has_received_since_close_ = false;
  if (!session_) {
    shut_down();
    return Written::done;
  }
  OutBuffer out(loop_.output_scratch());
  if (session_->close(out) != tls::Io::done) return Written::done;
  return write_octets(out.filled());
}

void Channel::shut_down() {
  if (stream_) stream_->shutdown();
}

void Channel::on_drained() { return writer_->on_drained(); }

void Channel::on_write_error(int uv_error) {
  if (lost_ != 0) return;
  lost_ = uv_error;
  return writer_->on_lost();
}

// --- the end -----------------------------------------------------------------------------------

// A unix peer that has called shutdown(SHUT_RD) lets our writes fail with EPIPE, and may still
// write. A TCP peer cannot say so.
bool Channel::only_stopped_reading() const {
  return lost_ == UV_EPIPE && stream_ && stream_->is_unix() && !stream_->is_hung_up();
}

bool Channel::is_hung_up() const { return !stream_ || stream_->is_hung_up(); }

bool Channel::is_at_end() const { return !stream_ || stream_->is_at_end(); }

bool Channel::is_delivered() const { return !stream_ || stream_->is_delivered(); }

std::size_t Channel::undelivered() const { return stream_ ? stream_->undelivered() : 0; }

void Channel::reset() {
  loop_.assert_here();
  if (stream_) stream_->reset();
}

Channel::Parts Channel::take_apart() {
  loop_.assert_here();
  input_ = Input::ignored;
  stream_->stop_reading();
  return {std::move(stream_), std::move(session_)};
}

void Channel::release() {
  loop_.assert_here();
  input_ = Input::ignored;
  stream_.reset();
  session_.reset();
}

}  // namespace tunnel
