# SPDX-License-Identifier: MIT
"""A service manager as systemd is one: hears notifications, passes sockets, keeps descriptors."""

import os
import re
import socket
import sys
import threading
import time

from .wait import PATIENCE

# Puts descriptors where sd_listen_fds(3) expects them, and becomes the program.
_LAUNCHER = """
import fcntl, os, sys
count = int(sys.argv[1])
moved = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 200) for fd in sys.argv[2:2 + count]]
for fd in sys.argv[2:2 + count]:
    os.close(int(fd))
for number, fd in enumerate(moved):
    os.dup2(fd, 3 + number)
    os.close(fd)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(sys.argv[2 + count], sys.argv[2 + count:])
"""


class Manager:
    def __init__(self, folder):
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._came = threading.Condition()
        self.messages = []
        self.kept = {}  # name: descriptor
        self._listening = {}  # name: sockets
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self):
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self._socket, 4096, 1)
            except OSError:
                return
            if not data:
                return
            with self._came:
                self._note(data.decode(), fds)
                self._came.notify_all()

    def _note(self, text, fds):
        fields = dict(line.split("=", 1) for line in text.splitlines())
        self.messages.append(fields)
        name = fields.get("FDNAME")
        if fields.get("FDSTORE") == "1":
            assert re.fullmatch(r"[!-9;-~]{1,255}", name), name
            if name in self.kept:
                os.close(self.kept[name])
            (self.kept[name],) = fds
        elif fields.get("FDSTOREREMOVE") == "1" and name in self.kept:
            os.close(self.kept.pop(name))

    def wait_for(self, count=1, **fields):
        """The count-th message that has these fields."""
        deadline = time.monotonic() + PATIENCE
        with self._came:
            while True:
                found = self.find(**fields)
                if len(found) >= count:
                    return found[count - 1]
                if not self._came.wait(deadline - time.monotonic()):
                    raise AssertionError(f"no message {fields} among {self.messages}")

    def find(self, **fields):
        return [m for m in self.messages if all(m.get(k) == v for k, v in fields.items())]

    def listen(self, name, family=socket.AF_INET, address=("127.0.0.1", 0), kind=socket.SOCK_STREAM):
        """A socket unit; returns the address as a text."""
        sock = socket.socket(family, kind)
        sock.bind(address)
        if kind == socket.SOCK_STREAM:
            sock.listen(128)
        self._listening.setdefault(name, []).append(sock)
        where = sock.getsockname()
        return where if family == socket.AF_UNIX else "%s:%d" % where[:2]

    def launch(self, **extra):
        """What the harness's Tunnel needs to be started by this manager."""
        passed = [(name, s.fileno()) for name, sockets in self._listening.items() for s in sockets]
        passed += self.kept.items()
        fds = [fd for _, fd in passed]
        env = {"NOTIFY_SOCKET": str(self.path), **extra}
        if passed:
            env |= {"LISTEN_FDS": str(len(passed)), "LISTEN_FDNAMES": ":".join(n for n, _ in passed)}
        prefix = [sys.executable, "-c", _LAUNCHER, str(len(fds)), *map(str, fds)]
        return {"prefix": prefix, "env": env, "pass_fds": fds}

    def stop(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for sockets in self._listening.values():
            for sock in sockets:
                sock.close()
        for fd in self.kept.values():
            os.close(fd)
