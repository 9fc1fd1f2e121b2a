// SPDX-License-Identifier: MIT
// Several workers at once; meant for ThreadSanitizer, and right without it.
#include "tls/remembered.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace tunnel::tls::remembered_test {

using namespace tunnel::x509;

namespace {

constexpr unsigned kWorkers = 4;
constexpr std::time_t kNow = 1000;

Fingerprint key(unsigned number) {
  Fingerprint print{};
  std::memcpy(print.data(), &number, sizeof number);
  print.back() = static_cast<std::byte>(number);
  return print;
}

template <class Work>
void in_workers(Work work) {
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kWorkers; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("what one worker has kept another one takes") {
  Remembered remembered;
  std::thread([&] { remembered.at(key(1))->tickets.put(key(1), {"a", 2000}, kNow); }).join();
  std::string taken;
  std::thread([&] { taken = remembered.at(key(1))->tickets.take(key(1), kNow)->data; }).join();
  CHECK(taken == "a");
  CHECK(remembered.ticket_count() == 0);
}

TEST_CASE("a ticket is handed out once, however many workers ask") {
  Remembered remembered;
  constexpr unsigned kServers = 40;  // some share a part
  constexpr unsigned kRounds = 500;
  std::mutex mutex;
  std::multiset<std::string> taken;
  std::atomic<unsigned> kept{0};
  in_workers([&](unsigned worker) {
    std::vector<std::string> mine;
    for (unsigned i = 0; i < kRounds; ++i) {
      const Fingerprint server = key((worker + i) % kServers);
      remembered.at(server)->tickets.put(
          server, {std::to_string(worker) + "/" + std::to_string(i), 2000}, kNow);
      kept.fetch_add(1);
      const Fingerprint other = key((worker * 7 + i * 3) % kServers);
      if (const auto ticket = remembered.at(other)->tickets.take(other, kNow)) {
        mine.push_back(ticket->data);
      }
    }
    const std::lock_guard lock(mutex);
    taken.insert(mine.begin(), mine.end());
  });
  CHECK(kept == kWorkers * kRounds);
  CHECK_FALSE(taken.empty());
  CHECK(std::set<std::string>(taken.begin(), taken.end()).size() == taken.size());
  std::size_t left = 0;
  for (unsigned server = 0; server < kServers; ++server) {
    while (remembered.at(key(server))->tickets.take(key(server), kNow)) ++left;
  }
  CHECK(left <= kServers * TicketStore::kPerKey);
  CHECK(remembered.ticket_count() == 0);
}

TEST_CASE("refusals that several workers see add up, and a verdict of one holds for all") {
  Remembered remembered;
  in_workers([&](unsigned worker) {
    for (unsigned i = 0; i < RefusedTickets::kInARow / kWorkers; ++i) {
      remembered.at(key(1))->refused.refused(key(1), kNow);
    }
    remembered.at(key(worker))->chains.add(key(worker), kNow, {kNow + 100});
  });
  CHECK(remembered.at(key(1))->refused.is_hopeless(key(1), kNow));
  CHECK_FALSE(remembered.at(key(2))->refused.is_hopeless(key(2), kNow));
  for (unsigned worker = 0; worker < kWorkers; ++worker) {
    CHECK(remembered.at(key(worker))->chains.find(key(worker), kNow));
  }
  CHECK(remembered.chain_count() == kWorkers);
}

}  // namespace tunnel::tls::remembered_test
