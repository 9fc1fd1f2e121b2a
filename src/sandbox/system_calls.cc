// SPDX-License-Identifier: MIT
#include "sandbox/system_calls.h"

#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <memory>

#ifndef PR_SET_VMA  // Linux 5.17: malloc and thread stacks give their memory a name
#define PR_SET_VMA 0x53564d41
#endif

namespace tunnel::sandbox {
namespace {

// By what they are for. Where an architecture has several of one kind (stat64, futex_time64), the C
// library decides which it makes.
constexpr const char* kAllowed[] = {
    // Descriptors
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
    "pwritev2", "close", "close_range", "dup", "dup2", "dup3", "fcntl", "fcntl64", "lseek",
    "_llseek", "pipe", "pipe2", "eventfd", "eventfd2", "timerfd_create", "timerfd_settime",
    "timerfd_settime64", "timerfd_gettime", "timerfd_gettime64", "signalfd", "signalfd4", "poll",
    "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64", "epoll_create",
    "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    // Sockets; which families is said below
    "bind", "listen", "accept", "accept4", "connect", "shutdown", "getsockname", "getpeername",
    "getsockopt", "setsockopt", "send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom",
    "recvmsg", "recvmmsg", "recvmmsg_time64", "sendfile", "sendfile64",
    // Files; which ones is Landlock's to say
    "open", "openat", "creat", "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64",
    "newfstatat", "fstatat64", "statx", "access", "faccessat", "faccessat2", "readlink",
    "readlinkat", "getdents", "getdents64", "getcwd", "chdir", "fchdir", "statfs", "statfs64",
    "fstatfs", "fstatfs64", "unlink", "unlinkat", "rmdir", "ftruncate", "ftruncate64", "fallocate",
    "fsync", "fdatasync", "flock", "fadvise64", "fadvise64_64", "arm_fadvise64_64", "chmod",
    "fchmod", "fchmodat", "chown", "chown32", "fchown", "fchown32", "lchown", "lchown32",
    "fchownat", "umask",
    // Memory; none that can be executed, see below
    "brk", "munmap", "mremap", "madvise", "mlock", "mlock2", "munlock", "msync", "membarrier",
    // Threads
    "exit", "exit_group", "futex", "futex_time64", "futex_wait", "futex_wake", "futex_waitv",
    "futex_requeue", "set_robust_list", "get_robust_list", "rseq", "set_tid_address", "gettid",
    "getpid", "getppid", "getpgrp", "getpgid", "getsid", "sched_yield", "sched_getaffinity",
    "sched_setaffinity", "sched_getparam", "sched_getscheduler", "sched_get_priority_max",
    "sched_get_priority_min", "getcpu", "arch_prctl", "set_thread_area", "getpriority",
    // Signals
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "sigaltstack", "rt_sigpending",
    "rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "restart_syscall", "pause",
    // Time
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "clock_nanosleep",
    "clock_nanosleep_time64", "nanosleep", "gettimeofday", "time", "times",
    // Who and where we are; becoming another user for one file is for root only anyway
    "getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32",
    "getresuid", "getresuid32", "getresgid", "getresgid32", "getgroups", "getgroups32", "setfsuid",
    "setfsuid32", "setfsgid", "setfsgid32", "setgroups", "setgroups32", "getrlimit", "ugetrlimit",
    "getrusage", "sysinfo", "uname", "getrandom", "capget"};

// What would look into other processes, run a program, change the kernel or the file systems, or
// leave the filter behind. None of our libraries has a reason to try.
constexpr const char* kDeadly[] = {"execve",
                                   "execveat",
                                   "ptrace",
                                   "process_vm_readv",
                                   "process_vm_writev",
                                   "pidfd_getfd",
                                   "kexec_load",
                                   "kexec_file_load",
                                   "init_module",
                                   "finit_module",
                                   "delete_module",
                                   "mount",
                                   "umount",
                                   "umount2",
                                   "pivot_root",
                                   "chroot",
                                   "move_mount",
                                   "open_tree",
                                   "fsopen",
                                   "fsmount",
                                   "setns",
                                   "bpf",
                                   "perf_event_open",
                                   "userfaultfd",
                                   "keyctl",
                                   "add_key",
                                   "request_key",
                                   "reboot",
                                   "swapon",
                                   "swapoff",
                                   "open_by_handle_at",
                                   "acct",
                                   "iopl",
                                   "ioperm",
                                   "modify_ldt",
                                   "personality"};

struct FreeFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FreeFilter>;

// The rules that fail to be added are counted by their first error.
class Building {
 public:
  explicit Building(scmp_filter_ctx filter) : filter_(filter) {}

  void add(std::uint32_t action, const char* name,
           std::initializer_list<scmp_arg_cmp> conditions = {}) {
    const int number = seccomp_syscall_resolve_name(name);
    // The name of a call that only other architectures have gives a negative number, for which
    // libseccomp adds no rule and reports no error.
    if (number == __NR_SCMP_ERROR || error_ != 0) return;  // newer than this libseccomp
    error_ = seccomp_rule_add_array(filter_, action, number,
                                    static_cast<unsigned>(conditions.size()), conditions.begin());
  }
  void allow(const char* name, std::initializer_list<scmp_arg_cmp> conditions = {}) {
    add(SCMP_ACT_ALLOW, name, conditions);
  }
  [[nodiscard]] int error() const { return -error_; }

 private:
  const scmp_filter_ctx filter_;
  int error_ = 0;
};

scmp_arg_cmp equal(unsigned argument, std::uint64_t value) {
  return {.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};
}

scmp_arg_cmp has(unsigned argument, std::uint64_t mask, std::uint64_t bits) {
  return {.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = bits};
}

void allow_sockets(Building& building) {
  for (const int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}) {
    building.allow("socket", {equal(0, static_cast<std::uint64_t>(family))});
  }
  building.allow("socketpair", {equal(0, AF_UNIX)});
  // Nothing to be injected into a terminal.
  for (const unsigned long request :
       {static_cast<unsigned long>(FIONREAD), static_cast<unsigned long>(FIONBIO),
        static_cast<unsigned long>(FIOCLEX), static_cast<unsigned long>(FIONCLEX),
        static_cast<unsigned long>(SIOCOUTQ), static_cast<unsigned long>(SIOCGIFNAME),
        static_cast<unsigned long>(SIOCGIFINDEX), static_cast<unsigned long>(TCGETS),
        static_cast<unsigned long>(TIOCGWINSZ)}) {
    building.allow("ioctl", {equal(1, request)});
  }
}

void allow_memory(Building& building) {
  // pkey_mprotect is in no list, and personality(2), whose READ_IMPLIES_EXEC would go round these
  // rules, in the deadly one.
  for (const char* name : {"mmap", "mmap2", "mprotect"}) {
    building.allow(name, {has(2, PROT_EXEC, 0)});
    // A library that is asked for late: refused in words that the loader understands.
    building.add(SCMP_ACT_ERRNO(EACCES), name, {has(2, PROT_EXEC, PROT_EXEC)});
  }
}

void allow_threads(Building& building) {
#ifdef __s390__
  constexpr unsigned kFlags = 1;
#else
  constexpr unsigned kFlags = 0;
#endif
  // A thread, not a process. Of clone3 a filter cannot see the flags: the C library makes do
  // without when there seems to be none.
  building.allow("clone", {has(kFlags, CLONE_THREAD, CLONE_THREAD)});
  // The umask of a thread of its own.
  building.allow("unshare", {equal(0, CLONE_FS)});
  // PR_SET_PDEATHSIG: a successor is started to die with its parent, and gives that up when it
  // serves, which is inside the sandbox.
  for (const int option : {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA, PR_SET_PDEATHSIG}) {
    building.allow("prctl", {equal(0, static_cast<std::uint64_t>(option))});
  }
  // Limits can be read.
  building.allow("prlimit64", {equal(2, 0)});
  // Signals to itself: abort(), and the sentry's last means.
  // The number can be a constant of the filter: no process can be forked in here.
  const auto self = static_cast<std::uint64_t>(::getpid());
  for (const char* name : {"kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"}) {
    building.allow(name, {equal(0, self)});
  }
}

}  // namespace

std::span<const char* const> allowed_system_calls() { return kAllowed; }
std::span<const char* const> deadly_system_calls() { return kDeadly; }

Result<void> restrict_system_calls() {
  const Filter filter(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)));
  if (!filter) return failed(ErrorCode::system, "no filter could be made");
  Building building(filter.get());
  for (const char* name : kAllowed) building.allow(name);
  for (const char* name : kDeadly) building.add(SCMP_ACT_KILL_PROCESS, name);
  allow_sockets(building);
  allow_memory(building);
  allow_threads(building);
  if (building.error() != 0) {
    return failed(ErrorCode::system, "a rule could not be made", building.error());
  }
  // Those that cannot be set are not worth a failure: there is one thread yet; kernels before 5.16
  // would make all of them slower, for code that is not ours and that we do not run; a tree of
  // comparisons is quicker than a list.
  (void)seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  (void)seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_SSB, 1);
  (void)seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if (const int error = seccomp_load(filter.get()); error != 0) {
    return failed(ErrorCode::unavailable, "the kernel refuses the filter", -error);
  }
  return {};
}

}  // namespace tunnel::sandbox
