// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace tunnel {

// A value that is shown now and then, for those who look: the newest one, whole. Any thread.
template <class T>
class Published {
 public:
  void show(std::shared_ptr<const T> value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
  }
  [[nodiscard]] std::shared_ptr<const T> get() const {  // null: none has been shown
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace tunnel
