# SPDX-License-Identifier: MIT
"""Child processes that never outlive the tests."""

import ctypes
import os
import subprocess

from . import ports
from .wait import PATIENCE, eventually

_PR_SET_CHILD_SUBREAPER = 36

# In front of a command: the kernel kills the child when the test run ends, however it ends.
DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")


def adopt_daemons():
    """Daemons become our children, so that their exit status can be asked for."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def wait_for_exit(pid, timeout=PATIENCE):
    """The exit status of an adopted daemon (negative: the signal that ended it)."""

    def ended():
        try:
            found, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            # Not ours yet: in a sandbox its parent is the launcher, which ends after its own parent.
            return None
        return (status,) if found else None

    return os.waitstatus_to_exitcode(eventually(ended, f"process {pid} ends", timeout)[0])


class Background:
    """A server program in the background; its output goes to a file that failures quote."""

    def __init__(self, argv, folder, name, stdin=subprocess.DEVNULL, **kwargs):
        self.name = name
        self.output = folder / f"{name}.{os.urandom(3).hex()}.out"
        with open(self.output, "wb") as out:
            self.process = subprocess.Popen(
                [*DIE_WITH_PARENT, *map(str, argv)], stdin=stdin, stdout=out,
                stderr=subprocess.STDOUT, **kwargs)

    def text(self):
        return self.output.read_text(errors="replace")

    def is_alive(self):
        return self.process.poll() is None

    def wait_until(self, predicate, what):
        def check():
            assert self.is_alive(), f"{self.name} ended early:\n{self.text()}"
            return predicate()

        return eventually(check, f"{self.name}: {what}")

    def stop(self):
        if self.is_alive():
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


def start_on_free_port(make, folder, name, host="127.0.0.1", tries=10, **kwargs):
    """make(port) gives the argv; retries when somebody else was faster with the port."""
    for _ in range(tries):
        port = ports.free_port(host)
        server = Background(make(port), folder, name, **kwargs)

        def up_or_dead():
            return not server.is_alive() or ports.is_open(host, port)

        eventually(up_or_dead, f"{name} listens")
        if server.is_alive():
            return server, port
        failed = server.text()
        server.stop()
    raise AssertionError(f"{name} does not start:\n{failed}")
