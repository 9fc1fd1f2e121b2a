// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

#include "dns/answer.h"

namespace tunnel::dns {

// Asks name servers one question at a time; keeps no answers. Two implementations: CaresResolver,
// and the one that tests play. One thread.
class Resolver {
 public:
  using OnAnswer = std::function<void(Answer)>;

  // Drops the questions that are under way: their callbacks do not run.
  virtual ~Resolver() = default;

  // `on_answer` runs once, and never before this has returned. It may ask again, but not destroy
  // the resolver.
  virtual void ask(const std::string& name, RecordType type, OnAnswer on_answer) = 0;
};

}  // namespace tunnel::dns
