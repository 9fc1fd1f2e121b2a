// SPDX-License-Identifier: MIT
#include "capture/recording.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "capture/sink.h"

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

}  // namespace

TEST_CASE("a file without a packet is not followed by another, and a prologue is not counted") {
  const auto recording =
      std::make_shared<Recording>(Recording::Settings{}, Recording::Events{[](auto, auto&) {}, [](auto) {}});
  const auto asked = std::make_shared<Asked>();
  const std::string prologue = "an answer";
  REQUIRE(recording->start(std::make_unique<FullSink>(asked), prologue));
  recording->finish();
  CHECK(asked->files == 0);
  CHECK(asked->octets > prologue.size());
  CHECK(recording->totals().octets == asked->octets - prologue.size());
}

}  // namespace tunnel::capture
