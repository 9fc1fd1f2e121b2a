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
// mind. One that another user has made stays theirs, whatever its mode becomes, and they may have
// it open: root would hand them what is captured. Devices are root's.
Result<void> make_private(const Fd& file, const std::string& where) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed(ErrorCode::system, where, errno);
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    return failed(ErrorCode::permission,
                  where + ": it is another user's; remove it, or choose another name");
  }
  if (!S_ISREG(status.st_mode)) return {};
  // In this order, and without O_TRUNC below: fchmod(2) fails where the file is root's and we are
  // not, and then it is left as it was.
  if (::fchmod(file.get(), 0600) != 0 || ::ftruncate(file.get(), 0) != 0) {
    return failed(ErrorCode::system, where, errno);
  }
  return {};
}

}  // namespace

Result<Fd> open_private_file(const std::string& path) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  const std::string where = "cannot capture to " + printable(path, 4096);
  if (!file.valid()) return failed(ErrorCode::system, where, errno);
  if (auto made = make_private(file, where); !made) return tl::unexpected(std::move(made).error());
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
