// SPDX-License-Identifier: MIT
#include "base/file_place.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace tunnel {
namespace {

constexpr int kMostLinks = 40;  // as the kernel has it
constexpr int kFolder = O_PATH | O_DIRECTORY | O_CLOEXEC;

tl::unexpected<Error> refused(int error) {
  const ErrorCode code = error == EACCES || error == EPERM ? ErrorCode::permission
                         : error == ENOENT                 ? ErrorCode::not_found
                                                           : ErrorCode::system;
  tl::unexpected<Error> result = failed(code, "", error);
  result.value().text.erase(0, 2);  // ": "
  return result;
}

// A link below /proc/PID/fd reads "pipe:[123]" or "/path (deleted)", and only the kernel can follow
// it.
bool is_in_proc(int folder) {
  struct statfs system {};
  return ::fstatfs(folder, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

// Walks a path component by component, as the kernel does, but looks at each link first.
class Walk {
 public:
  Walk(const std::string& path, FilePlace::LastLink last) : rest_(path), last_(last) {}

  Result<FilePlace> run() {
    folder_ = Fd(::open(rest_.starts_with('/') ? "/" : ".", kFolder));
    if (!folder_.valid()) return refused(errno);
    for (;;) {
      const std::string name = take();
      // With a slash at the end, the last component is the empty one behind it: then the folder
      // itself is the place, and its name ".".
      if (rest_.empty()) {
        Result<std::optional<FilePlace>> end = finish(name);
        if (!end) return tl::unexpected(std::move(end).error());
        if (*end) return std::move(**end);
      } else if (auto entered = enter(name); !entered) {
        return tl::unexpected(std::move(entered).error());
      }
    }
  }

 private:
  // The next component; empty at the end of the path.
  std::string take() {
    rest_.erase(0, std::min(rest_.find_first_not_of('/'), rest_.size()));
    std::string name = rest_.substr(0, rest_.find('/'));
    rest_.erase(0, name.size());
    return name;
  }

  // The place, unless the last name is a link that is to be followed.
  Result<std::optional<FilePlace>> finish(const std::string& name) {
    const bool is_kernel = is_in_proc(folder_.get());
    if (last_ == FilePlace::LastLink::follow && !is_kernel) {
      const Result<bool> followed = follow(name);
      if (!followed) return tl::unexpected(followed.error());
      if (*followed) return std::nullopt;
    }
    return FilePlace{
        .folder = std::move(folder_), .name = name.empty() ? "." : name, .is_kernel = is_kernel};
  }

  Result<void> enter(const std::string& name) {
    if (name.empty()) return {};
    const bool is_kernel = is_in_proc(folder_.get());
    if (!is_kernel) {
      const Result<bool> followed = follow(name);
      if (!followed) return tl::unexpected(followed.error());
      if (*followed) return {};
    }
    // With O_NOFOLLOW: between the look above and now, the name may have become a link.
    Fd next(::openat(folder_.get(), name.c_str(), is_kernel ? kFolder : kFolder | O_NOFOLLOW));
    if (!next.valid()) return refused(errno);
    folder_ = std::move(next);
    return {};
  }

  // Whether `name` was a link: then what it says stands before the rest of the path.
  Result<bool> follow(const std::string& name) {
    // Opened as itself, so that the owner and the text are those of one link, whatever is done to
    // its name meanwhile.
    const Fd link(::openat(folder_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!link.valid() || ::fstat(link.get(), &status) != 0 || !S_ISLNK(status.st_mode)) {
      return false;  // absent, or to be judged when it is opened
    }
    if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
      return failed(ErrorCode::permission, in_quotes(name) + " on its path is a link of user " +
                                               std::to_string(status.st_uid) +
                                               "'s, which root does not follow");
    }
    if (++links_ > kMostLinks) return refused(ELOOP);
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(link.get(), "", target.data(), target.size());
    if (size <= 0) return refused(size < 0 ? errno : ENOENT);
    const std::string_view text(target.data(), static_cast<std::size_t>(size));
    if (text.starts_with('/')) {
      folder_ = Fd(::open("/", kFolder));
      if (!folder_.valid()) return refused(errno);
    }
    rest_ = std::string(text) + rest_;
    return true;
  }

  Fd folder_;
  std::string rest_;
  const FilePlace::LastLink last_;
  int links_ = 0;
};

Result<void> judge(int file, const FileRequest& request) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return refused(errno);
  // Judged by the open descriptor: what stands at the name may be another file a moment later.
  const bool is_known = status.st_uid == 0 || status.st_uid == ::geteuid() ||
                        (request.owner.uid && status.st_uid == *request.owner.uid);
  if (!is_known) {
    return failed(ErrorCode::permission, "it belongs to user " + std::to_string(status.st_uid) +
                                             ", into whose files root does not write");
  }
  if (S_ISREG(status.st_mode) && status.st_nlink > 1) {
    return failed(ErrorCode::permission,
                  "it has several names (hard links), so it may be another file than is meant");
  }
  return {};
}

// Given only what is surely ours to give: new, or in a folder where only root has its hands.
void give(int file, const FilePlace& place, const FileOwner& owner, bool is_new) {
  struct stat status {};
  if ((!owner.uid && !owner.gid) || ::fstat(file, &status) != 0) return;
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid()) return;
  struct stat folder {};
  const bool is_ours = ::fstat(place.folder.get(), &folder) == 0 && folder.st_uid == ::geteuid() &&
                       (folder.st_mode & 022) == 0;
  if (!is_new && !is_ours) return;
  [[maybe_unused]] const int done = ::fchown(file, owner.uid.value_or(static_cast<uid_t>(-1)),
                                             owner.gid.value_or(static_cast<gid_t>(-1)));
}

Result<Fd> open_as_root(const FileRequest& request, int flags) {
  const bool keeps_link = (flags & O_NOFOLLOW) != 0;
  auto place = FilePlace::find(
      request.path, keeps_link ? FilePlace::LastLink::keep : FilePlace::LastLink::follow);
  if (!place) return tl::unexpected(std::move(place).error());
  if (place->is_kernel) {
    Fd file(::openat(place->folder.get(), place->name.c_str(), flags & ~O_CREAT));
    if (!file.valid()) return refused(errno);
    return file;
  }
  const int folder = place->folder.get();
  const char* name = place->name.c_str();
  flags |= O_NOFOLLOW;
  Fd file;
  bool is_new = false;
  // First with O_EXCL, because open(2) does not say whether it made the file, and one that was
  // there is not given away so easily.
  if ((flags & O_CREAT) != 0) {
    file = Fd(::openat(folder, name, flags | O_EXCL, request.mode));
    is_new = file.valid();
  }
  if (!file.valid()) file = Fd(::openat(folder, name, flags & ~O_CREAT));
  if (!file.valid()) return refused(errno);
  if (auto good = judge(file.get(), request); !good) return tl::unexpected(good.error());
  give(file.get(), *place, request.owner, is_new);
  return file;
}

}  // namespace

Result<FilePlace> FilePlace::find(const std::string& path, LastLink last) {
  if (::geteuid() == 0) return Walk(path, last).run();
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  FilePlace place{.folder = Fd(::open(folder.c_str(), kFolder)), .name = name.empty() ? "." : name};
  if (!place.folder.valid()) return refused(errno);
  return place;
}

Result<Fd> open_carefully(const FileRequest& request) {
  const int flags = request.flags | O_CLOEXEC | O_NOCTTY;
  const bool is_root = ::geteuid() == 0;
  if (is_root && !request.is_ours) {
    // Where the owner cannot open it, as in a folder of root's like /var/log, root goes on below
    // with care of its own.
    const ActingAs owner(request.owner);
    if (owner.is_acting()) {
      Fd file(::open(request.path.c_str(), flags, request.mode));
      if (file.valid()) return file;
    }
  }
  if (is_root) return open_as_root(request, flags);
  Fd file(::open(request.path.c_str(), flags, request.mode));
  if (!file.valid()) return refused(errno);
  return file;
}

}  // namespace tunnel
