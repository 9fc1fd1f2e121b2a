# SPDX-License-Identifier: MIT
"""A network namespace: a network that can be broken without anybody else noticing, and that no
packet leaves."""

import ctypes
import os
import subprocess
import threading

from .process import DIE_WITH_PARENT

_CLONE_NEWNET = 0x40000000


def is_possible():
    """Whether we may make one (root, and the kernel lets us)."""
    try:
        return subprocess.run(["unshare", "--net", "ip", "link", "set", "lo", "up"],
                              capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def can_mount():
    """Whether we may make a mount namespace: not where the root folder is no mount, as in a chroot."""
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


class Namespace:
    """Lives as long as its keeper process. `setup`: shell commands run inside at the beginning."""

    def __init__(self, setup=""):
        self._keeper = subprocess.Popen(
            [*DIE_WITH_PARENT, "unshare", "--net", "sh", "-c",
             f"ip link set lo up; {setup} echo ready; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._keeper.stdout.readline() == b"ready\n"
        self._path = f"/proc/{self._keeper.pid}/ns/net"
        # In front of a command: run it inside.
        self.prefix = ("nsenter", f"--net={self._path}")

    def run(self, *argv):
        subprocess.run([*self.prefix, *argv], check=True)

    def call(self, function):
        """Calls it in a thread that is inside; the sockets it makes stay inside."""
        result = []

        def inside():
            libc = ctypes.CDLL(None, use_errno=True)
            with open(self._path, encoding="ascii") as namespace:
                if libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            result.append(function())

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        return result[0]

    def stop(self):
        self._keeper.stdin.close()
        self._keeper.wait()
        self._keeper.stdout.close()
