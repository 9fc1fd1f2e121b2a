// SPDX-License-Identifier: MIT
#include "x509/file_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"

namespace tunnel::x509 {
namespace {

constexpr std::size_t kMaxFileSize = 256U << 20;  // a national CA's CRL has tens of megabytes

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t expected) {
  if (expected > kMaxFileSize) return failed(ErrorCode::exhausted, "is larger than 256 MiB");
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return failed(ErrorCode::system, "cannot be read", errno);
  // What the file has grown by since it was measured is left out, and it may have shrunk.
  std::string content(expected, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const auto got = ::read(fd.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(ErrorCode::system, "cannot be read", errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  content.resize(size);
  return content;
}

Result<std::string> read_file(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return failed(ErrorCode::system, "cannot be read", errno);
  if (!S_ISREG(info.st_mode)) return failed(ErrorCode::invalid, "is not a regular file");
  return read_file(path, static_cast<std::size_t>(info.st_size));
}

bool is_world_readable(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0;
}

}  // namespace tunnel::x509
