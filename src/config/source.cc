// SPDX-License-Identifier: MIT
#include "config/source.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "base/fd.h"

namespace tunnel::config {
namespace {

// The length of the valid UTF-8 sequence at the front, 0 when there is none (RFC 3629 section 4).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 && first <= 0xf4   ? 4
                             : first >= 0xe0 && first <= 0xef ? 3
                             : first >= 0xc2 && first <= 0xdf ? 2
                                                              : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool is_overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool is_surrogate = first == 0xed && byte(1) > 0x9f;
  const bool is_too_large = first == 0xf4 && byte(1) > 0x8f;
  return is_overlong || is_surrogate || is_too_large ? 0 : length;
}

std::string folder_of(const std::string& path) {
  std::string folder = path.find('/') == std::string::npos ? "" : path.substr(0, path.rfind('/'));
  if (path.starts_with('/')) {
    // What is read from a pipe has no folder of its own.
    const bool is_pipe = folder == "/dev" || folder == "/dev/fd" || folder.starts_with("/proc/");
    if (!is_pipe) return folder;
    folder.clear();
  }
  // Made absolute while that is possible: a daemon changes its folder later.
  char buffer[4096];
  const std::string here = ::getcwd(buffer, sizeof buffer) != nullptr ? buffer : "";
  return folder.empty() ? here : here + "/" + folder;
}

// Without "m/../" in it, for people read it in messages. Only then: a folder that is reached
// through a link must stay so, because the link may lead elsewhere tomorrow.
std::string plain_folder_of(const std::string& path) {
  std::string folder = folder_of(path);
  if (folder.starts_with("./")) folder.erase(0, 2);
  if ((folder + "/").find("/../") == std::string::npos) return folder;
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(folder.c_str(), nullptr), ::free);
  return real ? std::string(real.get()) : folder;
}

}  // namespace

std::size_t character_length(std::string_view text) {
  return std::max<std::size_t>(1, utf8_length(text));
}

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i, 4));
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

Source::Source(std::string path, std::string text)
    : path_(std::move(path)), text_(std::move(text)), folder_(plain_folder_of(path_)) {
  if (text_.starts_with("\xef\xbb\xbf")) text_.erase(0, 3);
  line_starts_.push_back(0);
  for (std::size_t i = text_.find('\n'); i != std::string::npos; i = text_.find('\n', i + 1)) {
    line_starts_.push_back(i + 1);
  }
}

std::string_view Source::line(std::uint32_t number) const {
  if (number == 0 || number > line_starts_.size()) return {};
  std::string_view rest = std::string_view(text_).substr(line_starts_[number - 1]);
  rest = rest.substr(0, rest.find('\n'));
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  return rest;
}

Position Source::position(std::uint32_t file, std::size_t offset) const {
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const auto line = static_cast<std::size_t>(after - line_starts_.begin());
  std::uint32_t column = 1;
  for (std::size_t i = line_starts_[line - 1]; i < offset && i < text_.size(); ++column) {
    i += character_length(std::string_view(text_).substr(i, 4));
  }
  return {file, static_cast<std::uint32_t>(line), column};
}

namespace {

Result<std::string> read_all(int fd) {
  constexpr int kPatienceMs = 5000;
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got == 0) return text;
    if (got > 0) {
      text.append(buffer, static_cast<std::size_t>(got));
      // Also here: a pipe has no size, and a file may grow while it is read.
      if (text.size() > kLargestFile) {
        return failed(ErrorCode::exhausted, "larger than 16 MiB; this is not a configuration file");
      }
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return failed(ErrorCode::system, "cannot be read", errno);
    pollfd wait{fd, POLLIN, 0};
    if (::poll(&wait, 1, kPatienceMs) == 0) {
      return failed(ErrorCode::unavailable, "nothing came out of this pipe for five seconds");
    }
  }
}

}  // namespace

Result<std::string> read_text(const std::string& path) {
  if (path.find('\0') != std::string::npos) {
    return failed(ErrorCode::invalid, "this is not a file name");
  }
  // O_NONBLOCK: opening a named pipe must not wait for its writer.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd.valid()) {
    const ErrorCode code = errno == ENOENT   ? ErrorCode::not_found
                           : errno == EACCES ? ErrorCode::permission
                                             : ErrorCode::system;
    return failed(code, "cannot be opened", errno);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return failed(ErrorCode::system, "cannot be read", errno);
  }
  if (S_ISDIR(status.st_mode)) {
    return failed(ErrorCode::invalid, "this is a directory, not a configuration file");
  }
  if (S_ISREG(status.st_mode) && static_cast<std::size_t>(status.st_size) > kLargestFile) {
    return failed(ErrorCode::exhausted, "larger than 16 MiB; this is not a configuration file");
  }
  // An unnamed pipe lives on pipefs; a FIFO on the file system that holds its name.
  struct statfs where {};
  const bool is_pipe =
      S_ISFIFO(status.st_mode) && ::fstatfs(fd.get(), &where) == 0 && where.f_type == PIPEFS_MAGIC;
  if (!S_ISREG(status.st_mode) && !is_pipe) {
    return failed(ErrorCode::invalid, "this is not a regular file");
  }
  return read_all(fd.get());
}

}  // namespace tunnel::config
