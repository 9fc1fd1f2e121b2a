// SPDX-License-Identifier: MIT
#include "web/request.h"

#include <doctest/doctest.h>

namespace tunnel::web::request_test {
namespace {

Request get(std::string_view path) { return {.method = "GET", .path = path, .host = "localhost"}; }

unsigned status_of(const Request& request) { return decide(request, {}).status; }

}  // namespace

TEST_CASE("a host is an address, localhost, or one of the names") {
  const std::vector<std::string> names{"monitor.example.com"};
  for (const char* good :
       {"localhost", "LOCALHOST", "localhost:9099", "127.0.0.1", "127.0.0.1:9099", "10.0.0.1",
        "[::1]", "[::1]:9099", "monitor.example.com", "MONITOR.example.com:80"}) {
    CAPTURE(good);
    CHECK(is_host_allowed(good, names));
  }
  for (const char* bad : {"", ":80", "evil.example", "localhost.evil.example", "xlocalhost",
                          "monitor.example.com.evil", "127.0.0.1.evil", "[::1", "[evil]", "[]",
                          "localhost:80:80", "localhost:x", "a@localhost", "[::1]x"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_host_allowed(bad, names));
  }
}

TEST_CASE("the host is looked at before anything else") {
  Request request = get("/nothing");
  request.host = "evil.example";
  CHECK(status_of(request) == 421);
  request.host.reset();
  CHECK(status_of(request) == 421);
}

TEST_CASE("a second Host header is one too many") {
  Request request = get("/livez");
  request.has_more_hosts = true;
  CHECK(status_of(request) == 400);
}

TEST_CASE("requests that a browser makes for another page are refused") {
  Request request = get("/");
  request.origin = "http://localhost";
  CHECK(status_of(request) == 403);
  request.origin.reset();
  request.fetch_site = "cross-site";
  CHECK(status_of(request) == 403);
  request.fetch_site = "same-origin";
  CHECK(status_of(request) == 200);
}

TEST_CASE("GET and HEAD are all there is") {
  Request request = get("/");
  request.method = "HEAD";
  CHECK(status_of(request) == 200);
  for (const char* method : {"POST", "PUT", "get", "OPTIONS", ""}) {
    request.method = method;
    CHECK(status_of(request) == 405);
  }
}

TEST_CASE("paths are compared as they come") {
  CHECK(decide(get("/metrics"), {}).route == Route::metrics);
  CHECK(decide(get("/"), {}).route == Route::page);
  for (const char* path :
       {"", "/metrics/", "//metrics", "/x/../metrics", "/%6detrics", "/Metrics"}) {
    CAPTURE(path);
    CHECK(status_of(get(path)) == 404);
  }
}

TEST_CASE("what stands in the query is read, and nonsense in it is nothing") {
  Request request = get("/");
  request.refresh = "5";
  request.service = "a%20b%2Fc+d%";
  request.from = "200";
  const Query query = query_of(Route::page, request);
  CHECK(query.refresh == 5);
  CHECK(query.service == "a b/c d%");
  CHECK(query.from == 200);
  for (const char* bad : {"", "-1", "5x", "99999", "99999999999999999999"}) {
    request.refresh = bad;
    CHECK(query_of(Route::page, request).refresh == 0);
  }
}

TEST_CASE("OpenMetrics is served to those who ask for a version that there is") {
  CHECK(wants_open_metrics("application/openmetrics-text"));
  CHECK(wants_open_metrics("application/openmetrics-text; version=1.0.0; charset=utf-8"));
  CHECK(
      wants_open_metrics("application/openmetrics-text;version=1.0.0,"
                         "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5"));
  CHECK_FALSE(wants_open_metrics(""));
  CHECK_FALSE(wants_open_metrics("*/*"));
  CHECK_FALSE(wants_open_metrics("text/plain;version=0.0.4"));
  CHECK_FALSE(wants_open_metrics("application/openmetrics-text;version=9.9.9"));
  CHECK_FALSE(wants_open_metrics("application/openmetrics-text;version=1.0.0;q=0.0"));
}

}  // namespace tunnel::web::request_test
