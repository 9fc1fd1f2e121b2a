# SPDX-License-Identifier: MIT
"""System calls that fail on purpose, by a preloaded library (tests/faults/fail_call.cc), and which
errors each kind of call may plausibly have."""

import errno as e
import mmap
import pathlib
import struct

from .tunnel import BINARY
from .wait import SANITIZED

LIBRARY = pathlib.Path(BINARY).parents[2] / "tests/faults/fail_call.so"
SHORT = -1  # one byte instead of what was asked for

_NO_ROOM = (e.EMFILE, e.ENFILE, e.ENOMEM)
_NOT_NOW = (e.EINTR, e.EAGAIN)
_PEER_GONE = (e.ECONNRESET, e.ETIMEDOUT, e.EPIPE)

# In the library's order. What is not listed cannot happen, or ends the process: libuv aborts when the
# kernel has no memory for epoll_ctl().
KINDS = {
    "socket": (*_NO_ROOM, e.ENOBUFS, e.EAFNOSUPPORT, e.EACCES),
    "bind": (e.EADDRINUSE, e.EACCES, e.EADDRNOTAVAIL, e.ENOMEM),
    "listen": (e.EADDRINUSE, e.ENOMEM),
    "accept": (*_NO_ROOM, *_NOT_NOW, e.ENOBUFS, e.ECONNABORTED, e.EPROTO, e.EPERM),
    "connect": (e.ECONNREFUSED, e.ENETUNREACH, e.EHOSTUNREACH, e.EADDRNOTAVAIL, e.ETIMEDOUT,
                e.ENOBUFS, e.ENOMEM, e.EAGAIN, e.EINTR, e.EPERM, e.EACCES),
    "shutdown": (e.ENOTCONN, e.ENOBUFS),
    "close": (e.EIO, e.EINTR),
    "read": (*_NOT_NOW, *_PEER_GONE[:2], e.ENOMEM, SHORT),
    "write": (*_NOT_NOW, *_PEER_GONE, e.ENOBUFS, e.ENOMEM, SHORT),
    "log": (*_NOT_NOW, SHORT),  # what else there is loses a line
    "read_file": (e.EIO, e.EINTR, SHORT),
    "write_file": (e.EIO, e.ENOSPC, e.EINTR, SHORT),
    "read_wake": (e.EINTR,),  # one of them is a lock, which waits
    "write_wake": (e.EINTR,),  # EAGAIN means that it is awake already
    "recv": (*_NOT_NOW, e.ECONNREFUSED, e.ENOMEM),
    "send": (*_NOT_NOW, *_PEER_GONE, e.ENOBUFS, e.ENOMEM, e.EPERM, e.ENETUNREACH, SHORT),
    "epoll_ctl": (),
    "epoll_wait": (e.EINTR,),
    "epoll_create": _NO_ROOM,
    "eventfd": _NO_ROOM,
    "pipe": _NO_ROOM,
    "open": (*_NO_ROOM, e.ENOENT, e.EACCES, e.EINTR, e.EIO),
    "fopen": (*_NO_ROOM, e.ENOENT, e.EACCES),
    "stat": (e.ENOENT, e.EACCES, e.ENOMEM, e.EIO),
    "getsockopt": (e.ENOBUFS, e.ENOMEM),
    "setsockopt": (e.ENOBUFS, e.ENOMEM, e.ENOPROTOOPT, e.EINVAL),
    "getsockname": (e.ENOBUFS, e.ENOTCONN),
    "fcntl": (e.EMFILE, e.EACCES),
    "rename": (e.EIO, e.ENOSPC, e.EACCES),
    "unlink": (e.EACCES, e.ENOENT, e.EIO),
    "fsync": (e.EIO, e.ENOSPC),
    "thread": (e.EAGAIN,),
}
_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
_HEAD = struct.Struct("=IiiI")  # armed, countdown, error, fired


def show(error):
    return "SHORT" if error == SHORT else e.errorcode[error]


class Faults:
    """What the process and the test share. Nothing is armed at first."""

    def __init__(self, folder):
        self.path = folder / "faults"
        self.path.write_bytes(bytes(_HEAD.size + 4 * len(KINDS)))
        with open(self.path, "r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 0)
        self.environment = {"LD_PRELOAD": str(LIBRARY), "FAULTS_FILE": str(self.path)}
        if SANITIZED:
            self.environment["ASAN_OPTIONS"] = "verify_asan_link_order=0"

    def arm(self, kind, nth, error):
        """The nth call of that kind from now on fails, once."""
        self.disarm()
        self._shared[4:16] = struct.pack("=iiI", nth, error, 0)
        self._shared[:4] = struct.pack("=I", 1 + _NUMBERS[kind])

    def disarm(self):
        """True when the call has failed."""
        self._shared[:4] = bytes(4)
        return self._shared[12] > 0

    def counts(self):
        numbers = struct.unpack_from(f"={len(KINDS)}I", self._shared, _HEAD.size)
        return dict(zip(KINDS, numbers))
