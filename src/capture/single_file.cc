// SPDX-License-Identifier: MIT
#include "capture/single_file.h"

#include <fcntl.h>

#include <cerrno>

#include "base/text.h"
#include "base/write_all.h"

namespace tunnel::capture {

Result<std::unique_ptr<SingleFile>> SingleFile::open(const std::string& path) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) {
    return failed(ErrorCode::system, "cannot capture to " + printable(path, 4096), errno);
  }
  return std::unique_ptr<SingleFile>(new SingleFile(std::move(file), path));
}

Result<void> SingleFile::write(Bytes octets) {
  if (const int error = write_all(file_.get(), as_text(octets)); error != 0) {
    return failed(ErrorCode::system, "cannot write to " + printable(path_, 4096), error);
  }
  return {};
}

}  // namespace tunnel::capture
