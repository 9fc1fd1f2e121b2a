// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "log/log.h"

namespace tunnel::test {

// Keeps what is written. One thread.
class FakeLog final : public log::Log {
 public:
  std::vector<std::string> lines;  // "warning: text"
  [[nodiscard]] bool enabled(log::Level) const override { return true; }
  void write(log::Level level, log::Event, log::Subject, std::string_view message,
             std::initializer_list<log::Field>) override {
    static constexpr const char* kLevels[] = {"error", "warning", "info", "debug"};
    lines.push_back(std::string(kLevels[static_cast<int>(level)]) + ": " + std::string(message));
  }
  void reopen() override {}
  void flush() override {}
};

}  // namespace tunnel::test
