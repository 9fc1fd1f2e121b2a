// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/failure.h"
#include "tls/session.h"
#include "uv/loop.h"
#include "uv/stream.h"

namespace tunnel {

// A stream that may speak TLS: plaintext in, plaintext out, an orderly close, and how the peer's
// side ended. Established: the handshake is over. What an end means is for the reader to judge.
// Loop-bound; owned by whoever reads and writes it, who may release() it from any event but must
// not destroy it before that event has returned.
class Channel final : private uv::Stream::Events {
 public:
  // How the peer's side ended, after all that it had sent.
  struct End {
    enum class How : std::uint8_t {
      close_notify,  // in order, with TLS; a reset may still follow
      fin,           // TCP's own end: in order without TLS; with it, the peer broke off
      reset,         // see uv_error
      failed,        // TLS cannot go on: see failure()
    };
    How how;
    int uv_error = 0;
  };
  // What comes in.
  class Reader {
   public:
    // Valid, and writable, until this returns or something is written to a channel of this loop.
    virtual void on_plaintext(MutableBytes plaintext) = 0;
    virtual void on_end(End end) = 0;

   protected:
    ~Reader() = default;
  };
  // What goes out.
  class Writer {
   public:
    virtual void on_drained() = 0;  // pending() fell to 0 after a write that was `pending`
    // The peer has reset, known from writing; see lost(). What it sent before can still be read.
    // Called once, and not for what write() or close() returns themselves.
    virtual void on_lost() = 0;

   protected:
    ~Writer() = default;
  };

  // `session` is null for a plain stream.
  Channel(uv::Loop& loop, std::unique_ptr<uv::Stream> stream,
          std::unique_ptr<tls::Session> session = nullptr);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Before anything else. Both must outlive the channel, or its release().
  void attach(Reader& reader, Writer& writer);

  // Opens what the session already holds: the handshake's last packet may have brought the first
  // records along. The input must still be valid that was fed to the handshake.
  void open_held();
  void start_reading();  // idempotent, as stop_reading()
  void stop_reading();
  [[nodiscard]] bool is_reading() const;
  void ignore_input();  // for good: neither bytes nor an end are reported from now on

  // done: the kernel has it all, or the channel is lost and nothing counts any more. pending: it
  // goes out by itself. lost: the peer has reset, just now. failed: TLS cannot go on.
  enum class [[nodiscard]] Written : std::uint8_t{done, pending, lost, failed};
  Written write(MutableBytes plaintext);
  [[nodiscard]] std::size_t pending() const;  // octets that the kernel has not taken yet
  // Ends our side in order: close_notify with TLS, where the FIN comes when the stream is closed
  // (some servers take an early one for the end of everything), and else a FIN. Only once.
  Written close();
  void shut_down();  // the FIN alone, after what is pending

  // 0, or the error by which the peer was found to have reset.
  [[nodiscard]] int lost() const { return lost_; }
  // The peer of a unix socket may shut down its reading side and go on writing. TCP knows no such
  // thing.
  [[nodiscard]] bool only_stopped_reading() const;
  // With TLS: we have said goodbye, and nothing has come since. A peer that had nothing more to say
  // may then end as it likes (MySQL's servers just close).
  [[nodiscard]] bool is_bare_end_expected() const {
    return session_ && is_close_sent_ && !has_received_since_close_;
  }
  // For a channel that is held back, which no event tells that its peer has reset: reads its end
  // if nothing else is left to be read, and reports on_lost() otherwise.
  void look();

  [[nodiscard]] bool is_hung_up() const;    // see uv::Stream
  [[nodiscard]] bool is_at_end() const;     // see uv::Stream
  [[nodiscard]] bool is_delivered() const;  // see uv::Stream
  [[nodiscard]] std::size_t undelivered() const;
  // Null after release().
  [[nodiscard]] uv::Stream* stream() { return stream_.get(); }
  [[nodiscard]] bool speaks_tls() const { return session_ != nullptr; }
  [[nodiscard]] const tls::Session* session() const { return session_.get(); }
  [[nodiscard]] const Failure& failure() const { return session_->failure(); }
  [[nodiscard]] uv::Loop& loop() const { return loop_; }

  // Its parts, for another channel: nothing is reported from now on.
  struct Parts {
    std::unique_ptr<uv::Stream> stream;
    std::unique_ptr<tls::Session> session;
  };
  [[nodiscard]] Parts take_apart();
  void reset();    // RST, now
  void release();  // closes the stream and forgets the session: nothing is reported from now on

 private:
  enum class Input : std::uint8_t {
    open,
    closed,  // by close_notify: after it only a reset counts (RFC 8446 section 6.1)
    ignored,
  };

  void open_records();
  Written write_octets(Bytes octets);

  void on_read(MutableBytes octets) override;
  void on_eof() override;
  void on_read_error(int uv_error) override;
  void on_write_error(int uv_error) override;
  void on_drained() override;

  uv::Loop& loop_;
  Reader* reader_ = nullptr;  // set by attach(), as the writer
  Writer* writer_ = nullptr;
  // Released by release(), both.
  std::unique_ptr<uv::Stream> stream_;
  std::unique_ptr<tls::Session> session_;

  int lost_ = 0;
  Input input_ = Input::open;
  bool is_close_sent_ = false;
  bool has_received_since_close_ = false;
};

}  // namespace tunnel
