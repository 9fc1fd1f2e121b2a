// SPDX-License-Identifier: MIT
#include "import/openssl_notes.h"

#include <algorithm>
#include <utility>

namespace tunnel::import {

bool OpensslNotes::has_errors() const {
  return std::ranges::any_of(notes_, [](const OpensslNote& note) {
    return note.severity == OpensslNote::Severity::error;
  });
}

std::vector<OpensslNote> OpensslNotes::sorted() && {
  std::ranges::stable_sort(notes_, {}, &OpensslNote::setting);
  return std::move(notes_);
}

void OpensslNotes::add(OpensslNote note) {
  if (std::ranges::find(notes_, note) == notes_.end()) notes_.push_back(std::move(note));
}

}  // namespace tunnel::import
