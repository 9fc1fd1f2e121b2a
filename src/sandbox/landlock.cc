// SPDX-License-Identifier: MIT
#include "sandbox/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "base/fd.h"
#include "base/text.h"

// The kernel's interface by its numbers, for <linux/landlock.h> may be older than the kernel, or
// absent. https://docs.kernel.org/userspace-api/landlock.html
namespace tunnel::sandbox {
namespace {

// The same on every architecture but Alpha and MIPS: on MIPS, which counts from 4000 on, they are
// ENOSYS, and so there is no Landlock.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr unsigned kAskVersion = 1U << 0U;
constexpr int kPathBeneath = 1;
constexpr int kNetPort = 2;

using Bits = std::uint64_t;
constexpr Bits bit(unsigned number) { return Bits{1} << number; }

constexpr Bits kWriteFile = bit(1);
constexpr Bits kReadFile = bit(2);
constexpr Bits kReadFolder = bit(3);
constexpr Bits kRemoveFolder = bit(4);
constexpr Bits kRemoveFile = bit(5);
constexpr Bits kMakeFile = bit(8);
constexpr Bits kMakeSocket = bit(9);
constexpr Bits kTruncate = bit(14);
// Those that mean something for what is not a folder.
constexpr Bits kForFiles = bit(0) | kWriteFile | kReadFile | kTruncate | bit(15);
constexpr Bits kBind = bit(0);
constexpr Bits kConnect = bit(1);
constexpr Bits kAbstractSockets = bit(0);
constexpr Bits kSignals = bit(1);

struct Ruleset {
  Bits files;
  Bits net;     // from version 4 on
  Bits scoped;  // from version 6 on
};

struct [[gnu::packed]] PathRule {
  Bits allowed;
  std::int32_t folder;
};

struct PortRule {
  Bits allowed;
  std::uint64_t port;
};

// All that a version can forbid in the file system: what is not handled is allowed.
Bits handled_files(int version) {
  Bits handled = bit(13) - 1;            // executing, reading, writing, making, removing
  if (version >= 2) handled |= bit(13);  // linking and renaming into other folders
  if (version >= 3) handled |= kTruncate;
  if (version >= 5) handled |= bit(15);  // ioctl on devices
  return handled;
}

std::size_t size_of_ruleset(int version) {
  if (version >= kLandlockScopes) return sizeof(Ruleset);
  return version >= kLandlockPorts ? offsetof(Ruleset, scoped) : offsetof(Ruleset, net);
}

Bits bits_of(const Rights& rights) {
  Bits bits = 0;
  if (rights.read) bits |= kReadFile | kReadFolder;
  if (rights.write) bits |= kWriteFile | kTruncate;
  if (rights.make_file) bits |= kMakeFile;
  if (rights.make_socket) bits |= kMakeSocket;
  if (rights.remove_file) bits |= kRemoveFile;
  if (rights.remove_folder) bits |= kRemoveFolder;
  return bits;
}

tl::unexpected<Error> refused(const std::string& what) {
  return failed(ErrorCode::unavailable, what, errno);
}

// The rights are cut to what the kernel takes. It answers EINVAL to a right that the set does not
// handle, and to one of folders for anything that is not a folder, and ENOMSG to no right at all.
Result<void> allow_place(int ruleset, const Rules::Place& place, Bits handled) {
  const Fd at(::open(place.path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status {};
  if (!at.valid() || ::fstat(at.get(), &status) != 0) return {};
  PathRule rule{.allowed = bits_of(place.rights) & handled, .folder = at.get()};
  if (!S_ISDIR(status.st_mode)) rule.allowed &= kForFiles;
  if (rule.allowed == 0) return {};
  if (::syscall(kAddRule, ruleset, kPathBeneath, &rule, 0) == 0) return {};
  return refused("a rule for " + printable(place.path, 4096));
}

// A set without ports leaves the direction unhandled, which allows every port; a set that is
// handled and has no rule would forbid all of them.
Result<void> allow_ports(int ruleset, const std::optional<std::set<std::uint16_t>>& ports,
                         Bits what) {
  if (!ports) return {};
  for (const std::uint16_t port : *ports) {
    const PortRule rule{.allowed = what, .port = port};
    if (::syscall(kAddRule, ruleset, kNetPort, &rule, 0) != 0) {
      return refused("a rule for port " + std::to_string(port));
    }
  }
  return {};
}

}  // namespace

int landlock_version() {
  const long version = ::syscall(kCreateRuleset, nullptr, 0, kAskVersion);
  return version > 0 ? static_cast<int>(version) : 0;
}

Result<void> restrict_by_landlock(const Rules& rules, int version) {
  // All rights that the version knows are handled, though many are never granted: what is not
  // handled would stay allowed everywhere.
  Ruleset attributes{.files = handled_files(version), .net = 0, .scoped = 0};
  if (version >= kLandlockPorts) {
    if (rules.bind_ports) attributes.net |= kBind;
    if (rules.connect_ports) attributes.net |= kConnect;
  }
  if (version >= kLandlockScopes) {
    // Signals to processes outside; its own threads are inside.
    attributes.scoped = kSignals;
    if (rules.keeps_abstract_sockets) attributes.scoped |= kAbstractSockets;
  }
  const Fd ruleset(
      static_cast<int>(::syscall(kCreateRuleset, &attributes, size_of_ruleset(version), 0)));
  if (!ruleset.valid()) return refused("a set of rules");
  for (const Rules::Place& place : rules.places) {
    if (auto allowed = allow_place(ruleset.get(), place, attributes.files); !allowed) {
      return allowed;
    }
  }
  if (version >= kLandlockPorts) {
    if (auto done = allow_ports(ruleset.get(), rules.bind_ports, kBind); !done) return done;
    if (auto done = allow_ports(ruleset.get(), rules.connect_ports, kConnect); !done) return done;
  }
  if (::syscall(kRestrictSelf, ruleset.get(), 0) != 0) return refused("restricting itself");
  return {};
}

}  // namespace tunnel::sandbox
