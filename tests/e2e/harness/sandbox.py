# SPDX-License-Identifier: MIT
"""What this machine has for a sandbox, and how the tunnels of a test run use it.

TUNNEL_TEST_SANDBOX   "require": every configuration that does not say otherwise is run with it.
"""

import ctypes
import os
import sys

from .wait import SANITIZED

_CREATE_RULESET, _ASK_VERSION = 444, 1


def landlock_version():
    """0: there is none."""
    if SANITIZED:  # the program leaves it out
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION))


def _default():
    if mode := os.environ.get("TUNNEL_TEST_SANDBOX"):
        return {"sandbox": mode}
    # A process that is not dumpable is looked into by root alone.
    return {} if os.geteuid() == 0 else {"sandbox": "off"}


# Global keys of each configuration that does not set them.
DEFAULT = _default()


def threads_status(pid, field):
    """A field of /proc/PID/task/*/status, for each thread."""
    values = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as status:
            values += [line.split()[1] for line in status if line.startswith(field + ":")]
    return values


_WITHOUT_LANDLOCK = """
import ctypes, os, struct, sys
# A filter of system calls: load the number; is it landlock_create_ruleset? ENOSYS; else allow.
code = b"".join(struct.pack("HBBI", *each) for each in [
    (0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x50000 | 38), (0x06, 0, 0, 0x7fff0000)])
memory = ctypes.create_string_buffer(code)
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]
libc = ctypes.CDLL(None)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2
assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
program = Program(4, ctypes.addressof(memory))
assert libc.prctl(PR_SET_SECCOMP, FILTER, ctypes.byref(program)) == 0
os.execvp(sys.argv[1], sys.argv[1:])
"""

# A prefix of commands: to them this kernel is one without Landlock.
WITHOUT_LANDLOCK = (sys.executable, "-c", _WITHOUT_LANDLOCK)
