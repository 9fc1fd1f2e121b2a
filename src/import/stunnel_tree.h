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

namespace tunnel::config {

[[nodiscard]] inline Value text_at(Position at, std::string text) { return {at, std::move(text)}; }
[[nodiscard]] inline Value flag_at(Position at, bool flag) { return {at, flag}; }
[[nodiscard]] inline Value number_at(Position at, std::int64_t number) { return {at, number}; }
[[nodiscard]] inline Value list_at(Position at, Array values) { return {at, std::move(values)}; }

class StunnelTree {
 public:
  explicit StunnelTree(Position at) : at_(at) {}

  // A key that is set already gets the new value, in its old place.
  void set(std::string_view key, Value value);
  // The same for a key that may hold dots of its own: a new one, directly in the root.
  void add(std::string name, Value value);
  [[nodiscard]] Value finish() &&;

 private:
  struct Node {
    std::string key;
    Value value;  // of a leaf
    std::vector<Node> children;
    bool is_table = false;
  };
  static Value table_of(std::vector<Node> nodes, Position at);

  Position at_;
  std::vector<Node> nodes_;
};

}  // namespace tunnel::config
