// SPDX-License-Identifier: MIT
#include "process/identity.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <limits>
#include <vector>

#include "base/text.h"

namespace tunnel::process {
namespace {

// 4294967295 means "unchanged" to the system calls and is nobody's.
std::optional<id_t> parse_id(std::string_view text) {
  id_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (id == std::numeric_limits<id_t>::max()) return std::nullopt;
  return id;
}

struct Account {
  std::string name;
  uid_t uid;
  gid_t gid;
};

Result<std::optional<Account>> find_account(std::string_view user, std::optional<uid_t> uid) {
  std::vector<char> memory(1024);
  passwd entry{};
  passwd* found = nullptr;
  const std::string name(user);
  for (;;) {
    // How much room an entry takes is not known beforehand: ERANGE says that it was too little.
    const int error = uid ? getpwuid_r(*uid, &entry, memory.data(), memory.size(), &found)
                          : getpwnam_r(name.c_str(), &entry, memory.data(), memory.size(), &found);
    if (found) return Account{entry.pw_name, entry.pw_uid, entry.pw_gid};
    if (error == ERANGE) {
      memory.resize(memory.size() * 2);
      continue;
    }
    // The manual lists these as ways to say "no such user".
    const bool is_absent = error == 0 || error == ENOENT || error == ESRCH || error == EPERM;
    if (is_absent) return std::nullopt;
    if (error != EINTR) return failed(ErrorCode::system, "cannot look up user " + name, error);
  }
}

Result<gid_t> find_group(std::string_view group) {
  std::vector<char> memory(1024);
  ::group entry{};
  ::group* found = nullptr;
  const std::string name(group);
  for (;;) {
    const int error = getgrnam_r(name.c_str(), &entry, memory.data(), memory.size(), &found);
    if (found) return entry.gr_gid;
    if (error == ERANGE) {
      memory.resize(memory.size() * 2);
      continue;
    }
    if (error == EINTR) continue;
    if (const auto id = parse_id(group)) return *id;
    return failed(ErrorCode::not_found, "there is no group \"" + printable(group) + "\"");
  }
}

bool has_identity(const Identity& identity) {
  uid_t uids[3];
  gid_t gids[3];
  (void)getresuid(&uids[0], &uids[1], &uids[2]);
  (void)getresgid(&gids[0], &gids[1], &gids[2]);
  for (int i = 0; i < 3; ++i) {
    if (identity.uid && uids[i] != *identity.uid) return false;
    if (identity.gid && gids[i] != *identity.gid) return false;
  }
  return true;
}

Result<void> set_groups(const Identity& identity) {
  // Without this the process would keep root's supplementary groups, and what these may read.
  const gid_t gid = identity.gid ? *identity.gid : getegid();
  const int result =
      identity.user_name.empty() ? setgroups(1, &gid) : initgroups(identity.user_name.c_str(), gid);
  if (result != 0) return failed(ErrorCode::permission, "cannot set supplementary groups", errno);
  return {};
}

}  // namespace

Result<Identity> find_identity(std::string_view user, std::string_view group) {
  Identity identity;
  if (!group.empty()) {
    const Result<gid_t> gid = find_group(group);
    if (!gid) return tl::unexpected(gid.error());
    identity.gid = *gid;
  }
  if (user.empty()) return identity;

  // A name wins over a number, as in chown(1): accounts named "1000" exist.
  Result<std::optional<Account>> account = find_account(user, std::nullopt);
  const std::optional<id_t> number = parse_id(user);
  if (account && !*account && number) account = find_account(user, *number);
  if (!account) return tl::unexpected(account.error());
  if (*account) {
    identity.uid = (*account)->uid;
    identity.user_name = (*account)->name;
    if (!identity.gid) identity.gid = (*account)->gid;
    return identity;
  }
  if (!number) {
    return failed(ErrorCode::not_found, "there is no user \"" + printable(user) + "\"");
  }
  if (!identity.gid) {
    return failed(ErrorCode::invalid, "user " + std::string(user) +
                                          " has no account that would tell its group; set group");
  }
  identity.uid = *number;
  return identity;
}

Result<void> assume(const Identity& identity) {
  if (!identity.uid && !identity.gid) return {};
  if (geteuid() != 0) {
    if (has_identity(identity)) return {};
    return failed(ErrorCode::permission,
                  "only root may change user and group; start as root, or leave them out");
  }
  // Groups first: without root's user they cannot be changed any more.
  if (Result<void> done = set_groups(identity); !done) return done;
  if (identity.gid && setresgid(*identity.gid, *identity.gid, *identity.gid) != 0) {
    return failed(ErrorCode::permission, "cannot become group " + std::to_string(*identity.gid),
                  errno);
  }
  // All three, the saved one too, from which root could be had back. glibc changes them in all
  // threads; the system call alone would change this one's (nptl(7)).
  if (identity.uid && setresuid(*identity.uid, *identity.uid, *identity.uid) != 0) {
    return failed(ErrorCode::permission, "cannot become user " + std::to_string(*identity.uid),
                  errno);
  }
  // Trust, and look.
  const bool can_return = identity.uid && *identity.uid != 0 && setuid(0) == 0;
  if (!has_identity(identity) || can_return) {
    return failed(ErrorCode::system, "the change of user and group did not hold");
  }
  return {};
}

}  // namespace tunnel::process
