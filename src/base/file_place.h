// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/fd.h"
#include "base/file_owner.h"
#include "base/result.h"

namespace tunnel {

// A name in a folder that is held open, so that no other folder can take its place between
// a look and a deed. For root, who can follow every link of every user: one on the way that belongs
// to anybody but root is refused, for its owner would decide which file root opens. Other users are
// judged by the kernel alone.
struct FilePlace {
  enum class LastLink { follow, keep };

  Fd folder;               // good for the ...at() functions only (O_PATH)
  std::string name;        // without a slash; never a link, unless it was kept
  bool is_kernel = false;  // in /proc, whose links lead where no path does: follow those

  [[nodiscard]] static Result<FilePlace> find(const std::string& path, LastLink last);
};

// How to open or make a file whose folder may be another user's.
struct FileRequest {
  std::string path;
  int flags = 0;  // of open(2); O_CLOEXEC and O_NOCTTY are added, O_NOFOLLOW is obeyed
  mode_t mode = 0;
  // Who a file that root makes is given to. What they may open themselves is opened with their
  // rights, unless `is_ours`.
  FileOwner owner{};
  bool is_ours = false;
};

// Root opens no file that belongs to anybody but itself and the owner, nor one that has several
// names: both may have been put there by the owner of the folder. The error has no path in it.
[[nodiscard]] Result<Fd> open_carefully(const FileRequest& request);

}  // namespace tunnel
