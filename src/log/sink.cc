// SPDX-License-Identifier: MIT
#include "log/sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "base/address.h"
#include "base/fd.h"
#include "base/file_place.h"
#include "base/text.h"
#include "base/write_all.h"
#include "log/line.h"

namespace tunnel::log {
namespace {

Result<void> write_whole(int fd, std::string_view text) {
  if (const int error = write_all(fd, text); error != 0) {
    return failed(ErrorCode::system, "write", error);
  }
  return {};
}

// Line and newline leave in one write, so that lines of several processes do not mix.
class StandardError final : public Sink {
 public:
  explicit StandardError(bool is_journal) : is_journal_(is_journal) {}

  Result<void> write(Level level, std::string_view payload) override {
    if (is_journal_) {
      return write_whole(STDERR_FILENO, fmt::format("<{}>{}\n", priority(level), payload));
    }
    return write_whole(STDERR_FILENO, std::string(payload) + '\n');
  }

 private:
  const bool is_journal_;
};

// systemd's units may write into a folder of their own, and hardly anywhere else.
std::string where_logs_belong(const std::string& path) {
  const char* folders = std::getenv("LOGS_DIRECTORY");
  if (folders == nullptr) return "";
  const std::string folder(folders, std::strcspn(folders, ":"));
  if (path.starts_with(folder + "/")) return "";
  return "; the unit has the folder " + printable(folder) + " for logs";
}

class File final : public Sink {
 public:
  static Result<std::unique_ptr<Sink>> open(const std::string& path, const FileOwner& owner) {
    std::error_code ignored;  // an unreadable working directory: the path stays as it is
    std::filesystem::path absolute = std::filesystem::absolute(path, ignored);
    if (ignored) absolute = path;
    auto file = std::make_unique<File>(absolute.string(), owner);
    const Result<void> opened = file->reopen();
    if (!opened) return tl::unexpected(opened.error());
    return file;
  }
  File(std::string path, const FileOwner& owner) : path_(std::move(path)), owner_(owner) {}

  Result<void> write(Level, std::string_view payload) override {
    return write_whole(fd_.get(), std::string(payload) + '\n');
  }

  Result<void> reopen() override {
    // O_NONBLOCK: a FIFO that nobody reads is an error at start instead of a hang.
    Result<Fd> opened = open_carefully({.path = path_,
                                        .flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK,
                                        .mode = 0640,
                                        .owner = owner_});
    if (!opened) {
      Error error = std::move(opened).error().in("cannot open log file " + printable(path_));
      error.text += where_logs_belong(path_);
      return tl::unexpected(std::move(error));
    }
    (void)::fcntl(opened->get(), F_SETFL, ::fcntl(opened->get(), F_GETFL) & ~O_NONBLOCK);
    // The file in use is closed only now: when opening fails, it stays.
    fd_ = std::move(*opened);
    return {};
  }

 private:
  const std::string path_;
  const FileOwner owner_;
  Fd fd_;
};

// A file for those who come later, standard error for who is watching: a terminal that is gone must
// not cost the file a line.
class Copied final : public Sink {
 public:
  Copied(std::unique_ptr<Sink> file, bool is_journal)
      : file_(std::move(file)), terminal_(is_journal) {}

  Result<void> write(Level level, std::string_view payload) override {
    (void)terminal_.write(level, payload);
    return file_->write(level, payload);
  }
  Result<void> reopen() override { return file_->reopen(); }

 private:
  const std::unique_ptr<Sink> file_;
  StandardError terminal_;
};

// The protocol of /dev/log by hand rather than syslog(3): that function keeps process-wide state,
// tells nobody when a line is lost, and cannot be pointed at a test's socket. Datagram as rsyslog,
// syslogd and journald serve it, stream where an old syslog-ng does.
class Syslog final : public Sink {
 public:
  explicit Syslog(SocketAddress address) : address_(address) {}

  Result<void> write(Level level, std::string_view payload) override {
    const std::string line = fmt::format("<{}>{} tunnel[{}]: {}", LOG_DAEMON | priority(level),
                                         local_time(), ::getpid(), payload);
    // A second try on a new socket: the daemon may have been restarted since the last line.
    Result<void> sent = send(line);
    if (!sent) sent = send(line);
    return sent;
  }

 private:
  Result<void> send(std::string_view line) {
    if (!socket_.valid()) {
      const Result<void> connected = connect();
      if (!connected) return connected;
    }
    std::string framed(line);
    // A stream has no borders between messages; syslog(3) ends each with a NUL there, too.
    if (is_stream_) framed += '\0';
    std::string_view rest = framed;
    while (!rest.empty()) {
      const ssize_t n = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno != EINTR) {
        const int error = errno;
        socket_.reset();
        return failed(ErrorCode::system, "syslog", error);
      }
    }
    return {};
  }

 public:
  Result<void> connect() {
    for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
      Fd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
      if (!fd.valid()) return failed(ErrorCode::system, "socket", errno);
      if (::connect(fd.get(), address_.get(), address_.length()) == 0) {
        socket_ = std::move(fd);
        is_stream_ = type == SOCK_STREAM;
        return {};
      }
      // The socket is there, but of the other kind.
      if (errno != EPROTOTYPE) break;
    }
    return failed(ErrorCode::unavailable, "no syslog daemon at " + address_.to_string(), errno);
  }

 private:
  // RFC 3164's, which is what /dev/log speaks.
  static std::string local_time() {
    const time_t now = ::time(nullptr);
    tm local{};
    (void)localtime_r(&now, &local);
    static constexpr std::array<std::string_view, 12> kMonths = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return fmt::format("{} {:2} {:02}:{:02}:{:02}", kMonths[static_cast<std::size_t>(local.tm_mon)],
                       local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
  }

  const SocketAddress address_;
  Fd socket_;
  bool is_stream_ = false;
};

// Not connected: the journal's socket belongs to systemd and outlives restarts of journald, but a
// connected descriptor would not outlive a new socket file.
class Journal final : public Sink {
 public:
  static Result<std::unique_ptr<Sink>> open(const SocketAddress& address) {
    Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return failed(ErrorCode::system, "socket", errno);
    // Sending needs no connection, and would show only with the first line that there is no
    // journal: the start is to fail instead.
    Fd probe(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!probe.valid()) return failed(ErrorCode::system, "socket", errno);
    if (::connect(probe.get(), address.get(), address.length()) != 0) {
      return failed(ErrorCode::unavailable,
                    "no journal at " + address.to_string() +
                        "; set log_file to a path, \"syslog\" or \"stderr\"",
                    errno);
    }
    return std::make_unique<Journal>(std::move(fd), address);
  }
  Journal(Fd socket, SocketAddress address) : socket_(std::move(socket)), address_(address) {}

  Result<void> write(Level, std::string_view payload) override {
    while (::sendto(socket_.get(), payload.data(), payload.size(), MSG_NOSIGNAL, address_.get(),
                    address_.length()) < 0) {
      if (errno != EINTR) return failed(ErrorCode::system, "journal", errno);
    }
    return {};
  }

 private:
  const Fd socket_;
  const SocketAddress address_;
};

Result<SocketAddress> socket_address(const Options& options, std::string_view system_path) {
  return SocketAddress::unix_path(options.socket.empty() ? system_path : options.socket);
}

constexpr std::string_view kSyslog = "/dev/log";

Result<std::unique_ptr<Sink>> open_file(const Options& options) {
  auto file = File::open(options.path, options.owner);
  if (!file || !options.is_also_on_stderr) return file;
  return std::make_unique<Copied>(std::move(*file), options.is_stderr_journal);
}

}  // namespace

bool is_journal(int descriptor) {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(descriptor, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

Result<void> find_syslog(const std::string& socket) {
  const auto address = SocketAddress::unix_path(socket.empty() ? kSyslog : socket);
  if (!address) return tl::unexpected(address.error());
  return Syslog(*address).connect();
}

Result<std::unique_ptr<Sink>> Sink::open(const Options& options) {
  switch (options.sink) {
    case Options::Sink::standard_error:
      return std::make_unique<StandardError>(options.is_stderr_journal);
    case Options::Sink::file:
      return open_file(options);
    case Options::Sink::syslog: {
      // Not connected yet: the daemon may start after this process.
      const Result<SocketAddress> address = socket_address(options, kSyslog);
      if (!address) return tl::unexpected(address.error());
      return std::make_unique<Syslog>(*address);
    }
    case Options::Sink::journal: {
      const Result<SocketAddress> address = socket_address(options, "/run/systemd/journal/socket");
      if (!address) return tl::unexpected(address.error());
      return Journal::open(*address);
    }
  }
  return failed(ErrorCode::invalid, "no such log sink");
}

}  // namespace tunnel::log
