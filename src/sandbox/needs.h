// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/model.h"

namespace tunnel::sandbox {

// What may be done in a folder and all folders below it.
struct Rights {
  bool read = false;  // files and lists of them
  bool write = false;
  bool make_file = false;
  bool make_socket = false;
  bool remove_file = false;  // sockets, too
  bool remove_folder = false;

  // Whether all of `other` is among them.
  [[nodiscard]] bool cover(const Rights& other) const;
  void add(const Rights& other);
  friend bool operator==(const Rights&, const Rights&) = default;
};

// What a running process needs of the system for a configuration: as it is written, before anybody
// has looked at the disk. A value.
struct Needs {
  // Files by their paths, and what is done with each in the folder where it is found.
  std::map<std::string, Rights> files;
  // Folders for what may come, if they are there.
  std::map<std::string, Rights> folders;
  std::set<std::uint16_t> connect_ports;    // TCP
  std::set<std::uint16_t> bind_ports;       // TCP; 0 stands for any free one
  std::vector<std::string> srv_services;    // whose targets' ports are DNS's to say
  std::vector<std::string> exec_services;   // that run a program
  std::vector<std::string> token_services;  // that load a PKCS#11 module
  bool has_abstract_targets = false;        // unix sockets without a file
};

// `trust_files` are those of the system's trust store. What follows from more
// than the configuration's values (its own files, the control socket's place) is the caller's to
// add.
[[nodiscard]] Needs needs_of(const config::Config& config,
                             const std::vector<std::string>& trust_files);

}  // namespace tunnel::sandbox
