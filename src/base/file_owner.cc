// SPDX-License-Identifier: MIT
#include "base/file_owner.h"

#include <grp.h>
#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

namespace tunnel {
namespace {

// The C library's function would change all threads.
bool set_own_groups(const std::vector<gid_t>& groups) {
#ifdef SYS_setgroups32
  // Where there are two, the older one has IDs of 16 bits.
  constexpr long kSetGroups = SYS_setgroups32;
#else
  constexpr long kSetGroups = SYS_setgroups;
#endif
  return ::syscall(kSetGroups, groups.size(), groups.data()) == 0;
}

// They return what was before, and nothing about success: an impossible ID asks what is.
uid_t file_uid() { return static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1))); }
gid_t file_gid() { return static_cast<gid_t>(::setfsgid(static_cast<gid_t>(-1))); }

// Whether root's capabilities go when the uid is another's (capabilities(7), "The securebits
// flags").
bool are_rights_bound_to_uid() {
  const int bits = ::prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
  return bits >= 0 && (bits & SECBIT_NO_SETUID_FIXUP) == 0;
}

}  // namespace

// The file system's IDs belong to the calling thread alone; seteuid() would change every thread
// (nptl(7)). While the uid is not 0, the kernel also takes those capabilities from the thread that
// let root pass over permissions (capabilities(7), "Effect of user ID changes on capabilities").
// Groups go first: a supplementary group of root's would open files that the owner may not.
ActingAs::ActingAs(const FileOwner& owner) {
  if (::geteuid() != 0 || owner.uid.value_or(0) == 0 || !are_rights_bound_to_uid()) return;
  const int count = ::getgroups(0, nullptr);
  if (count < 0) return;
  groups_before_.resize(static_cast<std::size_t>(count));
  if (::getgroups(count, groups_before_.data()) < 0) return;
  gid_before_ = file_gid();

  const gid_t gid = owner.gid.value_or(gid_before_);
  if (!set_own_groups({gid})) return;
  (void)::setfsgid(gid);
  (void)::setfsuid(*owner.uid);
  // A container may have CAP_SETGID without CAP_SETUID: the rights would still be root's.
  is_acting_ = file_uid() == *owner.uid && file_gid() == gid;
  if (!is_acting_) go_back();
}

ActingAs::~ActingAs() {
  if (is_acting_) go_back();
}

void ActingAs::go_back() const {
  (void)::setfsuid(0);
  (void)::setfsgid(gid_before_);
  // Going on with half of the rights of another user would be worse than not going on.
  if (file_uid() != 0 || file_gid() != gid_before_ || !set_own_groups(groups_before_)) std::abort();
}

}  // namespace tunnel
