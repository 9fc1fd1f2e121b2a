// SPDX-License-Identifier: MIT
#include "capture/recording.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "capture/sink.h"
#include "uv/loop.h"

namespace tunnel::capture {
namespace {

// What a sink was asked to do, which outlives it.
struct Asked {
  std::uint64_t octets = 0;
  int files = 0;
};

// Its files are full before anything is in them.
class FullSink final : public Sink {
 public:
  explicit FullSink(std::shared_ptr<Asked> asked) : asked_(std::move(asked)) {}
  Result<void> write(Bytes octets) override {
    asked_->octets += octets.size();
    return {};
  }
  std::optional<std::uint64_t> room() const override { return 0; }
  Result<bool> begin_next() override {
    ++asked_->files;
    return true;
  }
  std::string why_over() override { return {}; }

 private:
  const std::shared_ptr<Asked> asked_;
};

// Tells when something is written first.
class ToldSink final : public Sink {
 public:
  explicit ToldSink(std::promise<void> written) : written_(std::move(written)) {}
  Result<void> write(Bytes) override {
    if (!std::exchange(is_told_, true)) written_.set_value();
    return {};
  }
  std::optional<std::uint64_t> room() const override { return std::nullopt; }
  Result<bool> begin_next() override { return false; }
  std::string why_over() override { return {}; }

 private:
  std::promise<void> written_;
  bool is_told_ = false;
};

std::shared_ptr<Recording> a_recording(std::size_t lanes) {
  Recording::Settings settings;
  settings.lanes = lanes;
  return std::make_shared<Recording>(std::move(settings),
                                     Recording::Events{[](auto, auto&) {}, [](auto) {}});
}

}  // namespace

TEST_CASE("nothing is written before every worker brings what passes") {
  uv::Loop loop;
  const auto recording = a_recording(2);
  std::promise<void> promise;
  const std::future<void> written = promise.get_future();
  REQUIRE(recording->start(std::make_unique<ToldSink>(std::move(promise))));
  const auto first = recording->make_lane(loop);
  CHECK(written.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
  const auto second = recording->make_lane(loop);
  written.wait();
  recording->finish();
}

TEST_CASE("one that is to leave before its workers know of it is whole all the same") {
  const auto recording = a_recording(1);
  std::promise<void> promise;
  const std::future<void> written = promise.get_future();
  REQUIRE(recording->start(std::make_unique<ToldSink>(std::move(promise))));
  recording->finish();
  written.wait();
}

TEST_CASE("a file without a packet is not followed by another, and a prologue is not counted") {
  const auto recording = a_recording(0);
  const auto asked = std::make_shared<Asked>();
  const std::string prologue = "an answer";
  REQUIRE(recording->start(std::make_unique<FullSink>(asked), prologue));
  recording->finish();
  CHECK(asked->files == 0);
  CHECK(asked->octets > prologue.size());
  CHECK(recording->totals().octets == asked->octets - prologue.size());
}

}  // namespace tunnel::capture
