// SPDX-License-Identifier: MIT
#include "capture/ring_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <utility>

#include "base/text.h"
#include "base/write_all.h"

namespace tunnel::capture {
namespace {

constexpr unsigned kHighestNumber = 99'999;
constexpr std::size_t kNumberDigits = 5;
constexpr std::size_t kTimeDigits = 14;

std::string folder_of(const std::string& file) {
  const auto folder = std::filesystem::path(file).parent_path().string();
  return folder.empty() ? "." : folder;
}

tl::unexpected<Error> unfit(const std::string& file, const std::string& why) {
  return failed(ErrorCode::permission, "cannot capture to " + printable(file, 4096) + ": " + why);
}

Result<Fd> open_folder(const std::string& file) {
  const std::string folder = folder_of(file);
  Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) {
    return failed(ErrorCode::system, "cannot capture to " + printable(file, 4096) + ": its folder",
                  errno);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return failed(ErrorCode::system, folder, errno);
  // Somebody else could put a file of theirs in the place of ours. With the sticky bit, as /tmp has
  // it, only its owner could rename or remove what is ours.
  if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0) {
    return unfit(file, "everybody may write to its folder; chmod o-w " + printable(folder, 4096));
  }
  return fd;
}

std::string local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  (void)::localtime_r(&now, &parts);
  char text[32];
  (void)std::strftime(text, sizeof text, "%Y%m%d%H%M%S", &parts);
  return text;
}

}  // namespace

Result<void> RingFiles::check(const std::string& file) {
  if (auto folder = open_folder(file); !folder) return tl::unexpected(folder.error());
  if (::access(folder_of(file).c_str(), W_OK | X_OK) != 0) {
    return unfit(file, "its folder is not writable");
  }
  return {};
}

Result<std::unique_ptr<RingFiles>> RingFiles::open(const Settings& settings) {
  auto folder = open_folder(settings.file);
  if (!folder) return tl::unexpected(folder.error());
  std::unique_ptr<RingFiles> ring(new RingFiles(settings));
  ring->folder_ = std::move(*folder);
  const std::filesystem::path path(settings.file);
  ring->stem_ = path.stem().string();
  ring->ending_ = path.extension().string();
  ring->find_older();
  if (auto made = ring->make(); !made) return tl::unexpected(made.error());
  return ring;
}

// Those of earlier runs belong to the ring, too: it is bounded whatever happens.
void RingFiles::find_older() {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder_of(settings_.file), error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::size_t middle = kNumberDigits + 2 + kTimeDigits;
    // Exactly what make() would have called it: what is found here is deleted one day, and must not
    // be a file that a user has made.
    if (name.size() != stem_.size() + middle + ending_.size()) continue;
    if (!name.starts_with(stem_ + "_") || !name.ends_with(ending_)) continue;
    const std::string number = name.substr(stem_.size() + 1, kNumberDigits);
    if (!is_digits(number) || name[stem_.size() + 1 + kNumberDigits] != '_') continue;
    if (!is_digits(name.substr(stem_.size() + 2 + kNumberDigits, kTimeDigits))) continue;
    names_.push_back(name);
  }
  // By their time, and number within the same second: numbers begin again at some point.
  std::sort(names_.begin(), names_.end(), [&](const std::string& a, const std::string& b) {
    const auto key = [&](const std::string& name) {
      return std::pair(name.substr(stem_.size() + 2 + kNumberDigits), name);
    };
    return key(a) < key(b);
  });
  if (names_.empty()) return;
  const char* digits = names_.back().c_str() + stem_.size() + 1;
  (void)std::from_chars(digits, digits + kNumberDigits, number_);
}

Result<void> RingFiles::make() {
  number_ = number_ % kHighestNumber + 1;
  char number[16];
  (void)std::snprintf(number, sizeof number, "_%05u_", number_);
  const std::string name = stem_ + number + local_time() + ending_;
  // Never a file that is there, nor through a link: what is written are passwords and keys.
  file_ = Fd(::openat(folder_.get(), name.c_str(),
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file_.valid()) {
    return failed(
        ErrorCode::system,
        "cannot capture to " +
            printable((std::filesystem::path(folder_of(settings_.file)) / name).string(), 4096),
        errno);
  }
  size_ = 0;
  names_.push_back(name);
  while (names_.size() > std::max<std::size_t>(1, settings_.files)) {
    (void)::unlinkat(folder_.get(), names_.front().c_str(), 0);
    names_.pop_front();
  }
  return {};
}

Result<void> RingFiles::write(Bytes octets) {
  if (const int error = write_all(file_.get(), as_text(octets)); error != 0) {
    // Half a block would make readers call the whole file damaged.
    [[maybe_unused]] const int done = ::ftruncate(file_.get(), static_cast<off_t>(size_));
    return failed(ErrorCode::system, "cannot write to " + printable(names_.back(), 4096), error);
  }
  size_ += octets.size();
  return {};
}

std::optional<std::uint64_t> RingFiles::room() const {
  return size_ >= settings_.max_size ? 0 : settings_.max_size - size_;
}

Result<bool> RingFiles::begin_next() {
  if (auto made = make(); !made) return tl::unexpected(made.error());
  return true;
}

}  // namespace tunnel::capture
