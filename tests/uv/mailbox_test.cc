// SPDX-License-Identifier: MIT
#include "uv/mailbox.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/fd.h"

namespace tunnel::uv::testing {

TEST_CASE("a bell rung from another thread is heard on the loop's") {
  Loop loop;
  int rings = 0;
  Bell bell(loop, [&] {
    CHECK(std::this_thread::get_id() != std::thread::id{});
    ++rings;
    loop.stop();
  });
  std::thread ringer([&] { bell.ring(); });
  loop.run();
  ringer.join();
  CHECK(rings == 1);
}

TEST_CASE("a bell is heard after its last ring") {
  Loop loop;
  std::atomic<int> told = 0;
  int heard = 0;
  Bell bell(loop, [&] {
    heard = told.load();
    if (heard == 1000) loop.stop();
  });
  std::thread ringer([&] {
    for (int i = 0; i < 1000; ++i) {
      ++told;
      bell.ring();
    }
  });
  loop.run();
  ringer.join();
  CHECK(heard == 1000);
}

TEST_CASE("a bell may be destroyed when it is heard") {
  Loop loop;
  std::unique_ptr<Bell> bell;
  bell = std::make_unique<Bell>(loop, [&] { bell.reset(); });
  bell->ring();
  loop.run();
  CHECK(bell == nullptr);
}

TEST_CASE("messages arrive in the order of each sender, none lost, none twice") {
  struct Message {
    int sender;
    int number;
    std::unique_ptr<int> payload;  // moved, never copied
  };
  constexpr int kCount = 5000;
  Loop loop;
  int next[2] = {0, 0};
  bool is_in_order = true;
  Mailbox<Message> mailbox(loop, [&](Message message) {
    is_in_order = is_in_order && message.number == next[message.sender]++ &&
                  *message.payload == message.number;
    if (next[0] == kCount && next[1] == kCount) loop.stop();
  });
  std::vector<std::thread> senders;
  for (int sender : {0, 1}) {
    senders.emplace_back([&mailbox, sender] {
      for (int i = 0; i < kCount; ++i) {
        mailbox.send({.sender = sender, .number = i, .payload = std::make_unique<int>(i)});
      }
    });
  }
  loop.run();
  for (std::thread& sender : senders) sender.join();
  CHECK(is_in_order);
}

TEST_CASE("a worker's loop in a thread of its own, stopped by a message") {
  Loop loop;
  Mailbox<int> mailbox(loop, [&](int number) {
    loop.assert_here();
    if (number == 3) loop.stop();
  });
  mailbox.send(1);  // before the loop runs
  std::thread worker([&] { loop.run(); });
  mailbox.send(2);
  mailbox.send(3);
  worker.join();
}

TEST_CASE("a message sent while one is handled arrives too") {
  Loop loop;
  std::vector<int> got;
  std::optional<Mailbox<int>> mailbox;
  mailbox.emplace(loop, [&](int number) {
    got.push_back(number);
    if (number < 3) return mailbox->send(number + 1);
    loop.stop();
  });
  mailbox->send(1);
  loop.run();
  CHECK(got == std::vector<int>{1, 2, 3});
}

TEST_CASE("what a message carries is released when it is never delivered") {
  int fds[2];
  REQUIRE(::pipe(fds) == 0);
  const Fd reader(fds[0]);
  Loop loop;
  {
    Mailbox<Fd> mailbox(loop, [](Fd) {});
    mailbox.send(Fd(fds[1]));
  }
  char byte = 0;
  CHECK(::read(reader.get(), &byte, 1) == 0);  // the writing end is closed
}

}  // namespace tunnel::uv::testing
