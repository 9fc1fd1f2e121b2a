// SPDX-License-Identifier: MIT
#include "import/stunnel_tree.h"

#include <algorithm>

namespace tunnel::import {

void StunnelTree::set(std::string_view key, config::Value value) {
  std::vector<Node>* nodes = &nodes_;
  for (;;) {
    const std::size_t dot = key.find('.');
    const std::string_view name = key.substr(0, dot);
    auto node = std::find_if(nodes->begin(), nodes->end(),
                             [&](const Node& each) { return each.key == name; });
    if (node == nodes->end()) {
      nodes->push_back({std::string(name), {}, {}, false});
      node = nodes->end() - 1;
      node->value.position = value.position;
    }
    if (dot == std::string_view::npos) {
      node->value = std::move(value);
      return;
    }
    node->is_table = true;
    nodes = &node->children;
    key.remove_prefix(dot + 1);
  }
}

// A service may be called "ldap.example.com".
void StunnelTree::add(std::string name, config::Value value) {
  nodes_.push_back({std::move(name), std::move(value), {}, false});
}

config::Value StunnelTree::finish() && { return table_of(std::move(nodes_), at_); }

config::Value StunnelTree::table_of(std::vector<Node> nodes, config::Position at) {
  std::vector<config::Entry> entries;
  entries.reserve(nodes.size());
  for (Node& node : nodes) {
    const config::Position position = node.value.position;
    config::Value value =
        node.is_table ? table_of(std::move(node.children), position) : std::move(node.value);
    entries.push_back({std::move(node.key), position, std::move(value)});
  }
  config::Value table;
  table.position = at;
  table.data = config::Table(std::move(entries));
  return table;
}

}  // namespace tunnel::import
