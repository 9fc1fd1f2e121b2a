// SPDX-License-Identifier: MIT
#include "capture/single_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "base/write_all.h"

namespace tunnel::capture {

namespace {

// A file that was there may have been made for others to read, which a device or a pipe cannot
// mind.
bool is_private(const Fd& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return false;
  if (!S_ISREG(status.st_mode)) return true;
  // In this order, and without O_TRUNC above: fchmod(2) fails for another user's file (unless root
  // asks), which is then left as it was.
  return ::fchmod(file.get(), 0600) == 0 && ::ftruncate(file.get(), 0) == 0;
}

}  // namespace

Result<Fd> open_private_file(const std::string& path) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid() || !is_private(file)) {
    return failed(ErrorCode::system, "cannot capture to " + printable(path, 4096), errno);
  }
  return file;
}

Result<std::unique_ptr<SingleFile>> SingleFile::open(const std::string& path) {
  auto file = open_private_file(path);
  if (!file) return tl::unexpected(std::move(file).error());
  return std::unique_ptr<SingleFile>(new SingleFile(std::move(*file), path));
}

Result<void> SingleFile::write(Bytes octets) {
  if (const int error = write_all(file_.get(), as_text(octets)); error != 0) {
    return failed(ErrorCode::system, "cannot write to " + printable(path_, 4096), error);
  }
  return {};
}

}  // namespace tunnel::capture
