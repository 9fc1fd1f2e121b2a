// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "base/fd.h"
#include "capture/sink.h"

namespace tunnel::capture {

// A ring of files beside each other: "ldap.pcapng" stands for ldap_00001_20261125190000.pcapng,
// ldap_00002_..., the oldest of which goes when there are too many. Numbers go on from those that
// are there. Files are made for this process's user alone and never through a link.
class RingFiles final : public Sink {
 public:
  struct Settings {
    std::string file;
    std::uint64_t max_size = 0;  // of one file
    std::size_t files = 0;
  };
  // Makes the first file. An error is a sentence for people.
  [[nodiscard]] static Result<std::unique_ptr<RingFiles>> open(const Settings& settings);
  // Whether its folder is there and fit, changing nothing.
  [[nodiscard]] static Result<void> check(const std::string& file);

  Result<void> write(Bytes octets) override;
  std::optional<std::uint64_t> room() const override;
  Result<bool> begin_next() override;
  std::string why_over() override { return {}; }

 private:
  explicit RingFiles(Settings settings) : settings_(std::move(settings)) {}
  void find_older();
  [[nodiscard]] Result<void> make();

  const Settings settings_;
  Fd folder_;
  std::string stem_, ending_;      // "ldap", ".pcapng"
  std::deque<std::string> names_;  // in the folder, oldest first
  unsigned number_ = 0;
  Fd file_;
  std::uint64_t size_ = 0;
};

}  // namespace tunnel::capture
