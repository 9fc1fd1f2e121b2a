// SPDX-License-Identifier: MIT
// libFuzzer target for every conversation. The first byte of the input chooses one; the rest is
// what the two sides say, in records: one byte with the side (lowest bit: 1 is the client) and the
// length (the other seven), then so many bytes. A record of length 0 stands for 4096 of them.
//
// preamble_corpus holds a plausible course for each.
//
// Found wrong: a crash, anything the sanitizers say, a conversation that goes another way when the
// same bytes arrive one by one, a sentence with unprintable bytes, an end without an end.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "preamble/checks.h"
#include "preamble/mysql.h"
#include "preamble/preamble.h"
#include "preamble/proxies.h"
#include "preamble/sequence.h"
#include "preamble/starttls.h"
#include "promise.h"

namespace tunnel::preamble {
namespace {

struct Record {
  bool is_client = false;
  std::string bytes;
};

struct Course {
  Status status = Status::again;
  std::string to_server, to_client, greeting, surplus, failure;
  std::size_t used = 0;  // bytes taken before the end
};

config::Proxy proxy(config::Proxy::Form form, const char* user) {
  return {.form = form, .host = "p", .port = 1, .user = user, .password = "pw", .headers = {}};
}

std::unique_ptr<Conversation> whole_preamble() {
  config::Service service;
  service.proxies = {proxy(config::Proxy::Form::socks5, "")};
  service.send_proxy = config::SendProxy::v2;
  service.starttls = config::Starttls::smtp;
  return make_preamble({.service = service,
                        .target = "t",
                        .host = "h",
                        .port = 1,
                        .tls_name = "n",
                        .client = {},
                        .accepted = {},
                        .purpose = Purpose::client,
                        .proxy = &service.proxies.front()});
}

using Make = std::unique_ptr<Conversation> (*)();
const Topic kTopic{.who = "t"};

constexpr std::array<Make, 29> kMakes = {
    [] { return smtp_starttls(kTopic, "me"); },
    [] { return lmtp_starttls(kTopic, "me"); },
    [] { return nntp_starttls(kTopic); },
    [] { return ftp_starttls(kTopic); },
    [] { return pop3_starttls(kTopic); },
    [] { return imap_starttls(kTopic); },
    [] { return sieve_starttls(kTopic); },
    [] { return ldap_starttls(kTopic); },
    [] { return pgsql_starttls(kTopic); },
    [] { return xmpp_starttls(kTopic, "example.com"); },
    [] { return mysql_starttls(kTopic, Purpose::client); },
    [] { return mysql_starttls(kTopic, Purpose::check); },
    [] { return mysql_filter("login", ""); },
    [] { return pgsql_filter(); },
    [] { return smtp_login(kTopic, "me", {.user = "u", .password = "p"}); },
    [] { return http_connect(proxy(config::Proxy::Form::http, ""), "h", 1); },
    [] { return http_connect(proxy(config::Proxy::Form::http, "u"), "h", 1); },
    [] { return socks5_connect(proxy(config::Proxy::Form::socks5, ""), "h", 1); },
    [] { return socks5_connect(proxy(config::Proxy::Form::socks5, "u"), "::1", 1); },
    [] { return smtp_check(kTopic, Channel::fresh, "EHLO", "me"); },
    [] { return pop3_check(kTopic, Channel::fresh); },
    [] { return imap_check(kTopic, Channel::fresh); },
    [] { return imap_check(kTopic, Channel::after_starttls); },
    [] { return redis_check(kTopic); },
    [] { return ldap_check(kTopic); },
    [] { return mysql_check(kTopic, Channel::fresh); },
    [] { return mysql_check(kTopic, Channel::after_starttls); },
    [] { return pgsql_check(kTopic, Channel::fresh); },
    [] { return whole_preamble(); },
};

void take(Course& course, const Step& step) {
  course.status = step.status;
  course.to_server += step.to_server;
  course.to_client += step.to_client;
  course.greeting += step.greeting;
  course.surplus += step.surplus;
  course.failure = step.failure.text;
  const bool is_printable = std::all_of(course.failure.begin(), course.failure.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  });
  require(is_printable, "a sentence has unprintable bytes");
  require(course.failure.size() < 4096, "a sentence is a book");
  require((step.status == Status::failed) == !course.failure.empty(), "a failure without a reason");
}

Course run(Make make, const std::vector<Record>& records) {
  const std::unique_ptr<Conversation> conversation = make();
  Course course;
  take(course, conversation->on_start());
  for (const Record& record : records) {
    if (course.status != Status::again) break;
    course.used += record.bytes.size();
    const Bytes bytes = as_bytes(record.bytes);
    take(course,
         record.is_client ? conversation->on_client(bytes) : conversation->on_server(bytes));
    require(!conversation->waiting_for().empty(), "waits for nothing");
    (void)conversation->is_client_committed();
  }
  if (course.status == Status::again) {
    Course after = course;
    take(after, conversation->on_server_end(End::eof));
    require(after.status != Status::again, "an end that is none");
  }
  return course;
}

std::vector<Record> first_bytes(const std::vector<Record>& records, std::size_t count) {
  std::vector<Record> result;
  for (const Record& record : records) {
    if (count == 0) break;
    const std::size_t size = std::min(count, record.bytes.size());
    result.push_back({record.is_client, record.bytes.substr(0, size)});
    count -= size;
  }
  return result;
}

std::vector<Record> parse(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMany = 4096;
  int many_left = 20;  // enough for every limit; one by one, more would only be slow
  std::vector<Record> records;
  while (size > 1) {
    const std::uint8_t control = *data++;
    --size;
    const std::size_t length = std::min<std::size_t>(control >> 1, size);
    Record record;
    record.is_client = (control & 1) != 0;
    if (control >> 1 == 0 && many_left-- > 0) {
      record.bytes.assign(kMany, static_cast<char>(*data++));
      --size;
    } else {
      record.bytes.assign(reinterpret_cast<const char*>(data), length);
      data += length;
      size -= length;
    }
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace
}  // namespace tunnel::preamble

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnel::preamble;
  using tunnel::require;
  if (size == 0) return 0;
  const auto make = kMakes[data[0] % kMakes.size()];
  const std::vector<Record> records = parse(data + 1, size - 1);

  // One by one, or, where a limit is to be reached, in small pieces: for the fuzzer's speed.
  std::size_t total = 0;
  for (const Record& record : records) total += record.bytes.size();
  const std::size_t piece = total <= 2048 ? 1 : 61;
  std::vector<Record> pieces;
  for (const Record& record : records) {
    for (std::size_t at = 0; at < record.bytes.size(); at += piece) {
      pieces.push_back({record.is_client, record.bytes.substr(at, piece)});
    }
  }
  const Course slow = run(make, pieces);
  const Course fast = run(make, first_bytes(records, slow.used));
  require(piece > 1 || slow.surplus.empty(), "bytes behind an end that had been told");
  require(slow.status == fast.status, "another end when cut");
  require(slow.to_server == fast.to_server, "other words to the server when cut");
  // What is refused for the bytes behind it (MySQL's greeting) need not have been shown before.
  const bool is_shown = slow.status == Status::failed ? slow.to_client.starts_with(fast.to_client)
                                                      : slow.to_client == fast.to_client;
  require(is_shown, "other words to the client when cut");
  require(slow.greeting == fast.greeting, "another greeting when cut");
  require(slow.to_server.size() + slow.to_client.size() <= 8 * total + 4096, "too many words");

  const Course all = run(make, records);  // with whatever stands behind the end
  require(all.status != Status::again || slow.status == Status::again, "no end with more bytes");
  return 0;
}
