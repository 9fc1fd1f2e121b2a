// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "base/fd.h"
#include "capture/sink.h"

namespace tunnel::capture {

// A file for its owner alone, for what holds secrets of users; what was there is replaced, unless
// it is a link, or another user's.
[[nodiscard]] Result<Fd> open_private_file(const std::string& path);

// One such file, of any size.
class SingleFile final : public Sink {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SingleFile>> open(const std::string& path);

  Result<void> write(Bytes octets) override;
  std::optional<std::uint64_t> room() const override { return std::nullopt; }
  Result<bool> begin_next() override { return false; }
  std::string why_over() override { return {}; }

 private:
  SingleFile(Fd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  const Fd file_;
  const std::string path_;
};

}  // namespace tunnel::capture
