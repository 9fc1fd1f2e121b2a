// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "preamble/conversation.h"

namespace tunnel::preamble {

// Several conversations with one server, one after the other: each begins when the one before it is
// done, and gets what that one left over. Owns them.
class Sequence final : public Conversation {
 public:
  // `filter`, which may be null, goes on in the relay unless a stage has one of its own.
  explicit Sequence(std::vector<std::unique_ptr<Conversation>> stages,
                    std::unique_ptr<Conversation> filter = nullptr);

  Step on_start() override;
  Step on_server(Bytes bytes) override;
  Step on_client(Bytes bytes) override;
  Step on_server_end(End end) override;
  Step on_client_end() override;
  [[nodiscard]] std::string waiting_for() const override;
  [[nodiscard]] bool wants_client() const override;
  [[nodiscard]] bool is_client_committed() const override;
  [[nodiscard]] std::unique_ptr<Conversation> take_filter() override { return std::move(filter_); }

 private:
  [[nodiscard]] Conversation& current() const { return *stages_[current_]; }
  Step advance(Step step);

  std::vector<std::unique_ptr<Conversation>> stages_;
  std::size_t current_ = 0;
  std::unique_ptr<Conversation> filter_;
};

// Says something and is done.
class Announcement final : public Conversation {
 public:
  explicit Announcement(std::string words) : words_(std::move(words)) {}
  Step on_start() override;
  Step on_server(Bytes bytes) override;
  Step on_server_end(End end) override;
  [[nodiscard]] std::string waiting_for() const override { return "nothing"; }

 private:
  std::string words_;
};

}  // namespace tunnel::preamble
