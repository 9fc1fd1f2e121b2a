// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config/model.h"

namespace tunnel::runtime {

// Whether the files behind a service's credentials have changed. inotify is of no use for that: it
// watches what a link pointed to when it was asked, and Kubernetes and certbot renew a certificate
// by moving a link. So the files are looked at, through their links, at intervals.

// What stat(2) says of one file, through all links: another file, or another content. A path
// without a file has an identity, too.
struct FileIdentity {
  std::string path;
  bool exists = false;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
using FileIdentities = std::vector<FileIdentity>;

// One look: each path, and what a folder among them holds. Blocking, for file systems may be slow.
[[nodiscard]] FileIdentities look_at(const std::vector<std::string>& paths);

// The files whose content a service's credentials were made from, those of its health checks
// included: what a path of the configuration names, not URIs of tokens. Without duplicates, in the
// order of the keys.
[[nodiscard]] std::vector<std::string> credential_files(const config::Service& service);

// Decides when changed files may be taken over: not while they are being written. What two looks in
// a row find is settled. Pure; one thread.
class FileWatch {
 public:
  enum class Verdict {
    unchanged,  // what is in force is what is there
    changing,   // look again soon
    settled,    // different from what is in force, and at rest: load it
  };

  // `in_force`: found before the credentials that are in force were read, so that a change while
  // they were read is noticed.
  explicit FileWatch(FileIdentities in_force) : in_force_(std::move(in_force)), last_(in_force_) {}

  // What could not be loaded is found `settled` by each further look, until it can be, or until
  // what is in force has come back.
  [[nodiscard]] Verdict look(FileIdentities found);
  // Something else is in force now. Whether what the last look has found is still to be loaded.
  [[nodiscard]] bool use(FileIdentities in_force) {
    in_force_ = std::move(in_force);
    return last_ != in_force_;
  }

 private:
  FileIdentities in_force_;
  FileIdentities last_;
};

}  // namespace tunnel::runtime
