// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "base/fd.h"
#include "capture/sink.h"

namespace tunnel::capture {

// One file of any size, made for its owner alone; what was there is replaced, unless it is a link.
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
