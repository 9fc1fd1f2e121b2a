// SPDX-License-Identifier: MIT
#include "runtime/socket_file.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace tunnel::runtime {
namespace {

// A socket file on which no process accepts any more is left from a process that died: remove it.
// Anything else of that name is not ours.
Result<void> clear_stale(const SocketAddress& address, const FilePlace& place) {
  struct stat status {};
  if (::fstatat(place.folder.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return {};  // bind will say what is wrong, if anything
  }
  if (!S_ISSOCK(status.st_mode)) {
    return failed(ErrorCode::in_use,
                  "there is a file of that name that is not a socket; remove it or "
                  "choose another path");
  }
  // The file outlives its socket, and only connect(2) tells one from the other. EAGAIN is a backlog
  // that is full: a process listens there, and is busy.
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe.valid()) return failed(ErrorCode::system, "cannot make a socket", errno);
  const int connected = ::connect(probe.get(), address.get(), address.length());
  if (connected == 0 || errno == EAGAIN || errno == EINPROGRESS) {
    return failed(ErrorCode::in_use,
                  "another process accepts connections on that socket; stop it "
                  "first");
  }
  if (errno != ECONNREFUSED) return failed(ErrorCode::system, "cannot probe the old socket", errno);
  if (::unlinkat(place.folder.get(), place.name.c_str(), 0) != 0) {
    return failed(ErrorCode::permission, "cannot remove the stale socket file", errno);
  }
  return {};
}

// 0, or the errno. A chmod afterwards would follow a link that was put there meanwhile.
int bind_with_mode(int socket, const SocketAddress& address, mode_t mode) {
  // bind(2) makes the file with mode 0777 less the mask.
  const mode_t old_mask = ::umask(0777 & ~mode);
  const int error = ::bind(socket, address.get(), address.length()) == 0 ? 0 : errno;
  (void)::umask(old_mask);
  return error;
}

// With the rights of its owner, as far as they go: those of root go through the owner's links.
int bind_as(const FileOwner& owner, int socket, const SocketAddress& address, mode_t mode) {
  {
    const ActingAs acting(owner);
    const int error = acting.is_acting() ? bind_with_mode(socket, address, mode) : EACCES;
    if (error != EACCES && error != EPERM) return error;
  }
  return bind_with_mode(socket, address, mode);
}

}  // namespace

Result<SocketFile> SocketFile::bind(int socket, const SocketAddress& address, const Wish& wish) {
  Result<FilePlace> place = FilePlace::find(wish.path, FilePlace::LastLink::keep);
  if (!place) {
    return tl::unexpected(std::move(place).error().in("cannot make the socket file"));
  }
  if (auto cleared = clear_stale(address, *place); !cleared) {
    return tl::unexpected(std::move(cleared).error());
  }
  if (const int error = bind_as(wish.owner, socket, address, wish.mode); error != 0) {
    return failed(error == EADDRINUSE ? ErrorCode::in_use : ErrorCode::system,
                  "cannot make the socket file", error);
  }
  SocketFile file(std::move(*place));
  if (auto settled = file.settle(file.look(), wish.owner, Origin::made); !settled) {
    return tl::unexpected(std::move(settled).error());
  }
  return file;
}

Result<SocketFile> SocketFile::adopt(const Wish& wish) {
  Result<FilePlace> place = FilePlace::find(wish.path, FilePlace::LastLink::keep);
  if (!place) return tl::unexpected(std::move(place).error());
  SocketFile file(std::move(*place));
  // First of all: whatever fails from here on, the file is not ours to remove.
  file.leave();
  const Found found = file.look();
  if (auto settled = file.settle(found, wish.owner, Origin::inherited); !settled) {
    return tl::unexpected(std::move(settled).error());
  }
  if (auto set = set_mode(found, wish.mode); !set) return tl::unexpected(std::move(set).error());
  return file;
}

SocketFile::Found SocketFile::look() const {
  Found found;
  found.file =
      Fd(::openat(place_.folder.get(), place_.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (found.file.valid() && ::fstat(found.file.get(), &found.status) != 0) found.file.reset();
  return found;
}

Result<void> SocketFile::set_mode(mode_t mode) {
  const Found found = look();
  if (!found.file.valid() || !is_ours(found.status)) {
    return failed(ErrorCode::not_found, "the socket file is another one now");
  }
  return set_mode(found, mode);
}

// By a descriptor of the file, because fchmodat cannot be told to follow no link.
Result<void> SocketFile::set_mode(const Found& found, mode_t mode) {
  if ((found.status.st_mode & 07777U) == mode) return {};
  const std::string path = "/proc/self/fd/" + std::to_string(found.file.get());
  if (::chmod(path.c_str(), mode) == 0) return {};
  return failed(ErrorCode::permission, "cannot give the socket file its unix_mode", errno);
}

// Takes what bind has made, or the process before us, and gives it to its owner. Root may have made
// it for an owner who has changed in the configuration since.
Result<void> SocketFile::settle(const Found& found, const FileOwner& owner, Origin origin) {
  const struct stat& status = found.status;
  // bind(2) makes a file of one name. Where there are more, another user has linked a file of
  // theirs to the place, or ours to another.
  const bool is_plausible = found.file.valid() && S_ISSOCK(status.st_mode) &&
                            status.st_nlink == 1 &&
                            (status.st_uid == ::geteuid() || status.st_uid == owner.uid ||
                             (origin == Origin::inherited && ::geteuid() == 0));
  if (!is_plausible && origin == Origin::inherited) {
    return failed(ErrorCode::not_found, "the socket file is another one now");
  }
  if (!is_plausible) {
    return failed(ErrorCode::in_use,
                  "the socket file was replaced as soon as it was made; choose a folder where "
                  "others may not write");
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
  const uid_t uid = owner.uid.value_or(status.st_uid);
  const gid_t gid = owner.gid.value_or(status.st_gid);
  if (uid == status.st_uid && gid == status.st_gid) return {};
  // By the descriptor, which is of O_PATH: fchown(2) refuses those, and a path could be another
  // file by now.
  if (::fchownat(found.file.get(), "", uid, gid, AT_EMPTY_PATH) == 0) return {};
  const int error = errno;
  const std::string reason = "cannot give the socket file to unix_owner";
  if (error != EPERM) return failed(ErrorCode::permission, reason, error);
  return failed(ErrorCode::permission,
                reason +
                    ", which takes root; under systemd set Group= in the unit, because a socket "
                    "file has the group of the process, and unix_mode = \"0660\" instead");
}

SocketFile::~SocketFile() {
  // No inode: settle() did not take the file for ours.
  if (!place_.folder.valid() || inode_ == 0 || is_left_) return;
  const int folder = place_.folder.get();
  const char* name = place_.name.c_str();
  struct stat status {};
  const bool is_there = ::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (is_there && is_ours(status)) (void)::unlinkat(folder, name, 0);
}

}  // namespace tunnel::runtime
