// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "x509/fingerprint.h"

namespace tunnel::keys {

// Which PINs have been tried in vain on which tokens while the services of one configuration are
// loaded. Most tokens lock themselves after three, and a PIN that was wrong for one service is
// wrong for the next. (URIs that name the same token in different words are not known to do so.)
// Keeps hashes only. One thread; lives as long as the loading.
class WrongPins {
 public:
  // `token` is what a URI says of the token, without the object in it.
  void add(std::string_view token, std::string_view pin);
  [[nodiscard]] bool contains(std::string_view token, std::string_view pin) const;

 private:
  std::vector<x509::Fingerprint> known_;
};

}  // namespace tunnel::keys
