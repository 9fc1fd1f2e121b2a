// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/sockets.h"
#include "tunnel/channel.h"

// A channel whose peer the test plays, and a recorder of what it reports.
namespace tunnel::testing {

class ChannelRecorder final : public Channel::Reader, public Channel::Writer {
 public:
  std::string plaintext;
  std::vector<Channel::End> ends;
  int drained = 0;
  int lost = 0;
  std::function<void()> on_any = [] {};

  void on_plaintext(MutableBytes bytes) override {
    plaintext += as_text(bytes);
    on_any();
  }
  void on_end(Channel::End end) override {
    ends.push_back(end);
    on_any();
  }
  void on_drained() override { ++drained; }
  void on_lost() override { ++lost; }
};

// Takes over the near end; the Channel sets its own events.
inline std::unique_ptr<uv::Stream> adopted(uv::Loop& loop, uv::testing::Pair& pair) {
  static struct None final : uv::Stream::Events {
    void on_read(MutableBytes) override {}
    void on_eof() override {}
    void on_read_error(int) override {}
    void on_write_error(int) override {}
    void on_drained() override {}
  } none;
  return uv::Stream::adopt(loop, std::move(pair.near), pair.family, none).value();
}

struct ChannelBench : uv::testing::IgnoreSigpipe {
  uv::Loop loop;
  uv::testing::Pair peer;
  ChannelRecorder recorder;
  Channel channel;

  explicit ChannelBench(uv::testing::Pair pair = uv::testing::Pair::tcp(),
                        std::unique_ptr<tls::Session> session = nullptr)
      : peer(std::move(pair)), channel(loop, adopted(loop, peer), std::move(session)) {
    channel.attach(recorder, recorder);
  }
  template <class Condition>
  void until(Condition condition) {
    uv::testing::spin_until(loop, condition);
  }
  // What the peer has got when it has all that was sent.
  std::string hear(std::size_t size) {
    std::string text;
    until([&] {
      text += peer.hear().text;
      return text.size() >= size;
    });
    return text;
  }
  void turn(int times = 5) {
    for (int i = 0; i < times; ++i) (void)uv_run(loop.raw(), UV_RUN_NOWAIT);
  }
};

}  // namespace tunnel::testing
