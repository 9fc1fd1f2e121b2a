// SPDX-License-Identifier: MIT
#include "tls/key_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/encoding.h"
#include "base/file_place.h"
#include "x509/handles.h"
#include "x509/x509_text.h"

namespace tunnel::tls {
namespace {

tl::unexpected<Error> refused(const std::string& path, std::string_view why) {
  return failed(ErrorCode::permission, path + ": " + std::string(why) +
                                           "; remove the file, and it is made anew for " +
                                           "this user alone, or choose another path");
}

// Who may read the secrets could be decided by the one who made the file.
Result<void> judge(int file, const std::string& path, const FileOwner& owner) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return failed(ErrorCode::system, path, errno);
  const bool is_ours = status.st_uid == ::geteuid() || (owner.uid && status.st_uid == *owner.uid);
  if (!is_ours) return refused(path, "belongs to user " + std::to_string(status.st_uid));
  if ((status.st_mode & 077) != 0) return refused(path, "others than its owner have access to it");
  return {};
}

Result<Fd> open_judged(const std::string& path, const FileOwner& owner, int creation) {
  // O_NONBLOCK: a FIFO that nobody reads is an error instead of a hang.
  Result<Fd> file = open_carefully({.path = path,
                                    .flags = O_WRONLY | O_APPEND | O_NONBLOCK | creation,
                                    .mode = 0600,
                                    .owner = owner});
  if (!file) {
    return tl::unexpected(std::move(file).error().in(path + ": cannot be opened for appending"));
  }
  if (auto good = judge(file->get(), path, owner); !good) {
    return tl::unexpected(std::move(good).error());
  }
  return file;
}

}  // namespace

Result<KeyLog> KeyLog::open(const std::string& path, const FileOwner& owner) {
  Result<Fd> file = open_judged(path, owner, O_CREAT);
  if (!file) return tl::unexpected(std::move(file).error());
  KeyLog log;
  log.fd_ = std::move(*file);
  return log;
}

Result<void> KeyLog::check(const std::string& path, const FileOwner& owner) {
  const Result<Fd> file = open_judged(path, owner, 0);
  if (file) return {};
  // open() would make it, which its folder must allow.
  if (file.error().code == ErrorCode::not_found) {
    const auto slash = path.rfind('/');
    const auto folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    if (::access(folder.c_str(), W_OK | X_OK) == 0) return {};
  }
  return tl::unexpected(file.error());
}

std::string key_log_line(gnutls_session_t session, const char* label,
                         const gnutls_datum_t& secret) {
  gnutls_datum_t client_random{}, server_random{};
  gnutls_session_get_random(session, &client_random, &server_random);
  // The client's random is what a reader finds the secrets of a session by.
  return std::string(label) + ' ' + hex(x509::view_of(client_random)) + ' ' +
         hex(x509::view_of(secret)) + '\n';
}

void KeyLog::write(std::string_view line) const {
  // A full disk must not end the session.
  (void)!::write(fd_.get(), line.data(), line.size());
}

}  // namespace tunnel::tls
