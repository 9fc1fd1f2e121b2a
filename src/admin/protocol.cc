// SPDX-License-Identifier: MIT
#include "admin/protocol.h"

#include <utility>

namespace tunnel::admin {
namespace {

// What peers have written may be no UTF-8; a line must be.
std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Thirty years: longer than any order needs, and little enough to be added to a time.
constexpr std::uint64_t kLongestDuration = 1'000'000'000'000;

}  // namespace

Request::Parsed Request::parse(std::string_view line) {
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) {
    return {std::nullopt, Verdict::refused("bad_request", "a request is one JSON object a line")};
  }
  const auto version = json.find("v");
  // Before the command: of another version it could mean something else.
  if (version == json.end() || *version != kProtocolVersion) {
    return {std::nullopt, Verdict::refused("bad_version", "this instance speaks version " +
                                                              std::to_string(kProtocolVersion) +
                                                              " of the control protocol only")};
  }
  Request request;
  request.arguments_ = std::move(json);
  request.command_ = request.text("command");
  return {std::move(request), {}};
}

std::string Request::text(const char* key) const {
  const auto found = arguments_.find(key);
  // A value of another type counts as missing, here and below: the library's get() would throw.
  return found != arguments_.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<std::uint64_t> Request::number(const char* key) const {
  const auto found = arguments_.find(key);
  // The library calls a number unsigned that was written without a sign, a point or an exponent.
  if (found == arguments_.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

std::vector<std::string> Request::texts(const char* key) const {
  std::vector<std::string> texts;
  const auto found = arguments_.find(key);
  if (found == arguments_.end() || !found->is_array()) return texts;
  for (const Json& value : *found) {
    if (value.is_string()) texts.push_back(value.get<std::string>());
  }
  return texts;
}

bool Request::flag(const char* key) const {
  const auto found = arguments_.find(key);
  return found != arguments_.end() && found->is_boolean() && found->get<bool>();
}

std::optional<Millis> Request::duration(const char* key) const {
  const auto count = number(key);
  if (!count || *count > kLongestDuration) return std::nullopt;
  return Millis(static_cast<std::int64_t>(*count));
}

std::string answer_line(Json fields) {
  fields["v"] = kProtocolVersion;
  fields["ok"] = true;
  return line_of(fields);
}

std::string answer_line(const Verdict& verdict) {
  if (verdict.is_done()) return answer_line(Json{{"lines", verdict.lines}});
  return line_of(Json{
      {"v", kProtocolVersion}, {"ok", false}, {"kind", verdict.kind}, {"lines", verdict.lines}});
}

}  // namespace tunnel::admin
