// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <string>

#include "base/address.h"
#include "base/fd.h"
#include "base/file_place.h"
#include "base/result.h"

namespace tunnel::runtime {

// The file of a unix socket that we have bound; removed with this object, unless another has taken
// its place. Its folder may be another user's: the file is never touched by its path, but in the
// folder that is held, once it is seen to be the one we made. Owned by the ListeningSocket.
class SocketFile {
 public:
  struct Wish {
    std::string path;
    mode_t mode = 0600;
    FileOwner owner{};
  };
  // Gives `socket` its file, with its mode from the first moment. A stale file (nobody accepts
  // there) is replaced, a live one is an error. Call before there are threads: the process's mask
  // for new files changes for a moment.
  static Result<SocketFile> bind(int socket, const SocketAddress& address, const Wish& wish);
  // The file of a socket that an earlier process has bound and left to us; it gets the mode and the
  // owner that are wished now. It stays when this object goes, because that process may still use
  // it; unless own() is called.
  static Result<SocketFile> adopt(const Wish& wish);
  // Its mode from now on, if it is still ours.
  Result<void> set_mode(mode_t mode);
  void own() { is_left_ = false; }
  // It stays when this object goes: the socket is in another's keeping.
  void leave() { is_left_ = true; }
  ~SocketFile();
  SocketFile(SocketFile&& other) noexcept = default;
  SocketFile& operator=(SocketFile&& other) noexcept = delete;

 private:
  explicit SocketFile(FilePlace place) : place_(std::move(place)) {}
  // What is at the place now, looked at through a descriptor of it.
  struct Found {
    Fd file;
    struct stat status {};
  };
  [[nodiscard]] Found look() const;
  [[nodiscard]] bool is_ours(const struct stat& status) const {
    return status.st_dev == device_ && status.st_ino == inode_;
  }
  enum class Origin { made, inherited };
  Result<void> settle(const Found& found, const FileOwner& owner, Origin origin);
  static Result<void> set_mode(const Found& found, mode_t mode);

  FilePlace place_;
  // Which file we made: another one of the same name is not ours to remove.
  dev_t device_ = 0;
  ino_t inode_ = 0;
  bool is_left_ = false;
};

}  // namespace tunnel::runtime
