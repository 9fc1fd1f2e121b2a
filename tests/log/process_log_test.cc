// SPDX-License-Identifier: MIT
#include "log/process_log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "base/address.h"
#include "base/fd.h"
#include "support/temp_folder.h"

namespace tunnel::log {
namespace {

using test::read_file;
using test::TempFolder;

Options to_file(const std::string& path) {
  return {.sink = Options::Sink::file, .path = path, .json = false, .level = Level::info};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// A syslog daemon or journal of the test's own.
class Receiver {
 public:
  explicit Receiver(const std::string& path, int type = SOCK_DGRAM)
      : fd_(::socket(AF_UNIX, type, 0)) {
    const SocketAddress address = SocketAddress::unix_path(path).value();
    REQUIRE(::bind(fd_.get(), address.get(), address.length()) == 0);
    if (type == SOCK_STREAM) REQUIRE(::listen(fd_.get(), 5) == 0);
  }
  std::string receive() {
    char buffer[4096];
    const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    REQUIRE(n >= 0);
    return {buffer, static_cast<std::size_t>(n)};
  }
  Fd accept() { return Fd(::accept(fd_.get(), nullptr, nullptr)); }

 private:
  Fd fd_;
};

}  // namespace

TEST_CASE("lines are in the file, in order, once flush returns") {
  const TempFolder scratch;
  auto log = ProcessLog::open(to_file(scratch / "log")).value();
  for (std::int64_t i = 0; i < 1000; ++i) log->info({"ldap", 1}, "line", {{"n", i}});
  log->flush();
  const auto lines = lines_of(read_file(scratch / "log"));
  REQUIRE(lines.size() == 1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    CHECK(lines[i].ends_with("INFO  ldap[1] line n=" + std::to_string(i)));
  }
}

TEST_CASE("destruction flushes") {
  const TempFolder scratch;
  auto log = ProcessLog::open(to_file(scratch / "log")).value();
  for (int i = 0; i < 500; ++i) log->info({}, "line");
  log.reset();
  CHECK(lines_of(read_file(scratch / "log")).size() == 500);
}

TEST_CASE("lines below the level are not written") {
  const TempFolder scratch;
  Options options = to_file(scratch / "log");
  options.level = Level::warning;
  auto log = ProcessLog::open(options).value();
  CHECK(log->enabled(Level::error));
  CHECK(log->enabled(Level::warning));
  CHECK_FALSE(log->enabled(Level::info));
  log->error({}, "one");
  log->warning({}, "two");
  log->info({}, "three");
  log->debug({}, "four");
  log->flush();
  CHECK(lines_of(read_file(scratch / "log")).size() == 2);
}

TEST_CASE("a log file is appended to, and is not for everybody to read") {
  const TempFolder scratch;
  const std::string path = scratch / "log";
  ProcessLog::open(to_file(path)).value()->info({}, "first");
  ProcessLog::open(to_file(path)).value()->info({}, "second");
  CHECK(lines_of(read_file(path)).size() == 2);
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U & ~0640U) == 0);
}

TEST_CASE("a log file that cannot be opened is an error that names it") {
  const TempFolder scratch;
  const std::string path = scratch / "no/such/folder/log";
  const auto log = ProcessLog::open(to_file(path));
  REQUIRE_FALSE(log.has_value());
  CHECK(log.error().text.find(path) != std::string::npos);
  CHECK(log.error().code == ErrorCode::not_found);
  CHECK_FALSE(ProcessLog::open(to_file("/")).has_value());
}

TEST_CASE("a log file that cannot be opened under systemd names the unit's folder for logs") {
  const TempFolder scratch;
  (void)::setenv("LOGS_DIRECTORY", "/var/log/tunnel-ldap:/var/log/other", 1);
  const auto elsewhere = ProcessLog::open(to_file(scratch / "no/log"));
  (void)::setenv("LOGS_DIRECTORY", (scratch / "no").c_str(), 1);
  const auto there = ProcessLog::open(to_file(scratch / "no/log"));
  (void)::unsetenv("LOGS_DIRECTORY");
  CHECK(
      elsewhere.error().text.ends_with("; the unit has the folder /var/log/tunnel-ldap for logs"));
  CHECK(there.error().text.ends_with("No such file or directory"));
}

TEST_CASE("reopen after a rename starts a new file and loses nothing") {
  const TempFolder scratch;
  const std::string path = scratch / "log";
  auto log = ProcessLog::open(to_file(path)).value();
  log->info({}, "before");
  log->flush();
  std::filesystem::rename(path, path + ".1");
  log->info({}, "still the old file");
  log->flush();
  log->reopen();
  log->info({}, "after");
  log->flush();
  CHECK(lines_of(read_file(path + ".1")).size() == 2);
  const auto lines = lines_of(read_file(path));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].ends_with("after"));
}

TEST_CASE("reopen without a line to write opens the file all the same") {
  const TempFolder scratch;
  const std::string path = scratch / "log";
  auto log = ProcessLog::open(to_file(path)).value();
  std::filesystem::remove(path);
  log->reopen();
  log->flush();
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("a file that cannot be reopened stays in use and says so") {
  const TempFolder scratch;
  std::filesystem::create_directory(scratch / "a");
  auto log = ProcessLog::open(to_file(scratch / "a/log")).value();
  std::filesystem::rename(scratch / "a", scratch / "b");
  log->reopen();
  log->info({}, "after");
  log->flush();
  const auto lines = lines_of(read_file(scratch / "b/log"));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find("ERROR cannot open log file") != std::string::npos);
  CHECK(lines[1].ends_with("after"));
}

TEST_CASE("a relative log file is found again from another folder") {
  const TempFolder scratch;
  const auto home = std::filesystem::current_path();
  std::filesystem::current_path(scratch / "");
  auto log = ProcessLog::open(to_file("log")).value();
  std::filesystem::current_path(home);
  std::filesystem::remove(scratch / "log");
  log->reopen();
  log->flush();
  CHECK(std::filesystem::exists(scratch / "log"));
}

TEST_CASE("an overflow drops the oldest lines, keeps the newest, and says how many are missing") {
  const TempFolder scratch;
  const std::string path = scratch / "fifo";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const Fd reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK));
  REQUIRE(::fcntl(reader.get(), F_SETPIPE_SZ, 4096) >= 0);
  Options options = to_file(path);
  options.json = true;
  options.queue_lines = 8;
  auto log = ProcessLog::open(options).value();
  // Nobody reads: the pipe's page fills, the writing thread blocks, the queue overflows.
  constexpr int kLines = 500;
  for (std::int64_t i = 0; i < kLines; ++i) log->info({}, "line", {{"n", i}});

  std::string text;
  std::uint64_t delivered = 0;
  std::uint64_t dropped = 0;
  for (bool is_last = false; !is_last;) {
    pollfd wait{.fd = reader.get(), .events = POLLIN, .revents = 0};
    REQUIRE(::poll(&wait, 1, 30'000) == 1);
    char buffer[4096];
    const ssize_t n = ::read(reader.get(), buffer, sizeof buffer);
    REQUIRE(n > 0);
    text.append(buffer, static_cast<std::size_t>(n));
    for (std::size_t end = 0; (end = text.find('\n')) != std::string::npos;
         text.erase(0, end + 1)) {
      const auto json = nlohmann::json::parse(text.substr(0, end));
      if (json.contains("dropped")) {
        CHECK(json["level"] == "warning");
        dropped += json["dropped"].get<std::uint64_t>();
      } else {
        ++delivered;
        is_last = json["n"] == kLines - 1;
      }
    }
  }
  CHECK(dropped > 0);
  CHECK(delivered + dropped == kLines);
}

TEST_CASE("lines that a full disk refused are counted") {
  // /dev/full accepts an open and refuses every write.
  auto log = ProcessLog::open(to_file("/dev/full")).value();
  log->info({}, "lost");
  log->flush();  // returns all the same
  const TempFolder scratch;
  const std::string path = scratch / "socket";
  auto silent = ProcessLog::open({.sink = Options::Sink::syslog, .socket = path}).value();
  for (int i = 0; i < 3; ++i) silent->info({}, "nobody listens");
  silent->flush();
  Receiver daemon(path);
  silent->info({}, "now somebody does");
  const std::string first = daemon.receive();
  CHECK(first.find("could not be written lost=3") != std::string::npos);
  CHECK(first.find("no syslog daemon at " + path) != std::string::npos);
  CHECK(ProcessLog::find_syslog(path).has_value());
  CHECK(daemon.receive().ends_with("now somebody does"));
}

TEST_CASE("whether there is a syslog daemon can be asked") {
  const TempFolder scratch;
  const auto found = ProcessLog::find_syslog(scratch / "log");
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().text ==
        "no syslog daemon at " + (scratch / "log") + ": No such file or directory");
}

TEST_CASE("syslog gets facility, priority, identity and process id") {
  const TempFolder scratch;
  Receiver daemon(scratch / "log");
  auto log = ProcessLog::open({.sink = Options::Sink::syslog, .socket = scratch / "log"}).value();
  log->warning({"ldap", 3}, "careful", {{"k", "v"}});
  const std::string line = daemon.receive();
  CHECK(line.starts_with("<28>"));  // daemon.warning
  CHECK(line.ends_with(" tunnel[" + std::to_string(::getpid()) + "]: ldap[3] careful k=v"));
  log->error({}, "broken");
  CHECK(daemon.receive().starts_with("<27>"));
}

TEST_CASE("a syslog daemon may be restarted") {
  const TempFolder scratch;
  const std::string path = scratch / "log";
  auto daemon = std::make_unique<Receiver>(path);
  auto log = ProcessLog::open({.sink = Options::Sink::syslog, .socket = path}).value();
  log->info({}, "one");
  CHECK(daemon->receive().ends_with("one"));
  daemon.reset();
  std::filesystem::remove(path);
  daemon = std::make_unique<Receiver>(path);
  log->info({}, "two");
  CHECK(daemon->receive().ends_with("two"));
}

TEST_CASE("a syslog daemon on a stream socket gets lines that end in NUL") {
  const TempFolder scratch;
  Receiver daemon(scratch / "log", SOCK_STREAM);
  auto log = ProcessLog::open({.sink = Options::Sink::syslog, .socket = scratch / "log"}).value();
  log->info({}, "hello");
  const Fd peer = daemon.accept();
  std::string got;
  while (got.find('\0') == std::string::npos) {
    char c = 0;
    REQUIRE(::read(peer.get(), &c, 1) == 1);
    got += c;
  }
  CHECK(got.ends_with(std::string("hello\0", 6)));
}

TEST_CASE("the journal gets one datagram a line") {
  const TempFolder scratch;
  Receiver journal(scratch / "socket");
  auto log =
      ProcessLog::open({.sink = Options::Sink::journal, .socket = scratch / "socket"}).value();
  log->write(Level::info, Event::ready, {}, "ready", {{"services", std::int64_t{2}}});
  const std::string datagram = journal.receive();
  CHECK(datagram.starts_with("MESSAGE=ready services=2\nPRIORITY=6\n"));
  CHECK(datagram.find("\nTUNNEL_EVENT=ready\n") != std::string::npos);
}

TEST_CASE("without a journal, opening it is an error that says what to write instead") {
  const TempFolder scratch;
  const auto log = ProcessLog::open({.sink = Options::Sink::journal, .socket = scratch / "none"});
  REQUIRE_FALSE(log.has_value());
  CHECK(log.error().code == ErrorCode::unavailable);
  CHECK(log.error().text.find("\"syslog\"") != std::string::npos);
}

TEST_CASE("several threads write, flush and reopen at once without losing or mixing a line") {
  const TempFolder scratch;
  const std::string path = scratch / "log";
  auto log = ProcessLog::open(to_file(path)).value();
  constexpr int kThreads = 4;
  constexpr std::int64_t kEach = 200;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&log, t] {
      for (std::int64_t i = 0; i < kEach; ++i) {
        log->info({"s", static_cast<std::uint64_t>(t) + 1}, "line", {{"n", i}});
        if (i % 50 == 0) log->flush();
        if (i % 70 == 0) log->reopen();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  log->flush();
  const auto lines = lines_of(read_file(path));
  CHECK(lines.size() == kThreads * kEach);
  std::vector<std::int64_t> next(kThreads + 1, 0);
  for (const std::string& line : lines) {
    const auto bracket = line.find("s[");
    REQUIRE(bracket != std::string::npos);
    const auto t = static_cast<std::size_t>(line[bracket + 2] - '0');
    CHECK(line.ends_with("line n=" + std::to_string(next[t]++)));
  }
}

TEST_CASE("a change of level and format holds from the next line on, and keeps the file open") {
  const TempFolder scratch;
  const std::string path = scratch / "log";
  Options options = to_file(path);
  auto log = ProcessLog::open(options).value();
  log->debug({}, "too detailed");
  std::filesystem::rename(path, path + ".1");
  options.level = Level::debug;
  options.json = true;
  log->use(log->prepare(options).value());
  CHECK(log->enabled(Level::debug));
  log->debug({}, "wanted now");
  log->set_level(Level::error);
  log->info({}, "not wanted any more");
  log->flush();
  const auto lines = lines_of(read_file(path + ".1"));
  REQUIRE(lines.size() == 1);
  CHECK(nlohmann::json::parse(lines[0])["msg"] == "wanted now");
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a new file gets the lines from the change on, the old one keeps those before it") {
  const TempFolder scratch;
  const auto log = ProcessLog::open(to_file(scratch / "old")).value();
  log->info({}, "before");
  const auto next = log->prepare(to_file(scratch / "new")).value();
  log->info({}, "prepared only");
  log->use(next);
  log->info({}, "after");
  log->flush();
  CHECK(lines_of(read_file(scratch / "old")).size() == 2);
  const auto lines = lines_of(read_file(scratch / "new"));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].ends_with("after"));
  std::filesystem::remove(scratch / "new");
  log->reopen();
  log->flush();
  CHECK(std::filesystem::exists(scratch / "new"));
}

TEST_CASE("a change to a file that cannot be opened changes nothing") {
  const TempFolder scratch;
  const auto log = ProcessLog::open(to_file(scratch / "log")).value();
  Options options = to_file(scratch / "no/such/folder/log");
  options.level = Level::debug;
  const auto refused = log->prepare(options);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().text.find(options.path) != std::string::npos);
  CHECK_FALSE(log->enabled(Level::debug));
  log->info({}, "still here");
  log->flush();
  CHECK(lines_of(read_file(scratch / "log")).size() == 1);
}

TEST_CASE("threads that write while the log changes lose and mix nothing") {
  const TempFolder scratch;
  const auto log = ProcessLog::open(to_file(scratch / "0")).value();
  constexpr int kThreads = 3;
  constexpr std::int64_t kEach = 200;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&log] {
      for (std::int64_t i = 0; i < kEach; ++i) log->info({}, "line", {{"n", i}});
    });
  }
  for (int change = 1; change <= 20; ++change) {
    Options options = to_file(scratch / std::to_string(change % 3));
    options.json = change % 3 != 0;
    log->use(log->prepare(options).value());
    log->info({}, "line");
  }
  for (std::thread& thread : threads) thread.join();
  log->flush();
  std::size_t count = 0;
  for (int file = 0; file < 3; ++file) {
    for (const std::string& line : lines_of(read_file(scratch / std::to_string(file)))) {
      ++count;
      CHECK(line.starts_with('{') == (file != 0));
    }
  }
  CHECK(count == kThreads * kEach + 20);
}

TEST_CASE("an override gives some lines another level") {
  const TempFolder scratch;
  auto log = ProcessLog::open(to_file(scratch / "log")).value();
  std::size_t seen = 0;
  const auto written = [&](Subject subject, Level level) {
    log->write(level, Event::notice, subject, "line", {});
    log->flush();
    const std::size_t before = std::exchange(seen, lines_of(read_file(scratch / "log")).size());
    return seen > before;
  };
  const Subject ldap{"ldap", 1, "10.0.0.1:5000"};
  const Subject mail{"mail", 2, "10.0.0.2:5000"};
  CHECK_FALSE(written(ldap, Level::debug));
  log->set_level_overrides({{Level::debug, "ldap", std::nullopt}});
  CHECK(log->enabled(Level::debug));
  CHECK(written(ldap, Level::debug));
  CHECK_FALSE(written(mail, Level::debug));
  log->set_level_overrides({{Level::debug, "", Cidr::parse("10.0.0.2/32").value()}});
  CHECK_FALSE(written(ldap, Level::debug));
  CHECK(written(mail, Level::debug));
  CHECK_FALSE(written({"mail", 3, "/run/mail.sock"}, Level::debug));
  // The last one that fits decides, and may write less.
  log->set_level_overrides(
      {{Level::debug, "", std::nullopt}, {Level::error, "mail", std::nullopt}});
  CHECK(written({}, Level::debug));
  CHECK_FALSE(written(mail, Level::info));
  log->set_level_overrides({});
  CHECK_FALSE(log->enabled(Level::debug));
}

TEST_CASE("the last problems are kept, whatever the level, and no more of them than fifty") {
  const TempFolder scratch;
  Options options = to_file(scratch / "log");
  options.level = Level::error;
  auto log = ProcessLog::open(options).value();
  log->info({}, "no problem");
  CHECK(log->problems().empty());
  log->write(Level::warning, Event::ejected, {"ldap", 7}, "dc1 is \x1b[2J down",
             {{"kind", std::string_view("connect_refused")}});
  REQUIRE(log->problems().size() == 1);
  const Problem problem = log->problems().front();
  CHECK(problem.event == Event::ejected);
  CHECK(problem.service == "ldap");
  CHECK(problem.conn == 7);
  CHECK(problem.kind == "connect_refused");
  CHECK(problem.text == "dc1 is \\x1b[2J down");
  for (int i = 0; i < 60; ++i) log->error({}, "error " + std::to_string(i));
  const auto problems = log->problems();
  REQUIRE(problems.size() == 50);
  CHECK(problems.front().text == "error 10");
  CHECK(problems.back().text == "error 59");
}

}  // namespace tunnel::log
