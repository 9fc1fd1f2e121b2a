// SPDX-License-Identifier: MIT
// Drives a conversation with what both sides say, cut in every way, and tells how it went.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "preamble/preamble.h"
#include "preamble/talk.h"

namespace tunnel::preamble {

struct Said {
  enum class Who { server, client } who = Who::server;
  std::string bytes;
};
[[nodiscard]] Said server(std::string bytes);
[[nodiscard]] Said client(std::string bytes);

// Everything that a conversation said and decided.
struct Course {
  Status status = Status::again;
  std::string to_server;
  std::string to_client;
  std::string greeting;
  std::string surplus;
  Failure failure;
  std::size_t unread = 0;  // bytes of the script that came after the end, in calls not made

  friend bool operator==(const Course& a, const Course& b);
};

using Make = std::function<std::unique_ptr<Conversation>()>;

// The whole script, each entry in one piece.
[[nodiscard]] Course talk_once(const Make& make, const std::vector<Said>& script);
// The same one byte at a time, and with each entry cut in two at every place; CHECKs that all of
// them go the same way (an entry that ends the conversation must end there), and returns it.
[[nodiscard]] Course talk_both(const Make& make, const std::vector<Said>& script);
// One server entry after the other.
[[nodiscard]] Course talk(const Make& make, const std::vector<std::string>& server_script);

[[nodiscard]] bool contains(std::string_view text, std::string_view part);
[[nodiscard]] inline Topic mail() { return {.who = "mail.example.com:25"}; }
// Bytes from hexadecimal digits; blanks are skipped.
[[nodiscard]] std::string hex(std::string_view digits);

}  // namespace tunnel::preamble
