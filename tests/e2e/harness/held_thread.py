# SPDX-License-Identifier: MIT
"""One thread of a process that is not run for a while, whatever the others do."""

import contextlib
import ctypes
import os
import pathlib
import signal

import pytest

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17  # of ptrace(2)
_ANY_THREAD = 0x40000000  # waitpid's __WALL
_ptrace = ctypes.CDLL(None, use_errno=True).ptrace
_ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


@contextlib.contextmanager
def held(thread):
    """By ptrace: the thread with this id stands still. Nothing may wait for its process meanwhile."""
    if _ptrace(_SEIZE, thread, None, None) != 0:
        pytest.skip(f"ptrace is not allowed here: {os.strerror(ctypes.get_errno())}")
    assert _ptrace(_INTERRUPT, thread, None, None) == 0
    _, status = os.waitpid(thread, _ANY_THREAD)
    assert os.WIFSTOPPED(status)
    try:
        yield
    finally:
        # With the signal that it had been stopped by; an interruption has none.
        stop = os.WSTOPSIG(status)
        passed_on = 0 if stop == signal.SIGTRAP else stop
        assert _ptrace(_DETACH, thread, None, passed_on) == 0


def thread_names(pid):
    names = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            names.append((task / "comm").read_text().strip())
    return names
