// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "x509/problem.h"

namespace tunnel::x509 {

enum class PemType { certificate, crl };

// One certificate or CRL found in a file.
struct PemObject {
  std::string der;
  std::string origin;  // "/etc/ca.pem, line 57"; for sentences
  int index = -1;      // the entry of the key that named the file
};

// The files that a list of files and folders means: each regular file once, however many hash-named
// links lead to it. Cheap: no file is opened.
struct PemFiles {
  struct File {
    std::string path;
    std::size_t size = 0;
    int index = -1;      // the entry of the key that led to it
    bool named = false;  // by the configuration, not only found in a folder
  };
  std::string key;
  std::vector<File> files;
  std::vector<std::pair<std::string, int>> folders;  // with their index
  Problems problems;
  std::string identity;  // changes when a file does: paths, inodes, sizes, times
};
[[nodiscard]] PemFiles find_pem_files(std::string_view key, const std::vector<std::string>& paths);

// What the files hold. Objects that occur twice are there once.
struct PemContents {
  std::vector<PemObject> objects;
  Problems problems;  // those of `files`, too
};

// Reads PEM or DER. In a folder, files that hold something else are passed over; a file that is
// named must hold at least one object, and so must a folder. Blocking.
[[nodiscard]] PemContents read_pem_files(const PemFiles& files, PemType type);

}  // namespace tunnel::x509
