// SPDX-License-Identifier: MIT
// A tree of values under construction: keys are written like "tls.verify", and the tables that they
// need come by themselves. One owner, one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/value.h"

namespace tunnel::import {

[[nodiscard]] inline config::Value text_at(config::Position at, std::string text) {
  return {at, std::move(text)};
}
[[nodiscard]] inline config::Value flag_at(config::Position at, bool flag) { return {at, flag}; }
[[nodiscard]] inline config::Value number_at(config::Position at, std::int64_t number) {
  return {at, number};
}
[[nodiscard]] inline config::Value list_at(config::Position at, config::Array values) {
  return {at, std::move(values)};
}

class StunnelTree {
 public:
  explicit StunnelTree(config::Position at) : at_(at) {}

  // A key that is set already gets the new value, in its old place.
  void set(std::string_view key, config::Value value);
  // The same for a key that may hold dots of its own: a new one, directly in the root.
  void add(std::string name, config::Value value);
  [[nodiscard]] config::Value finish() &&;

 private:
  struct Node {
    std::string key;
    config::Value value;  // of a leaf
    std::vector<Node> children;
    bool is_table = false;
  };
  static config::Value table_of(std::vector<Node> nodes, config::Position at);

  config::Position at_;
  std::vector<Node> nodes_;
};

}  // namespace tunnel::import
