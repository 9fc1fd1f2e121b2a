// SPDX-License-Identifier: MIT
#include "runtime/stdio_session.h"

#include <utility>

namespace tunnel::runtime {

void StdioSession::start(const Take& take, std::function<void(std::string error)> on_done) {
  is_connected_ = take(client_.take_client(), client_.address());
  if (!is_connected_) has_failed_ = true;
  client_.start(std::move(on_done));
}

void StdioSession::on_done(const std::string& error) {
  is_done_ = true;
  if (error.empty()) return;
  has_failed_ = true;
  failure_ = error;
}

void StdioSession::on_connection_gone(const Outcome& outcome) {
  is_connected_ = false;
  if (!outcome.has_failed()) return;
  has_failed_ = true;
  // A client that has left needs no sentence.
  if (failure_.empty() && outcome.kind != Kind::reset_by_client) failure_ = outcome.text;
}

}  // namespace tunnel::runtime
