// SPDX-License-Identifier: MIT
#include "talking.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/text.h"

namespace tunnel::preamble {
namespace {

// Runs the pieces until the conversation has ended.
Course run(const Make& make, const std::vector<Said>& pieces) {
  const std::unique_ptr<Conversation> conversation = make();
  Course course;
  const auto take = [&course](Step step) {
    course.status = step.status;
    course.to_server += step.to_server;
    course.to_client += step.to_client;
    course.greeting += step.greeting;
    course.surplus += step.surplus;
    course.failure = step.failure;
    // What only an end may carry, and what only a failure may.
    CHECK((step.status == Status::done || step.greeting.empty()));
    CHECK((step.status == Status::done || step.surplus.empty()));
    CHECK((step.status == Status::failed) == (step.failure.kind != Kind::ok));
    CHECK((step.status == Status::failed) == !step.failure.text.empty());
  };
  take(conversation->on_start());
  for (const Said& piece : pieces) {
    if (course.status != Status::again) {
      course.unread += piece.bytes.size();
      continue;
    }
    CHECK_FALSE(conversation->waiting_for().empty());
    take(piece.who == Said::Who::server ? conversation->on_server(as_bytes(piece.bytes))
                                        : conversation->on_client(as_bytes(piece.bytes)));
  }
  return course;
}

}  // namespace

Said server(std::string bytes) { return {Said::Who::server, std::move(bytes)}; }
Said client(std::string bytes) { return {Said::Who::client, std::move(bytes)}; }

bool operator==(const Course& a, const Course& b) {
  return a.status == b.status && a.to_server == b.to_server && a.to_client == b.to_client &&
         a.greeting == b.greeting && a.surplus == b.surplus && a.failure.kind == b.failure.kind &&
         a.failure.is_local == b.failure.is_local;
}

Course talk_once(const Make& make, const std::vector<Said>& script) { return run(make, script); }

Course talk_both(const Make& make, const std::vector<Said>& script) {
  const Course whole = run(make, script);
  std::vector<Said> bytes;
  for (const Said& said : script) {
    for (const char c : said.bytes) bytes.push_back({said.who, std::string(1, c)});
  }
  const Course bytewise = run(make, bytes);
  CHECK(bytewise == whole);

  for (std::size_t entry = 0; entry < script.size(); ++entry) {
    for (std::size_t cut = 1; cut < script[entry].bytes.size(); ++cut) {
      std::vector<Said> pieces = script;
      pieces[entry].bytes.resize(cut);
      pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(entry) + 1,
                    {script[entry].who, script[entry].bytes.substr(cut)});
      CAPTURE(entry);
      CAPTURE(cut);
      CHECK(run(make, pieces) == whole);
    }
  }
  return whole;
}

Course talk(const Make& make, const std::vector<std::string>& server_script) {
  std::vector<Said> script;
  for (const std::string& bytes : server_script) script.push_back(server(bytes));
  return talk_both(make, script);
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string hex(std::string_view digits) {
  std::string bytes;
  int high = -1;
  for (const char c : digits) {
    if (c == ' ') continue;
    const int value = c <= '9' ? c - '0' : lower(c) - 'a' + 10;
    if (high < 0) {
      high = value;
    } else {
      bytes += static_cast<char>(high * 16 + value);
      high = -1;
    }
  }
  return bytes;
}

}  // namespace tunnel::preamble
