// SPDX-License-Identifier: MIT
#include "config/reader.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>

#include "base/fd.h"
#include "base/text.h"
#include "config/option.h"
#include "config/unreadable.h"

namespace tunnel::config {

void Reader::wrong_type(const Option& option, const Value& value) {
  error(value, "\"" + std::string(option.key) + "\" must be " + describe(option) + ", not " +
                   std::string(value.kind()));
}

bool Reader::spend(const Value& at, std::size_t values) {
  constexpr std::size_t kMostValues = 1'000'000;
  if (exhausted_) return false;
  spent_ += values;
  if (spent_ <= kMostValues) return true;
  exhausted_ = true;
  error(at, "the configuration holds more than " + std::to_string(kMostValues) + " values");
  return false;
}

std::string Reader::absolute(const Value& value, std::string_view path) const {
  if (path.starts_with('/')) return std::string(path);
  if (path.starts_with("./")) path.remove_prefix(2);
  return diagnostics_.source(value.position.file).folder() + "/" + std::string(path);
}

std::string Reader::credential_or_path(const Value& value, std::string_view path) const {
  // Unset outside of a service; libraries must not be led elsewhere in a setuid program.
  const char* folder = may_use_system() ? ::secure_getenv("CREDENTIALS_DIRECTORY") : nullptr;
  if (folder != nullptr && folder[0] == '/' && path.find('/') == std::string_view::npos) {
    std::string credential = folder;
    if (!credential.ends_with('/')) credential += '/';
    credential += path;
    if (::access(credential.c_str(), F_OK) == 0) return credential;
  }
  return absolute(value, path);
}

void Reader::check_readable(const Value& value, const std::string& path, Folder folder) {
  if (!may_use_system()) return;
  // Opened, because access(2) asks for the real user. O_NONBLOCK: a named pipe would wait for its
  // writer.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) {
    const int cause = errno;
    const auto* written = value.as<std::string>();
    return error(value, failed(ErrorCode::system, "cannot read " + path, cause).value().text,
                 why_unreadable(written != nullptr ? *written : path, path, cause));
  }
  const bool is_folder = S_ISDIR(status.st_mode);
  if (is_folder && folder == Folder::refused) {
    return error(value, path + " is a folder, not a file");
  }
  if (!is_folder && !S_ISREG(status.st_mode)) error(value, path + " is not a regular file");
}

void Reader::check_executable(const Value& value, const std::string& path) {
  if (!may_use_system()) return;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || ::access(path.c_str(), X_OK) != 0) {
    const int cause = errno;
    const auto* written = value.as<std::string>();
    const bool lacks_mode = cause == EACCES && ::access(path.c_str(), F_OK) == 0;
    return error(value, failed(ErrorCode::system, "cannot run " + path, cause).value().text,
                 lacks_mode ? "a program has to be executable: chmod +x " + printable(path)
                            : why_unreadable(written != nullptr ? *written : path, path, cause));
  }
  if (S_ISDIR(status.st_mode)) return error(value, path + " is a folder, not a program");
  if (!S_ISREG(status.st_mode)) error(value, path + " is not a regular file");
}

Result<std::vector<SocketAddress>> look_up_host(const std::string& host) {
  addrinfo hints{};
  // Without a type, each address comes three times.
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, [](addrinfo* list) {
    if (list != nullptr) ::freeaddrinfo(list);
  });
  if (status != 0) return failed(ErrorCode::not_found, ::gai_strerror(status));
  std::vector<SocketAddress> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    const SocketAddress address = SocketAddress::from(each->ai_addr, each->ai_addrlen);
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(address);
    }
  }
  return addresses;
}

Result<std::vector<SocketAddress>> Reader::resolve(const std::string& host) {
  constexpr long long kMostMs = 10'000;
  if (const auto known = resolved_.find(host); known != resolved_.end()) return known->second;
  // Where DNS is broken each name takes seconds, and a file may name hundreds: the caller of
  // `check` or of a reload waits.
  if (resolving_ms_ > kMostMs) {
    return failed(ErrorCode::unavailable, "not looked up: looking up other names took too long");
  }
  const auto start = std::chrono::steady_clock::now();
  Result<std::vector<SocketAddress>> result = look_up_host(host);
  resolving_ms_ += std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::steady_clock::now() - start)
                       .count();
  return resolved_.emplace(host, std::move(result)).first->second;
}

// A line end in a value would begin a line of its own where the value is written out: in the
// headers of CONNECT, in EHLO.
bool is_plain(Reader& reader, const Option& option, const Value& value) {
  const std::string& text = *value.as<std::string>();
  const std::string key = "\"" + std::string(option.key) + "\"";
  if (text.empty()) {
    reader.error(value, key + " must not be empty");
    return false;
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(text.begin(), text.end(), is_control)) {
    reader.error(value, key + " must not contain control characters");
    return false;
  }
  if (text.size() > 65536) {
    reader.error(value, key + " is longer than 64 KiB");
    return false;
  }
  return true;
}

}  // namespace tunnel::config
