// SPDX-License-Identifier: MIT
#include "tls/key_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "tls/handles.h"
#include "tls/x509_text.h"

namespace tunnel::tls {
namespace {

std::string_view view(const gnutls_datum_t& datum) {
  return {reinterpret_cast<const char*>(datum.data), datum.size};
}

}  // namespace

Result<KeyLog> KeyLog::open(const std::string& path) {
  KeyLog log;
  log.fd_ = Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600));
  if (!log.fd_.valid())
    return failed(ErrorCode::system, path + ": cannot be opened for appending", errno);
  return log;
}

Result<void> KeyLog::check(const std::string& path) {
  if (::access(path.c_str(), W_OK) == 0) return {};
  if (errno == ENOENT) {
    const auto slash = path.rfind('/');
    const auto folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    if (::access(folder.c_str(), W_OK | X_OK) == 0) return {};
  }
  return failed(ErrorCode::system, path + ": cannot be opened for appending", errno);
}

void KeyLog::write(gnutls_session_t session, const char* label,
                   const gnutls_datum_t& secret) const {
  gnutls_datum_t client_random{}, server_random{};
  gnutls_session_get_random(session, &client_random, &server_random);
  const std::string line =
      std::string(label) + ' ' + hex(view(client_random)) + ' ' + hex(view(secret)) + '\n';
  // A full disk must not end the session.
  (void)!::write(fd_.get(), line.data(), line.size());
}

}  // namespace tunnel::tls
