# SPDX-License-Identifier: MIT
"""One thread of a process that stands still, as in an endless loop or a system call without end: a
tracer stops it while the others go on."""

import ctypes
import os
import pathlib
import threading

from .wait import eventually

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_WALL = 0x40000000


def thread_named(pid, name):
    """The number of the process's thread that bears this name, which it gives to itself."""
    def found():
        return next((int(task.name) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                     if (task / "comm").read_text().strip() == name), None)

    return eventually(found, f"process {pid} has a thread {name}")


class FrozenThread:
    """Stops it until stop() or the process's end. `is_possible` is false where tracing is not
    permitted."""

    def __init__(self, thread_id):
        self._id = thread_id
        self._is_stopped, self._let_go = threading.Event(), threading.Event()
        self.is_possible = False
        # Only the thread that traces may wait and let go.
        self._tracer = threading.Thread(target=self._trace, daemon=True)
        self._tracer.start()
        self._is_stopped.wait()

    def _trace(self):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        if libc.ptrace(_SEIZE, self._id, None, None) != 0:
            self._is_stopped.set()
            return
        libc.ptrace(_INTERRUPT, self._id, None, None)
        os.waitpid(self._id, _WALL)
        self.is_possible = True
        self._is_stopped.set()
        while not self._let_go.wait(0.05):
            # The end of a process waits for its traced threads to be waited for.
            if os.waitpid(self._id, _WALL | os.WNOHANG)[0]:
                return
        libc.ptrace(_DETACH, self._id, None, None)

    def stop(self):
        self._let_go.set()
        self._tracer.join()
