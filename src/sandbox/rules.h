// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sandbox/needs.h"

namespace tunnel::sandbox {

// What a sandbox allows, once the disk has been looked at: folders rather than files, for files are
// replaced by others of their name (renewed certificates, rotated logs). A value.
struct Rules {
  // A folder with all below it, or a single file. No links in its path.
  struct Place {
    std::string path;
    Rights rights;
    friend bool operator==(const Place&, const Place&) = default;
  };
  std::vector<Place> places;
  // nullopt: every port.
  std::optional<std::set<std::uint16_t>> connect_ports;
  std::optional<std::set<std::uint16_t>> bind_ports;
  // Unix sockets without a file are other processes'.
  bool keeps_abstract_sockets = false;

  // Whether a place grants them.
  [[nodiscard]] bool allow(const Place& wanted) const;
  // What they forbid and the needs have, in words for people: "reading /srv/new/ca.pem". Inside the
  // sandbox it also finds what is at an allowed path and in a folder that was replaced since.
  [[nodiscard]] std::vector<std::string> forbid(const Needs& needs) const;
};

// Where a file is now: the folder of its path, and of every link on the way to it, so that a link
// that is moved on to a new file beside the old one (Kubernetes' ..data, certbot's live/) stays
// inside. For a folder, itself and where the links in it lead. Reads the disk; what is not there
// has no places.
[[nodiscard]] std::vector<Rules::Place> places_of(const std::string& file, const Rights& rights);

// The places of all files. Ports are not limited.
[[nodiscard]] Rules rules_for(const Needs& needs);

}  // namespace tunnel::sandbox
