// SPDX-License-Identifier: MIT
#include "runtime/file_watch.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "x509/trust_store.h"

namespace tunnel::runtime {
namespace {

FileIdentity identity_of(const std::string& path) {
  FileIdentity identity;
  identity.path = path;
  struct stat info {};
  // A file that is not there has an identity as well: one that appears, or goes, is a change.
  if (::stat(path.c_str(), &info) != 0) return identity;
  identity.exists = true;
  identity.device = info.st_dev;
  identity.inode = info.st_ino;
  // A folder's own size and time change with entries that are none of ours, such as the file that
  // an editor writes beside: its entries say what has changed.
  if (S_ISDIR(info.st_mode)) return identity;
  identity.size = info.st_size;
  identity.modified_ns =
      std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + std::int64_t{info.st_mtim.tv_nsec};
  return identity;
}

void look_into_folder(const std::string& path, FileIdentities& found) {
  std::vector<std::string> entries;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    entries.push_back(entry->path().string());
  }
  // Two looks are compared entry by entry, and the order in which a folder gives its entries is the
  // file system's own.
  std::sort(entries.begin(), entries.end());
  for (const std::string& entry : entries) found.push_back(identity_of(entry));
}

class PathList {
 public:
  void add(const std::string& path) {
    const bool is_file = !path.empty() && !path.starts_with("pkcs11:");
    if (is_file && std::find(paths_.begin(), paths_.end(), path) == paths_.end()) {
      paths_.push_back(path);
    }
  }
  void add(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) add(path);
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(paths_); }

 private:
  std::vector<std::string> paths_;
};

bool needs_trust_store(const config::Tls& tls) {
  return tls.ca.empty() &&
         (tls.verify == config::Verify::full || tls.verify == config::Verify::chain);
}

void add(const config::Tls& tls, PathList& paths) {
  paths.add(needs_trust_store(tls) ? x509::system_trust_files() : tls.ca);
  paths.add(tls.peer_certs);
  paths.add(tls.crl);
  paths.add(tls.cert);
  paths.add(tls.key);
  paths.add(tls.key_password_file);
  paths.add(tls.psk_file);
}

}  // namespace

FileIdentities look_at(const std::vector<std::string>& paths) {
  FileIdentities found;
  for (const std::string& path : paths) {
    found.push_back(identity_of(path));
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) look_into_folder(path, found);
  }
  return found;
}

std::vector<std::string> credential_files(const config::Service& service) {
  PathList paths;
  if (service.tls) add(*service.tls, paths);
  if (service.health.tls) add(*service.health.tls, paths);
  return paths.take();
}

FileWatch::Verdict FileWatch::look(FileIdentities found) {
  // Writers that replace a file by rename(2) need no such care; those that write in place do, and a
  // key and its certificate are two files that change one after the other.
  const bool is_at_rest = found == last_;
  last_ = std::move(found);
  if (last_ == in_force_) return Verdict::unchanged;
  return is_at_rest ? Verdict::settled : Verdict::changing;
}

}  // namespace tunnel::runtime
