// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

namespace tunnel {

// Who a file is to belong to, when root makes it for the user that the process is about to become.
// Both empty: stays.
struct FileOwner {
  std::optional<uid_t> uid{};
  std::optional<gid_t> gid{};
};

// While it lives, the calling thread (no other) reaches files with the rights of another user, and
// what it makes belongs to that user: the kernel then judges links and folders as it would for the
// user. For a local of root's.
class ActingAs {
 public:
  explicit ActingAs(const FileOwner& owner);
  ~ActingAs();
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;

  // False: nothing has changed, because we are not root, the owner is root, or the system says no.
  [[nodiscard]] bool is_acting() const { return is_acting_; }

 private:
  void go_back() const;

  bool is_acting_ = false;
  gid_t gid_before_ = 0;
  std::vector<gid_t> groups_before_;
};

}  // namespace tunnel
