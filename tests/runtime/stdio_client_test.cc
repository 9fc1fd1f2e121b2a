// SPDX-License-Identifier: MIT
#include "runtime/stdio_client.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>
#include <string>

#include "runtime/standard_streams.h"

namespace tunnel::runtime::stdio_client_test {
namespace {

using testing::Ends;
using testing::pipe_ends;
using testing::Streams;

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EAGAIN) {
      ::usleep(1000);
      continue;
    }
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

TEST_CASE("pipes become one socket that carries both directions and both ends") {
  Ends in = pipe_ends();
  Ends out = pipe_ends();
  std::unique_ptr<StdioClient> stdio;
  {
    const Streams streams(in.reading.get(), out.writing.get());
    stdio = StdioClient::take().value();
  }
  in.reading.reset();
  out.writing.reset();
  CHECK_FALSE(stdio->is_stderr_taken());
  CHECK(stdio->address().to_string() == "stdio");
  const Fd client = stdio->take_client();
  CHECK((::fcntl(client.get(), F_GETFL) & O_NONBLOCK) != 0);
  std::promise<std::string> done;
  stdio->start([&](std::string error) { done.set_value(std::move(error)); });

  REQUIRE(::write(in.writing.get(), "question", 8) == 8);
  in.writing.reset();
  CHECK(read_all(client.get()) == "question");
  REQUIRE(::write(client.get(), "answer", 6) == 6);
  REQUIRE(::shutdown(client.get(), SHUT_WR) == 0);
  CHECK(read_all(out.reading.get()) == "answer");
  CHECK(done.get_future().get() == "");
}

TEST_CASE("a reader that has gone is an error, and the socket stays open for the reset") {
  Ends in = pipe_ends();
  Ends out = pipe_ends();
  std::unique_ptr<StdioClient> stdio;
  {
    const Streams streams(in.reading.get(), out.writing.get());
    stdio = StdioClient::take().value();
  }
  out.writing.reset();
  out.reading.reset();
  (void)::signal(SIGPIPE, SIG_IGN);
  const Fd client = stdio->take_client();
  std::promise<std::string> done;
  stdio->start([&](std::string error) { done.set_value(std::move(error)); });
  REQUIRE(::write(client.get(), "x", 1) == 1);
  CHECK(done.get_future().get() == "cannot write standard output: Broken pipe");
  char byte = 0;
  CHECK(::recv(client.get(), &byte, 1, MSG_DONTWAIT) == -1);
  CHECK(errno == EAGAIN);
}

TEST_CASE("it can be stopped while nothing happens") {
  Ends in = pipe_ends();
  Ends out = pipe_ends();
  std::unique_ptr<StdioClient> stdio;
  {
    const Streams streams(in.reading.get(), out.writing.get());
    stdio = StdioClient::take().value();
  }
  bool is_told = false;
  stdio->start([&](const std::string&) { is_told = true; });
  stdio->stop();
  CHECK_FALSE(is_told);
}

TEST_CASE("one socket is the client itself, and no standard stream keeps it open") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const Fd mine(ends[0]);
  Fd theirs(ends[1]);
  bool is_stderr_taken = false;
  bool is_told = false;
  std::string heard;
  {
    const Streams streams(theirs.get(), theirs.get(), theirs.get());
    theirs.reset();
    auto stdio = StdioClient::take().value();
    is_stderr_taken = stdio->is_stderr_taken();
    stdio->start([&](const std::string& error) { is_told = error.empty(); });
    {
      const Fd client = stdio->take_client();
      (void)!::write(client.get(), "x", 1);
    }
    heard = read_all(mine.get());  // to its end
  }
  CHECK(is_stderr_taken);
  CHECK(is_told);
  CHECK(heard == "x");
}

}  // namespace tunnel::runtime::stdio_client_test
