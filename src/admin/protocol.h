// SPDX-License-Identifier: MIT
// The control socket's language: one JSON object a line each way. Requests name a command and its
// arguments, {"v":1,"command":"close","service":"ldap","connection":12}; answers are
// {"v":1,"ok":true,...} or {"v":1,"ok":false,"kind":"no_such_service","lines":["..."]}. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/operator.h"
#include "base/clock.h"

namespace tunnel::admin {

inline constexpr int kProtocolVersion = 1;
// A request that is longer is refused, and its connection closed.
inline constexpr std::size_t kLongestRequest = 64 * 1024;

using Json = nlohmann::json;

// One request. The getters look at an argument of the given type; a missing or other one is null.
class Request {
 public:
  // Null and a refusal when the line is not a request of this version.
  struct Parsed;
  [[nodiscard]] static Parsed parse(std::string_view line);

  [[nodiscard]] const std::string& command() const { return command_; }
  [[nodiscard]] std::string text(const char* key) const;  // "": none
  [[nodiscard]] std::optional<std::uint64_t> number(const char* key) const;
  // What is no string in a list is left out.
  [[nodiscard]] std::vector<std::string> texts(const char* key) const;
  [[nodiscard]] bool flag(const char* key) const;
  // Milliseconds.
  [[nodiscard]] std::optional<Millis> duration(const char* key) const;

 private:
  std::string command_;
  Json arguments_;
};

struct Request::Parsed {
  std::optional<Request> request;
  Verdict refusal;
};

// Lines, with their newline.
[[nodiscard]] std::string answer_line(Json fields);  // adds "v" and "ok"
[[nodiscard]] std::string answer_line(const Verdict& verdict);

}  // namespace tunnel::admin
