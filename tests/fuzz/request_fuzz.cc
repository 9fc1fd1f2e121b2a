// SPDX-License-Identifier: MIT
// libFuzzer target for what the status page makes of a request and of its query, behind
// libmicrohttpd's reading of HTTP. Lines: method, path, Host, Origin, Sec-Fetch-Site, Accept, then
// the values of the query: targets, refresh, service, from, filter, sort. An empty Host, Origin or
// Sec-Fetch-Site is none.
//
// Found wrong: a crash, anything the sanitizers say, a page for a Host that is not ours or for
// another site, a number beyond its limit, markup in text of others.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "promise.h"
#include "web/html.h"
#include "web/request.h"

namespace {

using tunnel::require;

std::optional<std::string_view> header(std::string_view line) {
  if (line.empty()) return std::nullopt;
  return line;
}

std::array<std::string_view, 12> lines(std::string_view text) {
  std::array<std::string_view, 12> all;
  for (auto& line : all) {
    line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : text.size());
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnel::web;
  static const std::vector<std::string> kNames = {"status.example.com"};
  // A copy of the exact size, so that reading past it shows.
  const std::vector<char> exact(data, data + size);
  const auto line = lines({exact.data(), exact.size()});
  const Request request{.method = line[0],
                        .path = line[1],
                        .host = header(line[2]),
                        .origin = header(line[3]),
                        .fetch_site = header(line[4]),
                        .accept = line[5],
                        .targets = line[6],
                        .refresh = line[7],
                        .service = line[8],
                        .from = line[9],
                        .filter = line[10],
                        .sort = line[11]};
  const auto decision = decide(request, kNames);
  require(decision.route.has_value() == (decision.status == 200), "a page or a refusal");
  require(decision.reason.empty() == decision.route.has_value(), "a refusal has its reason");
  if (decision.route) {
    require(request.host && is_host_allowed(*request.host, kNames), "the Host is ours");
    require(!request.origin && request.fetch_site != "cross-site", "nobody else asks");
  }
  const auto query = query_of(decision.route.value_or(Route::page), request);
  require(query.refresh <= 3600 && query.from <= 100'000'000, "numbers have limits");
  require(query.filter.size() <= request.filter.size(), "decoding does not grow");
  for (const auto& text : {query.filter, query.service, std::string(exact.begin(), exact.end())}) {
    require(escaped(text).find_first_of("<>\"'") == std::string::npos, "text is not markup");
  }
  return 0;
}
