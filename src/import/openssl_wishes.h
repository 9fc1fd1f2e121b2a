// SPDX-License-Identifier: MIT
// The settings of one section, read and put in order, before anything is translated. For
// openssl_names.cc only. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "import/openssl_notes.h"
#include "import/openssl_versions.h"

namespace tunnel::import {

// A value, and the setting that it comes from.
struct OpensslText {
  std::size_t setting = 0;
  std::string_view value;
};

struct OpensslWishes {
  std::optional<OpensslText> ciphers, ciphersuites, curves;
  int level = 2;
  std::size_t level_at = 0;
  OpensslVersions versions;
  std::size_t versions_at = 0;  // the last setting that had a say in them
  bool no_tickets = false;
};

[[nodiscard]] OpensslWishes read_openssl_wishes(std::span<const OpensslSetting> settings,
                                                OpensslNotes& notes);

}  // namespace tunnel::import
